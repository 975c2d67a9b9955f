#pragma once

#include "tarn/core/ops/vector_math.hpp"

#include <array>
#include <span>
#include <string_view>

namespace tarn {

/// gelu is the exact one, x Phi(x) = x (1 + erf(x / sqrt 2)) / 2.
enum class Activation { none, relu, tanh, sigmoid, gelu };
inline std::span<const std::string_view> enum_names(Activation) {
  static constexpr std::array<std::string_view, 5> names{"none", "relu", "tanh", "sigmoid", "gelu"};
  return names;
}

/// Whether the derivative is read off the input; else the output is enough.
[[nodiscard]] constexpr bool keeps_input(Activation a) {
  return a == Activation::gelu;
}

inline namespace TARN_PRECISION {

/// y = activation(x) over a run; x may be y.
void activate_run(Activation activation, const Real* x, Real* y, Size n);
/// dx = dy activation'(x) over a run, from x where `keeps_input`, else from y. dx may be dy.
void activation_gradient(Activation activation, const Real* dy, const Real* x, const Real* y, Real* dx,
                         Size n);

/// y = a gelu(b) over a run, and its gradients.
void gated_gelu_run(const Real* a, const Real* b, Real* y, Size n);
void gated_gelu_gradient(const Real* dy, const Real* a, const Real* b, Real* da, Real* db, Size n);

}  // namespace TARN_PRECISION
}  // namespace tarn
