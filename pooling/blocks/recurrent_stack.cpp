#include "tarn/pooling/blocks/recurrent_stack.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/linear.hpp"
#include "tarn/core/ops/slice.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {
inline namespace TARN_PRECISION {

RecurrentStack::RecurrentStack(Cell cell, Size in, Size hidden, Size num_layers, Directions directions)
    : cell_(cell), hidden_(hidden) {
  const Size above = directions == Directions::both ? 2 * hidden : hidden;
  for (Size k = 0; k < num_layers; ++k) {
    const Size width = k == 0 ? in : above;
    onward_.push_back(add_layer(width, fmt::format("_l{}", k)));
    if (directions == Directions::both) back_.push_back(add_layer(width, fmt::format("_l{}_reverse", k)));
  }
}

RecurrentStack::Layer RecurrentStack::add_layer(Size in, const std::string& suffix) {
  const Size rows = gates_of(cell_) * hidden_;
  const auto add = [&](const char* name, Shape shape) {
    return &parameter(name + suffix, shape, fan_in_uniform(hidden_));
  };
  return {add("weight_ih", {rows, in}), add("weight_hh", {rows, hidden_}), add("bias_ih", {rows}),
          add("bias_hh", {rows})};
}

Var RecurrentStack::sweep(std::span<const Var> blocks, const Layer& layer, const Segments& sets,
                          Reading reading) const {
  Tape& tape = blocks[0].tape();
  const Var seen = linear(blocks, tape.parameter(*layer.weight_ih), tape.parameter(*layer.bias_ih));
  return segment_recurrent(seen, tape.parameter(*layer.weight_hh), tape.parameter(*layer.bias_hh), sets,
                           cell_, reading);
}

Var RecurrentStack::forward(Var x, const Segments& sets) {
  std::vector<Var> blocks{x};
  for (std::size_t k = 0; k < onward_.size(); ++k) {
    std::vector<Var> states{sweep(blocks, onward_[k], sets, Reading::first_to_last)};
    if (!back_.empty()) states.push_back(sweep(blocks, back_[k], sets, Reading::last_to_first));
    blocks = std::move(states);
  }
  return blocks.size() == 1 ? blocks.front() : concat_columns(blocks);
}

std::vector<RecurrentStack::State> RecurrentStack::zeros(Tape& tape, Size rows) const {
  const MatrixView none = tape.allocate({rows, hidden_});
  std::fill_n(none.data, none.size(), Real{0});
  const Var zero = tape.input(none, {rows, hidden_});
  return {onward_.size(), State{zero, zero}};
}

Var RecurrentStack::step(std::span<const Var> blocks, std::vector<State>& states) {
  Tape& tape = blocks[0].tape();
  for (std::size_t k = 0; k < onward_.size(); ++k) {
    const Layer& layer = onward_[k];
    State& s = states[k];
    const auto below = k == 0 ? blocks : std::span<const Var>(&states[k - 1].h, 1);
    const Var seen = linear(below, tape.parameter(*layer.weight_ih), tape.parameter(*layer.bias_ih));
    const Var kept = linear(s.h, tape.parameter(*layer.weight_hh), tape.parameter(*layer.bias_hh));
    const Var both = lstm_step(add(seen, kept), s.c);  // [M, 2 hidden]
    s = {slice_columns(both, 0, hidden_), slice_columns(both, hidden_, 2 * hidden_)};
  }
  return states.back().h;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
