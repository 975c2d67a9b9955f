#include "tarn/core/rng.hpp"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace tarn {

namespace {

__extension__ using Wide = unsigned __int128;

/// FNV-1a followed by the finaliser of SplitMix64, so that short names differ in all bits.
std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

std::uint64_t hash(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return h;
}

}  // namespace

Rng Rng::split(std::string_view name) const {
  return Rng(seed_, mix(stream_ * 0x9E3779B97F4A7C15ULL + hash(name)));
}

Rng Rng::split(std::uint64_t number) const {
  return Rng(seed_, mix(stream_ * 0x9E3779B97F4A7C15ULL + mix(number + 0x632BE59BD9B4E019ULL)));
}

std::array<std::uint32_t, 4> Rng::block(std::uint64_t index) const {
  constexpr std::uint64_t m0 = 0xD2511F53, m1 = 0xCD9E8D57;
  constexpr std::uint32_t w0 = 0x9E3779B9, w1 = 0xBB67AE85;
  const auto low = [](std::uint64_t v) { return static_cast<std::uint32_t>(v); };
  const auto high = [](std::uint64_t v) { return static_cast<std::uint32_t>(v >> 32U); };
  std::array<std::uint32_t, 4> c{low(index), high(index), low(stream_), high(stream_)};
  std::uint32_t k0 = low(seed_), k1 = high(seed_);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = m0 * c[0], p1 = m1 * c[2];
    c = {high(p1) ^ c[1] ^ k0, low(p1), high(p0) ^ c[3] ^ k1, low(p0)};
    k0 += w0;
    k1 += w1;
  }
  return c;
}

std::uint64_t Rng::bits(std::uint64_t position) const {
  const auto b = block(position / 2);
  const std::size_t half = position % 2 * 2;
  return static_cast<std::uint64_t>(b[half + 1]) << 32U | b[half];
}

double Rng::uniform(std::uint64_t position) const {
  return static_cast<double>(bits(position) >> 11U) * 0x1p-53;
}

double Rng::normal(std::uint64_t position) const {
  const double u1 = (static_cast<double>(bits(2 * position) >> 11U) + 0.5) * 0x1p-53;
  const double u2 = uniform(2 * position + 1);
  return std::sqrt(-2 * std::log(u1)) * std::cos(2 * std::numbers::pi * u2);
}

Size Rng::below(Size n, std::uint64_t position) const {
  // The high half of a 128-bit product: bias below n / 2^64.
  return static_cast<Size>((static_cast<Wide>(bits(position)) * static_cast<std::uint64_t>(n)) >> 64U);
}

std::vector<Size> permutation(Size n, const Rng& rng) {
  std::vector<Size> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), Size{0});
  for (Size i = n - 1; i > 0; --i) {
    const Size j = rng.below(i + 1, static_cast<std::uint64_t>(n - 1 - i));
    std::swap(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(j)]);
  }
  return order;
}

}  // namespace tarn
