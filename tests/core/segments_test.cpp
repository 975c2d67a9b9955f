#include "tarn/core/segments.hpp"

#include "tarn/core/errors.hpp"

#include <catch2/catch.hpp>

using namespace tarn;

TEST_CASE("a pool of segments uses offsets again once nobody holds them", "[core][segments]") {
  SegmentsPool pool;
  const std::vector<Size> sizes{3, 0, 2};
  const Size* first = nullptr;
  {
    const Segments held = pool.make(sizes);
    CHECK(std::vector<Size>(held.offsets().begin(), held.offsets().end()) == std::vector<Size>{0, 3, 3, 5});
    const Segments other = pool.make(std::vector<Size>{1});
    CHECK(other.offsets().data() != held.offsets().data());
    CHECK(held.num_rows() == 5);
    first = held.offsets().data();
  }
  CHECK(pool.make(std::vector<Size>{4, 4}).offsets().data() == first);
  CHECK(pool.make({}).count() == 0);
}

TEST_CASE("a pool refuses sets of fewer than no rows", "[core][segments][errors]") {
  SegmentsPool pool;
  CHECK_THROWS_WITH(pool.make(std::vector<Size>{1, -2}), "segments: a set of -2 rows; expected at least 0");
}
