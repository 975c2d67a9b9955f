#pragma once

#include "tarn/core/real.hpp"

#include <cstdint>
#if defined(__BMI2__)
#include <immintrin.h>
#endif

/// The bits of x and y of a pixel, interleaved: its NEST number within its face. No checks.
namespace tarn::healpix {

/// Bit i of a 32-bit number to bit 2i.
[[nodiscard]] constexpr std::uint64_t spread_bits_by_shifts(std::uint64_t v) {
  v &= 0xffffffffULL;
  v = (v | (v << 16U)) & 0x0000ffff0000ffffULL;
  v = (v | (v << 8U)) & 0x00ff00ff00ff00ffULL;
  v = (v | (v << 4U)) & 0x0f0f0f0f0f0f0f0fULL;
  v = (v | (v << 2U)) & 0x3333333333333333ULL;
  v = (v | (v << 1U)) & 0x5555555555555555ULL;
  return v;
}

/// Bit 2i to bit i; odd bits are dropped.
[[nodiscard]] constexpr std::uint64_t gather_bits_by_shifts(std::uint64_t v) {
  v &= 0x5555555555555555ULL;
  v = (v | (v >> 1U)) & 0x3333333333333333ULL;
  v = (v | (v >> 2U)) & 0x0f0f0f0f0f0f0f0fULL;
  v = (v | (v >> 4U)) & 0x00ff00ff00ff00ffULL;
  v = (v | (v >> 8U)) & 0x0000ffff0000ffffULL;
  v = (v | (v >> 16U)) & 0x00000000ffffffffULL;
  return v;
}

[[nodiscard]] inline Size spread_bits(Size v) {
#if defined(__BMI2__)
  return static_cast<Size>(_pdep_u64(static_cast<std::uint64_t>(v), 0x5555555555555555ULL));
#else
  return static_cast<Size>(spread_bits_by_shifts(static_cast<std::uint64_t>(v)));
#endif
}

[[nodiscard]] inline Size gather_bits(Size v) {
#if defined(__BMI2__)
  return static_cast<Size>(_pext_u64(static_cast<std::uint64_t>(v), 0x5555555555555555ULL));
#else
  return static_cast<Size>(gather_bits_by_shifts(static_cast<std::uint64_t>(v)));
#endif
}

/// NEST number of (x, y) within a face; x in the even bits.
[[nodiscard]] inline Size interleave(Size x, Size y) {
  return spread_bits(x) | (spread_bits(y) << 1);
}

}  // namespace tarn::healpix
