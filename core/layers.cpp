#include "tarn/core/layers.hpp"

#include "tarn/core/ops/batch_norm.hpp"
#include "tarn/core/ops/elementwise.hpp"

#include <fmt/format.h>

namespace tarn {
inline namespace TARN_PRECISION {

Linear::Linear(Size in, Size out, Bias bias) : Linear(in, out, bias, fan_in_uniform(in)) {}

Linear::Linear(Size in, Size out, Bias bias, Init weight_init)
    : weight_(parameter("weight", {out, in}, weight_init)),
      bias_(bias == Bias::yes ? &parameter("bias", {out}, fan_in_uniform(in)) : nullptr) {}

Var Linear::forward(std::span<const Var> blocks, Activation activation) {
  Tape& tape = blocks[0].tape();
  return linear(blocks, tape.parameter(weight_), bias_ != nullptr ? tape.parameter(*bias_) : Var{},
                activation);
}

BatchNorm::BatchNorm(Size channels, double eps, double momentum)
    : weight_(parameter("weight", {channels}, constant(1))),
      bias_(parameter("bias", {channels}, constant(0))),
      running_mean_(state_tensor("running_mean", {channels}, 0)),
      running_var_(state_tensor("running_var", {channels}, 1)),
      eps_(eps),
      momentum_(momentum) {}

Var BatchNorm::forward(Var x, const char* where) {
  Tape& tape = x.tape();
  return batch_norm(x, tape.parameter(weight_), tape.parameter(bias_), running_mean_, running_var_, eps_,
                    momentum_, where);
}

Chain::Chain(std::span<const Size> widths, ChainNorm norm, Activation activation) : activation_(activation) {
  Size position = 0;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    const bool last = i + 2 == widths.size();
    linears_.push_back(
        &child(fmt::format("{}", position++), std::make_unique<Linear>(widths[i], widths[i + 1])));
    if (last) break;
    if (norm == ChainNorm::batch_norm) {
      norms_.push_back(&child(fmt::format("{}", position++), std::make_unique<BatchNorm>(widths[i + 1])));
    }
    ++position;  // the activation holds a place in the list
  }
}

Var Chain::forward(std::span<const Var> blocks, const char* where) {
  const std::size_t last = linears_.size() - 1;
  const auto fused = [&](std::size_t i) {
    return i == last || !norms_.empty() ? Activation::none : activation_;
  };
  Var h = linears_[0]->forward(blocks, fused(0));
  for (std::size_t i = 1; i <= last; ++i) {
    if (!norms_.empty()) h = activate(norms_[i - 1]->forward(h, where), activation_);
    h = linears_[i]->forward(h, fused(i));
  }
  return h;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
