#pragma once

#include "tarn/core/view.hpp"

#include <cstring>
#include <type_traits>

/// Runs of columns as vectors of fixed width, for kernels whose sums stay in registers. Every column is
/// worked on by itself, in whatever width: results do not depend on the widths that a processor has.
namespace tarn {
inline namespace TARN_PRECISION {

/// Numbers in the widest vector.
#if defined(__AVX512F__)
inline constexpr Size simd_lanes = 64 / static_cast<Size>(sizeof(Real));
#else
inline constexpr Size simd_lanes = 32 / static_cast<Size>(sizeof(Real));
#endif
/// n rounded up to whole vectors.
[[nodiscard]] constexpr Size whole_vectors(Size n) {
  return (n + simd_lanes - 1) / simd_lanes * simd_lanes;
}

namespace simd {

template <Size lanes>
struct Type {
  typedef Real Is __attribute__((vector_size(lanes * static_cast<Size>(sizeof(Real)))));  // `using` drops it
};
template <>
struct Type<1> {
  using Is = Real;
};

/// `count` vectors of `lanes` numbers side by side.
template <Size lanes_in, Size count_in>
struct Block {
  static constexpr Size lanes = lanes_in;
  static constexpr Size count = count_in;
  static constexpr Size width = lanes * count;
  using Vector = typename Type<lanes>::Is;
};

template <class V>
[[gnu::always_inline]] inline V load(const Real* p) {
  V v;
  std::memcpy(&v, p, sizeof(V));
  return v;
}
template <class V>
[[gnu::always_inline]] inline void store(Real* p, const V& v) {
  std::memcpy(p, &v, sizeof(V));
}

/// Calls f(block, column) for blocks that together cover the columns 0 .. cols-1: as many vectors side by
/// side as `widest`, then narrower ones.
template <Size widest, class F>
void for_columns(Size cols, F f) {
  Size column = 0;
  const auto take = [&](auto block) {
    for (; column + block.width <= cols; column += block.width) f(block, column);
  };
  if constexpr (widest >= 4) take(Block<simd_lanes, 4>{});
  if constexpr (widest >= 2) take(Block<simd_lanes, 2>{});
  take(Block<simd_lanes, 1>{});
  take(Block<simd_lanes / 2, 1>{});
  take(Block<simd_lanes / 4, 1>{});
  if constexpr (simd_lanes > 4) take(Block<1, 1>{});
}

}  // namespace simd

}  // namespace TARN_PRECISION
}  // namespace tarn
