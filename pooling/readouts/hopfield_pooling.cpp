#include "tarn/pooling/readouts/hopfield_pooling.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/layer_norm.hpp"
#include "tarn/core/ops/ragged_attention.hpp"
#include "tarn/core/ops/scaling.hpp"
#include "tarn/core/ops/seed_attention.hpp"
#include "tarn/core/ops/slice.hpp"
#include "tarn/pooling/blocks/attention_block.hpp"
#include "tarn/pooling/readouts/hopfield_steps.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace tarn {

void HopfieldPoolingOptions::fields(Fields& f) {
  WidthOptions::fields(f);
  f("hidden_size", hidden_size, at_least(1), "width of a head; null: width of x / num_heads");
  f("output_size", output_size, at_least(1), "width of the result of a state; null: that of x");
  f("num_heads", num_heads, at_least(1), "attention heads");
  f("quantity", quantity, at_least(1), "learned states");
  f("scaling", scaling, above(0), "beta; null: 1 / sqrt(width of a head)");
  f("update_steps_max", update_steps_max, at_least(-1), "update steps; -1: until the weights stand still");
  f("update_steps_eps", update_steps_eps, above(0), "movement of the weights that counts as none");
  f("normalize_stored_pattern", normalize_stored_pattern, "layer norm before the keys");
  f("normalize_state_pattern", normalize_state_pattern, "layer norm of the states");
  f("normalize_pattern_projection", normalize_pattern_projection, "layer norm before the values");
  f("input_bias", input_bias, "biases of states, keys and values");
  f("disable_out_projection", disable_out_projection, "no map behind the heads");
  f("dropout", dropout, in_range(0, 1), "share of the last weights dropped in training");
}

namespace {

constexpr Size most_steps = 10000;

Size head_width(const HopfieldPoolingOptions& o) {
  if (o.hidden_size) return *o.hidden_size;
  require_divides("hopfield-pooling", "num_heads", o.num_heads, o.in_channels);
  return o.in_channels / o.num_heads;
}

}  // namespace

