#include "tarn/core/ops/dropout_factors.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <vector>

using namespace tarn;

TEST_CASE("dropout factors compare the stream's uniform numbers with p", "[core][dropout]") {
  const Rng rng = Rng(3).split("dropout");
  for (const double p : {0.0, 0.1, 0.5, 0.999}) {
    const DropoutFactors factors(rng, p);
    const Real kept = static_cast<Real>(1 / (1 - p));
    for (Size i = 0; i < 200; ++i) {
      CHECK(factors(i) == (rng.uniform(static_cast<std::uint64_t>(i)) < p ? Real{0} : kept));
    }
  }
}

TEST_CASE("a run of dropout factors holds the numbers of its positions", "[core][dropout]") {
  const DropoutFactors factors(Rng(8).split("run"), 0.4);
  for (const Size first : {Size{0}, Size{1}, Size{15}, Size{16}, (Size{1} << 33) - 5}) {
    for (const std::size_t count : {0, 1, 2, 15, 16, 17, 63}) {
      std::vector<Real> run(count, Real(-1));
      factors.write(first, run);
      for (std::size_t i = 0; i < count; ++i) CHECK(run[i] == factors(first + static_cast<Size>(i)));
    }
  }
}

TEST_CASE("a share p of many dropout factors is 0", "[core][dropout]") {
  std::vector<Real> run(100000);
  DropoutFactors(Rng(1), 0.3).write(0, run);
  Size zeros = 0;
  for (const Real f : run) zeros += f == 0 ? 1 : 0;
  CHECK(std::abs(static_cast<double>(zeros) / 100000 - 0.3) < 0.01);
}
