#include "tarn/graph/builders/token_graph.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/h5.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/core/rng.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace tarn;
using Catch::Matchers::Message;

namespace {

using Pair = std::pair<NodeId, NodeId>;

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

struct Tokens {
  Size dim;
  std::vector<Real> values;
  Segments sets;
  [[nodiscard]] ConstMatrixView x() const {
    return {values.data(), static_cast<Size>(values.size()) / dim, dim};
  }
};

/// Random states with a common direction; every 7th row is zero and every 5th repeats the row before it.
Tokens random_tokens(std::vector<Size> offsets, Size dim, std::uint64_t seed) {
  Tokens tokens{dim, {}, Segments(std::move(offsets))};
  const Rng rng(seed);
  for (Size i = 0; i < tokens.sets.num_rows(); ++i)
    for (Size k = 0; k < dim; ++k) {
      const auto at = static_cast<std::uint64_t>(i * dim + k);
      Real value = static_cast<Real>(rng.normal(at) + 0.5);
      if (i % 7 == 6) value = 0;
      if (i % 5 == 4 && i % 7 != 0) value = tokens.values[idx((i - 1) * dim + k)];
      tokens.values.push_back(value);
    }
  return tokens;
}

double cosine(ConstMatrixView x, Size i, Size j) {
  double product = 0, a = 0, b = 0;
  for (Size k = 0; k < x.cols; ++k) {
    product += static_cast<double>(x(i, k)) * static_cast<double>(x(j, k));
    a += std::pow(static_cast<double>(x(i, k)), 2);
    b += std::pow(static_cast<double>(x(j, k)), 2);
  }
  if (i == j && std::sqrt(a) > 1e-8) return 1;
  return std::clamp(product / (std::max(std::sqrt(a), 1e-8) * std::max(std::sqrt(b), 1e-8)), -1.0, 1.0);
}

/// The `limit` best of the rows that `accept` allows, by cosine, then index.
template <class Accept>
std::vector<bool> best(ConstMatrixView x, Rows rows, Size i, Size limit, Accept accept) {
  std::vector<std::pair<double, Size>> order;
  for (Size j = rows.begin; j < rows.end; ++j) {
    // Equal rows are ties; single precision keeps the reference from telling them apart by rounding.
    const double c = static_cast<float>(cosine(x, i, j));
    if (accept(j)) order.emplace_back(-c, j);
  }
  std::sort(order.begin(), order.end());
  order.resize(std::min(order.size(), idx(limit)));
  std::vector<bool> chosen(idx(rows.size()));
  for (const auto& entry : order) chosen[idx(entry.second - rows.begin)] = true;
  return chosen;
}

/// The specification as loops over all pairs of a set.
std::vector<Pair> plain_edges(const Tokens& tokens, const TokenGraphOptions& o) {
  const ConstMatrixView x = tokens.x();
  std::vector<Pair> edges;
  for (Size set = 0; set < tokens.sets.count(); ++set) {
    const Rows rows = tokens.sets.rows(set);
    std::vector<std::vector<bool>> chosen(idx(rows.size()));
    for (Size i = rows.begin; i < rows.end; ++i) {
      const auto above = [&](Size j) { return cosine(x, i, j) > o.tau; };
      if (o.graph == TokenRule::cosine_knn)
        chosen[idx(i - rows.begin)] = best(x, rows, i, o.k, [i](Size j) { return j != i; });
      else
        chosen[idx(i - rows.begin)] = best(x, rows, i, o.max_degree > 0 ? o.max_degree : rows.size(), above);
    }
    for (Size i = rows.begin; i < rows.end; ++i)
      for (Size j = rows.begin; j < rows.end; ++j) {
        const bool to = chosen[idx(i - rows.begin)][idx(j - rows.begin)];
        const bool back = chosen[idx(j - rows.begin)][idx(i - rows.begin)];
        bool edge = to || back;
        if (o.graph == TokenRule::cosine_knn)
          edge = (o.mutual ? to && back : to || back) || (i == j && o.self_loops);
        if (o.graph == TokenRule::fully_connected) edge = true;
        if (o.graph == TokenRule::window) edge = std::abs(i - j) <= o.window;
        if (o.graph == TokenRule::none) edge = false;
        if (i == j && !o.self_loops) edge = false;
        if (edge) edges.emplace_back(static_cast<NodeId>(i), static_cast<NodeId>(j));
      }
  }
  return edges;
}

/// (target, source) of all edges in canonical order, which is (source, target) for symmetric graphs.
std::vector<Pair> pairs(const Graph& graph) {
  const auto targets = graph.targets();
  std::vector<Pair> result;
  for (std::size_t e = 0; e < targets.size(); ++e) result.emplace_back(targets[e], graph.sources()[e]);
  return result;
}

std::vector<Pair> built_edges(const Tokens& tokens, const TokenGraphOptions& options) {
  return pairs(token_graph(tokens.x(), tokens.sets, options).graph);
}

std::vector<TokenGraphOptions> many_options() {
  std::vector<TokenGraphOptions> all;
  for (const double tau : {-1.5, -0.2, 0.0, 0.3, 0.6, 0.9999999, 1.0}) all.push_back({.tau = tau});
  for (const Size k : {1, 3, 8, 1000}) {
    all.push_back({.graph = TokenRule::cosine_knn, .k = k});
    all.push_back({.graph = TokenRule::cosine_knn, .k = k, .mutual = true});
  }
  for (const Size window : {0, 2, 1000}) all.push_back({.graph = TokenRule::window, .window = window});
  for (const Size degree : {1, 4, 1000}) all.push_back({.tau = 0.1, .max_degree = degree});
  all.push_back({.tau = -2, .max_degree = 3});
  all.push_back({.graph = TokenRule::fully_connected});
  all.push_back({.graph = TokenRule::none});
  const std::size_t count = all.size();
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(all[i]);
    all.back().self_loops = false;
  }
  return all;
}

