#include "tarn/core/rng.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <set>

using namespace tarn;

TEST_CASE("Philox 4x32-10 gives the published known answers", "[core][rng]") {
  // Random123's kat_vectors: zero counter and key; all ones counter and key.
  CHECK(Rng(0, 0).block(0) == std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const std::uint64_t ones = ~0ULL;
  CHECK(Rng(ones, ones).block(ones) ==
        std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
}

TEST_CASE("draws have the moments of their distributions", "[core][rng]") {
  const Rng rng = Rng(3).split("moments");
  constexpr int n = 100000;
  double sum = 0, squares = 0, uniform = 0;
  for (int i = 0; i < n; ++i) {
    const double z = rng.normal(static_cast<std::uint64_t>(i));
    sum += z;
    squares += z * z;
    uniform += rng.uniform(static_cast<std::uint64_t>(i));
  }
  CHECK(std::abs(sum / n) < 4 / std::sqrt(double{n}));
  CHECK(std::abs(squares / n - 1) < 4 * std::sqrt(2.0 / n));
  CHECK(std::abs(uniform / n - 0.5) < 4 * std::sqrt(1.0 / 12 / n));
}

TEST_CASE("streams split by name or number differ and repeat", "[core][rng]") {
  const Rng rng(1);
  std::set<std::uint64_t> seen;
  for (const char* name : {"init", "order", "dropout"}) seen.insert(rng.split(name).bits(0));
  for (std::uint64_t number : {0, 1, 2}) seen.insert(rng.split(number).bits(0));
  CHECK(seen.size() == 6);
  CHECK(rng.split("init").bits(5) == Rng(1).split("init").bits(5));
}

TEST_CASE("a permutation holds every index once", "[core][rng]") {
  auto order = permutation(1000, Rng(2));
  CHECK(!std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  for (Size i = 0; i < 1000; ++i) REQUIRE(order[static_cast<std::size_t>(i)] == i);
}
