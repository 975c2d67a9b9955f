#pragma once

#include "tarn/core/view.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace tarn {

/// Random numbers by position: draw i of a stream is a function of (seed, stream, i) alone, so parallel loops
/// and restarts draw the same ones. Philox 4x32-10, Salmon et al. 2011, "Parallel Random Numbers: As Easy as
/// 1, 2, 3".
///
/// A value type without state: the caller counts. Streams are split by name or number and do not overlap in
/// practice (a stream is a 64-bit hash).
class Rng {
 public:
  explicit Rng(std::uint64_t seed = 0, std::uint64_t stream = 0) : seed_(seed), stream_(stream) {}

  /// An independent stream of the same seed.
  [[nodiscard]] Rng split(std::string_view name) const;
  [[nodiscard]] Rng split(std::uint64_t number) const;

  /// 64 uniform bits.
  [[nodiscard]] std::uint64_t bits(std::uint64_t position) const;
  /// Four words of one Philox block; `bits(2k)` and `bits(2k+1)` are its halves.
  [[nodiscard]] std::array<std::uint32_t, 4> block(std::uint64_t index) const;
  /// Uniform in [0, 1) with 53 bits.
  [[nodiscard]] double uniform(std::uint64_t position) const;
  /// Standard normal (Box-Muller on the two halves of block `position`).
  [[nodiscard]] double normal(std::uint64_t position) const;
  /// Uniform integer in [0, n), n >= 1, without bias that matters (n far below 2^64).
  [[nodiscard]] Size below(Size n, std::uint64_t position) const;

  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  [[nodiscard]] std::uint64_t stream() const { return stream_; }

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
};

/// A uniformly random order of 0 .. n-1 (Fisher-Yates on positions 0 .. n-2 of the stream).
[[nodiscard]] std::vector<Size> permutation(Size n, const Rng& rng);

}  // namespace tarn