std::string described(const TokenGraphOptions& options) {
  return write_options(options).text();
}

}  // namespace

TEST_CASE("token graphs are those of the plain loops", "[graph][token-graph]") {
  // Set sizes around the block and tile sizes, empty sets and sets of one token.
  const Tokens tokens = random_tokens({0, 0, 1, 6, 6, 38, 101, 165, 295, 295}, 13, 4);
  for (const auto& options : many_options()) {
    INFO(described(options));
    const Graph graph = token_graph(tokens.x(), tokens.sets, options).graph;
    CHECK(graph.num_nodes() == 295);
    CHECK((pairs(graph) == plain_edges(tokens, options)));
    CHECK_NOTHROW(require_edges_inside("test", graph, tokens.sets));
  }
}

TEST_CASE("the golden token graphs are met", "[graph][token-graph][golden]") {
  using Rule = TokenRule;
  const std::vector<std::pair<std::string, TokenGraphOptions>> cases{
      {"graph-cosine-knn-3-False", {.graph = Rule::cosine_knn, .k = 3}},
      {"graph-cosine-knn-3-True", {.graph = Rule::cosine_knn, .k = 3, .mutual = true}},
      {"graph-cosine-knn-50-False-False", {.graph = Rule::cosine_knn, .k = 50, .self_loops = false}},
      {"graph-cosine-threshold-0.0", {.tau = 0}},
      {"graph-cosine-threshold-0.3", {.tau = 0.3}},
      {"graph-cosine-threshold-0.3-False", {.tau = 0.3, .self_loops = false}},
      {"graph-fully-connected", {.graph = Rule::fully_connected}},
      {"graph-window-1-False", {.graph = Rule::window, .window = 1, .self_loops = false}},
      {"graph-window-2", {.graph = Rule::window, .window = 2}}};
  const auto file = h5::File::open(TARN_TESTS_DIR "/golden/glot.h5");
  for (const auto& [name, options] : cases) {
    INFO(name);
    const auto group = file.group(name);
    const auto inputs = group.group("inputs");
    const auto outputs = group.group("outputs");
    const Tokens tokens{inputs.dataset("x").shape()[1], inputs.dataset("x").read<Real>(),
                        Segments(inputs.dataset("offsets").read<Size>())};
    const auto edges = outputs.dataset("edges").read<Size>();
    const auto cosines = outputs.dataset("cosine").read<double>();
    const TokenGraph built = token_graph(tokens.x(), tokens.sets, options, KeepCosines::always);
    const auto got = pairs(built.graph);
    REQUIRE(got.size() == cosines.size());
    for (std::size_t e = 0; e < got.size(); ++e) {
      CHECK(got[e].first == edges[e]);
      CHECK(got[e].second == edges[cosines.size() + e]);
      CHECK(static_cast<double>(built.cosine[e]) == Approx(cosines[e]).margin(2e-5));
    }
  }
}

