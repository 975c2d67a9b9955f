#include "tarn/core/layers.hpp"

#include "tarn/core/ops/layer_norm.hpp"

#include <fmt/format.h>

namespace tarn {
inline namespace TARN_PRECISION {

Linear::Linear(Size in, Size out, Bias bias) : Linear(in, out, bias, fan_in_uniform(in)) {}

Linear::Linear(Size in, Size out, Bias bias, Init weight_init)
    : Linear(in, out, bias, weight_init, fan_in_uniform(in)) {}

Linear::Linear(Size in, Size out, Bias bias, Init weight_init, Init bias_init)
    : weight_(parameter("weight", {out, in}, weight_init)),
      bias_(bias == Bias::yes ? &parameter("bias", {out}, bias_init) : nullptr) {}

Var Linear::forward(std::span<const Var> blocks, Activation activation) {
  Tape& tape = blocks[0].tape();
  return linear(blocks, tape.parameter(weight_), tape.parameter(bias_), activation);
}

BatchNorm::BatchNorm(Size channels, const Settings& settings)
    : weight_(settings.affine == Affine::yes ? &parameter("weight", {channels}, constant(1)) : nullptr),
      bias_(settings.affine == Affine::yes ? &parameter("bias", {channels}, constant(0)) : nullptr),
      running_mean_(state_tensor("running_mean", {channels}, 0)),
      running_var_(state_tensor("running_var", {channels}, 1)),
      settings_(settings) {}

Var BatchNorm::forward(Var x, Activation activation, const char* where) {
  Tape& tape = x.tape();
  return batch_norm(x, tape.parameter(weight_), tape.parameter(bias_),
                    {.running_mean = running_mean_,
                     .running_var = running_var_,
                     .eps = settings_.eps,
                     .momentum = settings_.momentum,
                     .single_row = settings_.single_row},
                    activation, where);
}

LayerNorm::LayerNorm(Size width, double eps)
    : weight_(parameter("weight", {width}, constant(1))),
      bias_(parameter("bias", {width}, constant(0))),
      eps_(eps) {}

Var LayerNorm::forward(Var x) {
  Tape& tape = x.tape();
  return layer_norm(x, tape.parameter(weight_), tape.parameter(bias_), eps_);
}

Chain::Chain(std::span<const Size> widths, ChainNorm norm, Activation activation, ChainEnd end)
    : activation_(activation), end_(end) {
  Size position = 0;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    const bool last = i + 2 == widths.size();
    linears_.push_back(
        &child(fmt::format("{}", position++), std::make_unique<Linear>(widths[i], widths[i + 1])));
    if (last && end == ChainEnd::linear) break;
    if (norm == ChainNorm::batch_norm) {
      norms_.push_back(&child(fmt::format("{}", position++), std::make_unique<BatchNorm>(widths[i + 1])));
    }
    ++position;  // the activation holds a place in the list
  }
}

Var Chain::forward(std::span<const Var> blocks, const char* where) {
  Var h;
  for (std::size_t i = 0; i < linears_.size(); ++i) {
    const bool bare = i + 1 == linears_.size() && end_ == ChainEnd::linear;
    const bool normed = !bare && !norms_.empty();
    h = linears_[i]->forward(i == 0 ? blocks : std::span<const Var>(&h, 1),
                             bare || normed ? Activation::none : activation_);
    if (normed) h = norms_[i]->forward(h, activation_, where);
  }
  return h;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
