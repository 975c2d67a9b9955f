#pragma once

#include "tarn/core/ops/vector_math.hpp"
#include "tarn/core/tape.hpp"

#include <array>
#include <span>
#include <string_view>

namespace tarn {

enum class Activation { none, relu, tanh };
inline std::span<const std::string_view> enum_names(Activation) {
  static constexpr std::array<std::string_view, 3> names{"none", "relu", "tanh"};
  return names;
}

inline namespace TARN_PRECISION {

/// y = activation([x_1, x_2, ...] W^T + b) on rows, the blocks of columns side by side without a copy.
///
/// x_k [N, D_k], weight [out, sum D_k], bias [out] or not given -> [N, out]. Product, bias and activation in
/// one pass; the backward pass reads the derivative off the output. Time O(N out D). Throws ShapeError when
/// widths or rows do not fit.
Var linear(std::span<const Var> blocks, Var weight, Var bias = {}, Activation activation = Activation::none);
inline Var linear(Var x, Var weight, Var bias = {}, Activation activation = Activation::none) {
  return linear(std::span<const Var>(&x, 1), weight, bias, activation);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