inline namespace TARN_PRECISION {

HopfieldPooling::HopfieldPooling(const Options& o)
    : Readout("hopfield-pooling", o),
      o_(o),
      width_(o.num_heads * head_width(o)),
      beta_(o.scaling.value_or(1 / std::sqrt(static_cast<double>(head_width(o))))),
      states_(parameter("pooling_weights", {1, o.quantity, o.in_channels}, normal(0.02))),
      in_weight_(
          parameter("hopfield.association_core.in_proj_weight", {3 * width_, o.in_channels}, normal(0.02))),
      in_bias_(o.input_bias ? &parameter("hopfield.association_core.in_proj_bias", {3 * width_}, constant(0))
                            : nullptr) {
  if (!o.disable_out_projection) {
    out_proj_ = &child("hopfield.association_core.out_proj",
                       std::make_unique<Linear>(width_, o.output_size.value_or(o.in_channels), Bias::yes,
                                                normal(0.02), constant(0)));
  }
  stored_ = make_norm("norm_stored_pattern", o.normalize_stored_pattern);
  state_ = make_norm("norm_state_pattern", o.normalize_state_pattern);
  projection_ = make_norm("norm_pattern_projection", o.normalize_pattern_projection);
}

HopfieldPooling::Norm HopfieldPooling::make_norm(const std::string& norm_name, bool wanted) {
  if (!wanted) return {};
  return {&parameter("hopfield." + norm_name + ".weight", {o_.in_channels}, constant(1)),
          &parameter("hopfield." + norm_name + ".bias", {o_.in_channels}, constant(0))};
}

Size HopfieldPooling::out_dim(Size in_dim) const {
  return o_.quantity * (out_proj_ == nullptr ? width_ : o_.output_size.value_or(in_dim));
}

Var HopfieldPooling::normalized(Var x, const Norm& norm) {
  Tape& tape = x.tape();
  return norm.given() ? layer_norm(x, tape.parameter(norm.weight), tape.parameter(norm.bias)) : x;
}

HopfieldPooling::Pair HopfieldPooling::projection(Tape& tape, Size which) {
  const auto third = [&](Var v) { return slice_rows(v, which * width_, (which + 1) * width_); };
  if (in_bias_ == nullptr) return {third(tape.parameter(in_weight_)), {}};
  return {third(tape.parameter(in_weight_)), third(reshape(tape.parameter(in_bias_), {3 * width_, 1}))};
}

Var HopfieldPooling::retrieve_once(const SetInput& in, Var q) {
  Tape& tape = in.x.tape();
  const Pair key = projection(tape, 1), value = projection(tape, 2);
  SeedAttention attention{.q = q,
                          .x = in.x,
                          .sets = in.sets,
                          .key_map = key.weight,
                          .value_map = value.weight,
                          .value_bias = value.bias,
                          .heads = o_.num_heads,
                          .scale = beta_,
                          .dropout = o_.dropout};
  if (stored_.given()) {
    // Both norms are affine maps of the standardised rows, and go into the projections.
    attention.x = layer_norm(in.x, {}, {});
    attention.key_map = scale_columns(key.weight, tape.parameter(stored_.weight));
    attention.value_map = scale_columns(value.weight, tape.parameter(projection_.weight));
    const Var shift = reshape(tape.parameter(projection_.bias), {1, o_.in_channels});
    attention.value_bias = reshape(linear(shift, value.weight, value.bias), {width_});
  }
  return seed_attention(attention);
}

Var HopfieldPooling::retrieve_in_steps(const SetInput& in, Var q) {
  Tape& tape = in.x.tape();
  const Pair key = projection(tape, 1), value = projection(tape, 2);
  const Var k = linear(normalized(in.x, stored_), key.weight, key.bias);          // [N, h d]
  const Var v = linear(normalized(in.x, projection_), value.weight, value.bias);  // [N, h d]
  const Size sets = in.sets.count(), most = o_.update_steps_max < 0 ? most_steps : o_.update_steps_max;
  const auto attend = [&](Var queries, Var values, double dropout) {
    return ragged_attention({.q = {queries, 0},
                             .k = {k, 0},
                             .v = {values, 0},
                             .q_sets = Segments::uniform(sets, o_.quantity),
                             .k_sets = in.sets,
                             .heads = o_.num_heads,
                             .key_width = width_ / o_.num_heads,
                             .scale = beta_,
                             .dropout = dropout});
  };
  Var state = repeat_block(q, sets);  // [B S, h d]
  std::vector<bool> moving(static_cast<std::size_t>(sets * o_.num_heads), true);
  for (Size step = 0; step < most && std::ranges::find(moving, true) != moving.end(); ++step) {
    const Var moved = attend(state, k, 0);
    const HopfieldStep one{state.value(), moved.value(), k.value(), in.sets,
                           o_.quantity,   o_.num_heads,  beta_};
    const std::vector<bool> before = moving;
    stop_still_heads(one, o_.update_steps_eps, moving);
    state = choose_heads(before, o_.num_heads, o_.quantity, moved, state);
  }
  return attend(state, v, o_.dropout);
}

Pooled HopfieldPooling::pool(const SetInput& in) {
  Tape& tape = in.x.tape();
  const Pair map = projection(tape, 0);
  const Var r = normalized(reshape(tape.parameter(states_), {o_.quantity, o_.in_channels}), state_);
  const Var q = linear(r, map.weight, map.bias);  // [S, h d]
  const bool folds = o_.update_steps_max == 0 && stored_.given() == projection_.given();
  Var y = folds ? retrieve_once(in, q) : retrieve_in_steps(in, q);  // [B S, h d]
  if (out_proj_ != nullptr) y = out_proj_->forward(y);
  return {reshape(y, {in.sets.count(), o_.quantity * y.cols()})};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
