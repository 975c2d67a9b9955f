#include "tarn/core/ops/dropout_factors.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace tarn {

namespace {

constexpr std::size_t lanes = 8;
using Words = std::array<std::uint64_t, lanes>;  // 32 bits in each

/// The draws at 2 * block, 2 * block + 1, ... of a stream: `Rng::block` for neighbouring blocks side by side.
void draw(const Rng& rng, std::uint64_t block, std::array<std::uint64_t, 2 * lanes>& into) {
  constexpr std::uint64_t m0 = 0xD2511F53, m1 = 0xCD9E8D57, low = 0xFFFFFFFF;
  Words c0, c1, c2, c3;
  for (std::size_t i = 0; i < lanes; ++i) {
    c0[i] = (block + i) & low;
    c1[i] = (block + i) >> 32U;
    c2[i] = rng.stream() & low;
    c3[i] = rng.stream() >> 32U;
  }
  std::uint64_t k0 = rng.seed() & low, k1 = rng.seed() >> 32U;
  for (int round = 0; round < 10; ++round) {
    for (std::size_t i = 0; i < lanes; ++i) {
      const std::uint64_t p0 = m0 * c0[i], p1 = m1 * c2[i];
      c0[i] = (p1 >> 32U) ^ c1[i] ^ k0;
      c1[i] = p1 & low;
      c2[i] = (p0 >> 32U) ^ c3[i] ^ k1;
      c3[i] = p0 & low;
    }
    k0 = (k0 + 0x9E3779B9) & low;
    k1 = (k1 + 0xBB67AE85) & low;
  }
  for (std::size_t i = 0; i < lanes; ++i) {
    into[2 * i] = c1[i] << 32U | c0[i];
    into[2 * i + 1] = c3[i] << 32U | c2[i];
  }
}

}  // namespace

inline namespace TARN_PRECISION {

// uniform < p for a number of 53 bits below 2^53 p.
DropoutFactors::DropoutFactors(const Rng& rng, double p)
    : rng_(rng),
      dropped_below_(static_cast<std::uint64_t>(std::ceil(p * 0x1p53))),
      kept_(static_cast<Real>(1 / (1 - p))) {}

void DropoutFactors::write(Size first, std::span<Real> into) const {
  std::array<std::uint64_t, 2 * lanes> draws;
  auto position = static_cast<std::uint64_t>(first);
  for (std::size_t done = 0; done < into.size();) {
    draw(rng_, position / 2, draws);
    const std::size_t skipped = position % 2;
    const std::size_t count = std::min(draws.size() - skipped, into.size() - done);
    for (std::size_t i = 0; i < count; ++i) {
      into[done + i] = (draws[skipped + i] >> 11U) < dropped_below_ ? Real{0} : kept_;
    }
    done += count;
    position += count;
  }
}

}  // namespace TARN_PRECISION
}  // namespace tarn
