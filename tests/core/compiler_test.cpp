#include "tarn/core/real.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <vector>

using namespace tarn;

namespace {

/// How many of the numbers are not zero, counted through memory that the compiler cannot see into.
template <class T>
[[gnu::noinline]] Size count_set(const std::vector<T>& numbers) {
  return static_cast<Size>(numbers.size()) - std::count(numbers.begin(), numbers.end(), T{0});
}

}  // namespace

TEST_CASE("constants that end in zeros are copied as they are written", "[core]") {
  CHECK(count_set<Size>({1, 1, 0, 0}) == 2);
  CHECK(count_set<Size>({1, 1, 1, 1, 0, 0, 0, 0}) == 4);
  CHECK(count_set<NodeId>({1, 1, 1, 1, 0, 0, 0, 0}) == 4);
  CHECK(count_set<double>({1, 1, 1, 1, 0, 0, 0, 0}) == 4);
  CHECK(count_set<float>({1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}) == 8);
}
