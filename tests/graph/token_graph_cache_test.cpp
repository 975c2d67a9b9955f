#include "tarn/graph/builders/token_graph_cache.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/rng.hpp"

#include <catch2/catch.hpp>

using namespace tarn;
using Catch::Matchers::Message;

namespace {

constexpr Size dim = 8;

/// States of text t: 3 t + 1 tokens that depend on t alone.
void append_text(std::vector<Real>& x, Size text) {
  const Rng rng(11, static_cast<std::uint64_t>(text));
  for (Size v = 0; v < (3 * text + 1) * dim; ++v)
    x.push_back(static_cast<Real>(rng.normal(static_cast<std::uint64_t>(v)) + 0.4));
}

struct Batch {
  std::vector<Size> texts;
  std::vector<Real> values;
  std::vector<Size> offsets{0};

  explicit Batch(std::vector<Size> ids) : texts(std::move(ids)) {
    for (const Size text : texts) {
      append_text(values, text);
      offsets.push_back(static_cast<Size>(values.size()) / dim);
    }
  }
  [[nodiscard]] ConstMatrixView x() const { return {values.data(), offsets.back(), dim}; }
};

void check_batch(TokenGraphCache& cache, const Batch& batch, const TokenGraphOptions& options) {
  const Segments sets(batch.offsets);
  const TokenGraph direct = token_graph(batch.x(), sets, options);
  const TokenGraph& cached = cache.batch(batch.texts, batch.x(), sets);
  CHECK(std::ranges::equal(cached.graph.incoming().offsets, direct.graph.incoming().offsets));
  CHECK(std::ranges::equal(cached.graph.sources(), direct.graph.sources()));
  CHECK(std::ranges::equal(cached.graph.outgoing().edges, direct.graph.outgoing().edges));
  CHECK(cached.cosine == direct.cosine);
}

}  // namespace

TEST_CASE("a cached batch is the batch built anew, whatever the budget", "[graph][token-graph]") {
  const TokenGraphOptions options{.tau = 0.2, .edge_attr = TokenEdgeAttr::cosine};
  for (const Size budget : {0, 512}) {
    TokenGraphCache cache(options, budget);
    for (const auto& texts : std::vector<std::vector<Size>>{{4, 0, 9}, {9, 7}, {0, 9, 4, 4}, {3, 3}, {}})
      check_batch(cache, Batch(texts), options);
    CHECK(cache.num_kept() == (budget == 0 ? 0 : 5));
    CHECK((cache.kept_bytes() > 0) == (budget > 0));
  }
}

TEST_CASE("a kept graph is not built again", "[graph][token-graph]") {
  TokenGraphCache cache({.tau = 0.2});
  const Batch batch({5, 2});
  const Segments sets(batch.offsets);
  const Size edges = cache.batch(batch.texts, batch.x(), sets).graph.num_edges();
  // Other states under the same ids: only a rebuild would see them.
  const std::vector<Real> zeros(batch.values.size());
  CHECK(
      cache.batch(batch.texts, ConstMatrixView(zeros.data(), sets.num_rows(), dim), sets).graph.num_edges() ==
      edges);
}

TEST_CASE("a graph taken from the cache outlives the next batch", "[graph][token-graph]") {
  const TokenGraphOptions options{.tau = 0.2};
  TokenGraphCache cache(options);
  const Batch first({6, 1});
  const Batch second({8, 2});
  const Graph kept = cache.batch(first.texts, first.x(), Segments(first.offsets)).graph;
  const std::vector<NodeId> before(kept.sources().begin(), kept.sources().end());
  check_batch(cache, second, options);
  CHECK(std::ranges::equal(kept.sources(), before));
}

TEST_CASE("the cache names what does not fit", "[graph][token-graph]") {
  CHECK_THROWS_MATCHES(TokenGraphCache({}, -1), ValueError,
                       Message("graph_cache_mb: got -1; expected a whole number of at least 0"));
  CHECK_THROWS_AS(TokenGraphCache({.k = 0}), ValueError);
  TokenGraphCache cache({});
  const Batch batch({1, 2});
  const std::vector<Size> one{1}, swapped{2, 1};
  CHECK_THROWS_MATCHES(cache.batch(one, batch.x(), Segments(batch.offsets)), ShapeError,
                       Message("token-graph: 1 texts for 2 sets; expected one per set"));
  static_cast<void>(cache.batch(batch.texts, batch.x(), Segments(batch.offsets)));
  CHECK_THROWS_MATCHES(cache.batch(swapped, batch.x(), Segments(batch.offsets)), ShapeError,
                       Message("token-graph: text 2 has 4 tokens; expected 7 as when its graph was built"));
}
