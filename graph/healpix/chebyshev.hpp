#pragma once

#include "tarn/core/tape.hpp"
#include "tarn/graph/healpix/sphere_graph.hpp"

#include <memory>

namespace tarn {

/// Whether the backward pass finds the polynomials of the input as the forward pass left them, or computes
/// them again.
enum class ChebyshevMemory { high, low };
inline std::span<const std::string_view> enum_names(ChebyshevMemory) {
  static constexpr std::array<std::string_view, 2> names{"high", "low"};
  return names;
}

inline namespace TARN_PRECISION {

/// A symmetric matrix in the precision of the build.
struct SparseOperator {
  Graph graph;
  std::vector<Real> values;  ///< by canonical edge
};

/// y = sum over k < K of T_k(L) x W_k, with the Chebyshev polynomials T_0 = 1, T_1 = L, T_k = 2 L T_k-1 -
/// T_k-2 of a symmetric matrix L over the P rows of each map.
///
/// x [B P, in], weight [K, in, out], bias [out] or not given -> [B P, out]; shapes are not checked. The
/// smaller of in and out goes through the sparse products, all maps of a batch in one pass over L: time
/// O(E B min(in, out) K + P B in out K). Gradients flow into x, weight and bias; L is constant.
[[nodiscard]] Var chebyshev(std::shared_ptr<const SparseOperator> l, Size maps, Var x, Var weight, Var bias,
                            ChebyshevMemory memory);

}  // namespace TARN_PRECISION
}  // namespace tarn