TEST_CASE("long sets give the same graph as plain loops, by row blocks", "[graph][token-graph]") {
  const Tokens tokens = random_tokens({0, 3, 1153, 1160}, 5, 5);
  for (const TokenGraphOptions& options :
       {TokenGraphOptions{.tau = 0.9}, TokenGraphOptions{.graph = TokenRule::cosine_knn, .k = 4},
        TokenGraphOptions{.graph = TokenRule::window}}) {
    INFO(described(options));
    CHECK((built_edges(tokens, options) == plain_edges(tokens, options)));
  }
}

TEST_CASE("token graphs do not depend on the number of threads", "[graph][token-graph]") {
  const Tokens tokens = random_tokens({0, 40, 1300, 1310, 1500}, 24, 6);
  for (TokenGraphOptions options :
       {TokenGraphOptions{.tau = 0.5}, TokenGraphOptions{.graph = TokenRule::cosine_knn},
        TokenGraphOptions{.tau = 0.2, .max_degree = 5}}) {
    options.edge_attr = TokenEdgeAttr::cosine;
    const auto build = [&](int threads) {
      const Threads limit(threads);
      return token_graph(tokens.x(), tokens.sets, options);
    };
    const TokenGraph one = build(1);
    for (const int threads : {2, 4}) {
      const TokenGraph many = build(threads);
      CHECK(pairs(many.graph) == pairs(one.graph));
      CHECK(many.cosine == one.cosine);
    }
  }
}

TEST_CASE("a pair near the threshold is decided in double", "[graph][token-graph]") {
  // Directions whose cosine with the first row is tau plus or minus less than float can tell.
  constexpr double tau = 0.6;
  Tokens tokens{2, {1, 0}, Segments({0, 41})};
  for (int step = -20; step < 20; ++step) {
    const double c = tau + step * 4e-9;
    tokens.values.push_back(static_cast<Real>(c));
    tokens.values.push_back(static_cast<Real>(std::sqrt(1 - c * c)));
  }
  CHECK(built_edges(tokens, {.tau = tau}) == plain_edges(tokens, {.tau = tau}));
}

TEST_CASE("zero tokens have no edges above zero and all edges below", "[graph][token-graph]") {
  const Tokens tokens{2, {0, 0, 1, 2, 0, 0}, Segments({0, 3})};
  CHECK(built_edges(tokens, {.tau = 0}) == std::vector<Pair>{{1, 1}});
  CHECK(built_edges(tokens, {.tau = -0.5}).size() == 9);
}

TEST_CASE("equal tokens keep their loops below one and lose all edges at one", "[graph][token-graph]") {
  const Tokens tokens{3, {0.1f, 0.2f, 0.3f, 0.1f, 0.2f, 0.3f}, Segments({0, 2})};
  const auto below = built_edges(tokens, {.tau = 0.9999999});
  CHECK(std::count(below.begin(), below.end(), Pair{0, 0}) == 1);
  CHECK(std::count(below.begin(), below.end(), Pair{1, 1}) == 1);
  CHECK(built_edges(tokens, {.tau = 1}).empty());
  CHECK(built_edges(tokens, {.tau = -1.01}).size() == 4);
}

