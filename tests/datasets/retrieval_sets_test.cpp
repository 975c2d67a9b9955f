#include "tarn/datasets/retrieval_sets.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>

using namespace tarn;
using Catch::Contains;

TEST_CASE("retrieval sets are a function of seed, split and number", "[datasets][retrieval]") {
  const RetrievalSetOptions options{.width = 8, .min_rows = 2, .max_rows = 5, .seed = 3};
  const RetrievalSets few = generate_retrieval_sets(options, 4, "train");
  const RetrievalSets many = generate_retrieval_sets(options, 9, "train");
  const RetrievalSets other = generate_retrieval_sets(options, 4, "evaluation");
  REQUIRE(few.sets.count() == 4);
  for (Size b = 0; b < 4; ++b) {
    CHECK(few.sets.size(b) == many.sets.size(b));
    CHECK(few.sets.size(b) >= 2);
    CHECK(few.sets.size(b) <= 5);
    for (Size j = 0; j < 8; ++j)
      CHECK(few.queries.matrix()(b, j) == Approx(many.queries.matrix()(b, j)).margin(1e-5));
  }
  CHECK(few.queries.matrix()(0, 0) != other.queries.matrix()(0, 0));
  CHECK_THROWS_WITH(generate_retrieval_sets({.min_rows = 5, .max_rows = 4}, 2, "train"),
                    Contains("retrieval.max_rows: got 4; expected at least min_rows, 5"));
  CHECK_THROWS_WITH(generate_retrieval_sets({.width = 1}, 2, "train"), Contains("width: got 1"));
}

TEST_CASE("without noise and style a query is one of its set's rows", "[datasets][retrieval]") {
  const RetrievalSets sets = generate_retrieval_sets({.width = 8, .noise = 0, .style = 0}, 6, "train");
  for (Size b = 0; b < 6; ++b) {
    double nearest = INFINITY;
    for (Size i = sets.sets.rows(b).begin; i < sets.sets.rows(b).end; ++i) {
      double distance = 0;
      for (Size j = 0; j < 8; ++j)
        distance = std::max(
            distance, std::abs(static_cast<double>(sets.rows.matrix()(i, j) - sets.queries.matrix()(b, j))));
      nearest = std::min(nearest, distance);
    }
    CHECK(nearest < 1e-5);
  }
}