TEST_CASE("neighbours of equal cosine are taken by the lower index", "[graph][token-graph]") {
  // 150 copies of one row: every cosine ties, whatever tile it lies in.
  Tokens tokens{3, {}, Segments({0, 150})};
  for (int i = 0; i < 150; ++i) tokens.values.insert(tokens.values.end(), {Real(0.1), Real(0.7), Real(-0.3)});
  const TokenGraphOptions options{.graph = TokenRule::cosine_knn, .k = 2, .self_loops = false};
  std::vector<Pair> expected;
  for (NodeId i = 0; i < 150; ++i)
    for (NodeId j = 0; j < 150; ++j)
      if (i != j && (i < 2 || j < 2 || i + j == 2)) expected.emplace_back(i, j);
  CHECK(built_edges(tokens, options) == expected);
}

TEST_CASE("cosines of edges stand in canonical order", "[graph][token-graph]") {
  const Tokens tokens = random_tokens({0, 30, 30, 75}, 9, 7);
  CHECK(token_graph(tokens.x(), tokens.sets, {}).cosine.empty());
  const TokenGraph built = token_graph(tokens.x(), tokens.sets, {.edge_attr = TokenEdgeAttr::cosine});
  const auto edges = pairs(built.graph);
  REQUIRE(built.cosine.size() == edges.size());
  for (std::size_t e = 0; e < edges.size(); ++e)
    CHECK(static_cast<double>(built.cosine[e]) ==
          Approx(cosine(tokens.x(), edges[e].first, edges[e].second)).margin(1e-6));
}

TEST_CASE("graphs of single sets count their nodes from zero", "[graph][token-graph]") {
  const Tokens tokens = random_tokens({0, 20, 20, 55}, 6, 8);
  const std::vector<Size> which{2, 1};
  const auto graphs = token_graph_each(tokens.x(), tokens.sets, which, {.edge_attr = TokenEdgeAttr::cosine});
  const TokenGraph alone =
      token_graph(tokens.x().row_block(20, 55), Segments({0, 35}), {.edge_attr = TokenEdgeAttr::cosine});
  REQUIRE(graphs.size() == 2);
  CHECK(pairs(graphs[0].graph) == pairs(alone.graph));
  CHECK(graphs[0].cosine == alone.cosine);
  CHECK(graphs[1].graph.num_nodes() == 0);
}

TEST_CASE("token graphs name what is wrong with their input", "[graph][token-graph]") {
  Tokens tokens = random_tokens({0, 20, 20, 55}, 6, 9);
  CHECK_THROWS_MATCHES(
      token_graph(tokens.x(), Segments({0, 20, 54}), {}), ShapeError,
      Message("token-graph: x has 55 rows but sets cover 54; expected offsets to end at 55"));
  CHECK_THROWS_MATCHES(token_graph(tokens.x(), tokens.sets, {.k = 0}), ValueError,
                       Message("token-graph.k: got 0; expected a whole number of at least 1"));
  CHECK_THROWS_MATCHES(token_graph(tokens.x(), tokens.sets, {.window = -1}), ValueError,
                       Message("token-graph.window: got -1; expected a whole number of at least 0"));
  CHECK_THROWS_AS(token_graph(tokens.x(), tokens.sets, {.tau = std::numeric_limits<double>::infinity()}),
                  ValueError);
  tokens.values[idx(31 * 6 + 2)] = std::numeric_limits<Real>::quiet_NaN();
  tokens.values[idx(40 * 6)] = std::numeric_limits<Real>::infinity();
  for (const TokenRule rule : {TokenRule::cosine_threshold, TokenRule::cosine_knn, TokenRule::window})
    CHECK_THROWS_MATCHES(
        token_graph(tokens.x(), tokens.sets, {.graph = rule}, KeepCosines::if_edge_attr, "glot"), ValueError,
        Message("glot: row 31 of x, token 11 of set 2, holds a NaN or an infinity; expected finite numbers"));
  tokens = random_tokens({0, 1100}, 3, 9);
  tokens.values[idx(3 * 1090)] = std::numeric_limits<Real>::quiet_NaN();
  CHECK_THROWS_AS(token_graph(tokens.x(), tokens.sets, {}), ValueError);
}
