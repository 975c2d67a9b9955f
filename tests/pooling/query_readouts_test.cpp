#include "tarn/core/ops/elementwise.hpp"
#include "tarn/pooling/layer_readouts/layer_readout.hpp"
#include "tarn/pooling/query_readouts/query_readout.hpp"
#include "tarn/pooling/readouts/super_global_rerank.hpp"

#include "pooling/readout_fixture.hpp"

#include <cmath>
#include <numeric>

using namespace tarn;
using namespace tarn::test;

namespace {

std::unique_ptr<QueryReadout> query_readout(const char* name, Size dim, const Value& o) {
  auto made = make_query_readout(name, dim, o);
  made->init(Rng(1));
  return made;
}

/// What it gives, and the gradients of x, of the queries and of the parameters from cotangents of normal
/// numbers.
std::vector<Real> run_queries(QueryReadout& r, const Tensor& x, const Tensor& queries, const Segments& sets,
                              Pass pass = {}) {
  return run_module(r, std::array{&x, &queries}, pass.training,
                    [&](Tape&, std::span<const Var> in) {
                      return r.forward({.x = in[0], .sets = sets, .queries = in[1]});
                    })
      .y;
}

}  // namespace

TEST_CASE("similarity_only gives the cosines of query and result", "[pooling][query-readout]") {
  // More queries than a tile of 64 has, and enough pairs for several tiles of sets.
  constexpr Size queries = 70, width = 6;
  std::vector<Size> offsets{0};
  for (Size b = 0; b < 90; ++b) offsets.push_back(offsets.back() + b % 4);
  const Segments sets(offsets);
  const Tensor x = random_tensor({sets.num_rows(), width}, Rng(2)),
               q = random_tensor({queries, width}, Rng(3));
  const auto whole = query_readout("x-pool", width, options({{"heads", 2}}));
  const auto tiled = query_readout("x-pool", width, options({{"heads", 2}, {"similarity_only", true}}));
  copy_state(*whole, *tiled);
  CHECK(tiled->gives_scores());
  Tape tape;
  tape.reset();
  const auto unit = [](Var v) { return normalize_rows(v, 1e-12, NormGuard::maximum); };
  const Var x_in = tape.input(x, NeedsGrad::yes), q_in = tape.input(q, NeedsGrad::yes);
  const Var y = whole->forward({.x = x_in, .sets = sets, .queries = q_in});  // [Q, B, C]
  const Size count = sets.count();
  const Var rows = unit(reshape(y, {queries * count, width}));
  std::vector<Real> expected;
  for (Size i = 0; i < queries * count; ++i) {
    double along = 0, norm = 0;
    for (Size j = 0; j < width; ++j) {
      const auto v = static_cast<double>(q.matrix()(i / count, j));
      along += v * static_cast<double>(rows.value()(i, j));
      norm += v * v;
    }
    expected.push_back(static_cast<Real>(along / std::sqrt(norm)));
  }
  check_close(run_queries(*tiled, x, q, sets), expected);

  // Two queries at a time take the way without keys, values and tiles.
  const auto all = numbers(y.value());
  for (Size first = 0; first < queries; first += 2) {
    Tensor pair({2, width});
    std::copy_n(q.matrix().row(first), 2 * width, pair.data());
    const auto start = all.begin() + first * count * width;
    check_close(run_queries(*whole, x, pair, sets), std::vector<Real>(start, start + 2 * count * width));
  }
}

#if TARN_DOUBLE
TEST_CASE("gradients of pairs in tiles agree with central differences",
          "[pooling][query-readout][gradients]") {
  Tensor x = random_tensor({12, 6}, Rng(2)), q = random_tensor({5, 6}, Rng(3));
  for (const bool similarity_only : {true, false}) {
    const auto r = query_readout("x-pool", 6, options({{"heads", 2}, {"similarity_only", similarity_only}}));
    // Maps without bias would leave an empty set's result at zero, where its direction is not defined.
    for (Parameter* p : r->parameters()) p->value = random_tensor(p->value.shape(), Rng(14));
    for (const bool training : {false, true}) {
      check_gradients(*r, std::array{&x, &q}, training, [&](Tape&, std::span<const Var> in) {
        return r->forward({.x = in[0], .sets = sample_sets, .queries = in[1]});
      });
    }
  }
}
#endif

TEST_CASE("query-topk takes the mean of what a set has", "[pooling][query-readout]") {
  const Tensor x = tensor({4, 2}, {1, 0, 0, 1, 1, 0, 3, 3}), q = tensor({1, 2}, {1, 0});
  const Segments sets({0, 3, 4, 4});
  const auto mean = query_readout("query-topk", 2, options({{"k", 2}, {"reduce", "mean"}}));
  CHECK(run_queries(*mean, x, q, sets) == std::vector<Real>{1, 0, 3, 3, 0, 0});
  const auto sum = query_readout("query-topk", 2, options({{"k", 2}}));
  CHECK(run_queries(*sum, x, q, sets) == std::vector<Real>{2, 0, 3, 3, 0, 0});
}

TEST_CASE("the maps of x-pool start as identities", "[pooling][query-readout]") {
  const auto r = make_query_readout("x-pool", 3);
  r->init(Rng(1));
  std::size_t maps = 0;
  for (const auto& [name, one] : r->state()) {
    if (name.find("_proj") == std::string::npos) continue;
    INFO(name);
    const bool bias = name.ends_with("bias");
    CHECK(numbers(one->value.matrix()) ==
          (bias ? std::vector<Real>(3, 0) : std::vector<Real>{1, 0, 0, 0, 1, 0, 0, 0, 1}));
    ++maps;
  }
  CHECK(maps == 10);
}

TEST_CASE("x-pool drops in training alone", "[pooling][query-readout]") {
  const Tensor x = random_tensor({12, 6}, Rng(2)), q = random_tensor({5, 6}, Rng(3));
  const auto r = query_readout("x-pool", 6, {});
  CHECK(run_queries(*r, x, q, sample_sets) == run_queries(*r, x, q, sample_sets));
  CHECK(run_queries(*r, x, q, sample_sets, {.training = true}) != run_queries(*r, x, q, sample_sets));
}

TEST_CASE("query readouts say what does not fit", "[pooling][query-readout][errors]") {
  const Tensor x({12, 6}), q({5, 4});
  const auto r = query_readout("query-softmax", 6, {});
  Tape tape;
  tape.reset();
  CHECK_THROWS_WITH(r->forward({.x = tape.input(x), .sets = sample_sets, .queries = tape.input(q)}),
                    "query-softmax: queries are [5, 4]; expected [Q, 6]");
  CHECK_THROWS_WITH(make_query_readout("query-topk", 6),
                    "query-topk.k: not given; expected a whole number of at least 1");
  CHECK_THROWS_WITH(make_query_readout("query-softmax", 6, options({{"temperature", 0.0}})),
                    "query-softmax.temperature: got 0.0; expected a number above 0");
  CHECK_THROWS_WITH(make_query_readout("x-pool", 6, options({{"heads", 4}})),
                    "x-pool.heads: got 4 for width 6; expected a number that divides the width");
  CHECK_THROWS_WITH(make_query_readout("x-pol", 6),
                    "unknown query readout 'x-pol'; did you mean 'x-pool'? (known: "
                    "x-pool, query-softmax, query-topk)");
}

TEST_CASE("layer-attention takes summaries in place of rows", "[pooling][layer-readout]") {
  constexpr Size layers = 3, width = 4;
  const auto r = make_layer_readout("layer-attention", layers, width,
                                    options({{"num_latents", 2}, {"heads", 2}, {"summary", "last"}}));
  r->init(Rng(1));
  const Tensor x = random_tensor({12, layers, width}, Rng(2));
  Tensor summaries({4, layers, width});
  for (const Size b : {Size{0}, Size{1}, Size{3}}) {
    const Size row = sample_sets.rows(b).end - 1;
    std::copy_n(x.data() + row * layers * width, layers * width, summaries.data() + b * layers * width);
  }
  Tape tape;
  tape.reset();
  const auto of_rows = numbers(r->forward({.x = tape.input(x), .sets = sample_sets}).y.value());
  const auto of_summaries = numbers(r->forward({.layers = tape.input(summaries)}).y.value());
  check_close(of_summaries, of_rows);
}

TEST_CASE("postnorm of surface-fusion normalises what both predictions agree on",
          "[pooling][layer-readout]") {
  constexpr Size layers = 2, width = 4, classes = 3;
  const auto make = [&](const char* mode) {
    auto r = make_layer_readout("surface-fusion", layers, width,
                                options({{"classes", classes}, {"mode", mode}, {"tau", 0.5}}));
    r->init(Rng(1));
    return r;
  };
  const auto r = make("postnorm"), hard = make("hard");
  const Tensor x = random_tensor({12, layers, width}, Rng(2)), query = random_tensor({4, width}, Rng(3));
  Tape tape;
  tape.reset();
  const LayersInput in{.x = tape.input(x), .sets = sample_sets, .query = tape.input(query)};
  const LayersPooled pooled = r->forward(in);
  const auto log_prob = numbers(pooled.log_prob.value()), surface = numbers(pooled.y.value());
  Tensor weight;
  for (const auto& [name, p] : r->state()) {
    if (name == "weight") weight = p->value.clone();
  }
  const auto normalised = [](std::vector<double> v) {
    double sum = 0;
    for (const double one : v) sum += std::exp(one);
    for (double& one : v) one -= std::log(sum);
    return v;
  };
  const auto scores = [&](const Real* row, double factor) {
    std::vector<double> v;
    for (Size c = 0; c < classes; ++c) {
      double sum = 0;
      for (Size j = 0; j < width; ++j)
        sum += static_cast<double>(weight.matrix()(c, j)) * static_cast<double>(row[j]);
      v.push_back(factor * sum);
    }
    return v;
  };
  std::vector<Real> expected;
  for (Size b = 0; b < 4; ++b) {
    const auto a = normalised(scores(surface.data() + b * width, 0.5));
    const auto q = normalised(scores(query.data() + b * width, 1));
    std::vector<double> both;
    for (std::size_t c = 0; c < classes; ++c) both.push_back(a[c] + q[c]);
    for (const double v : normalised(both)) expected.push_back(static_cast<Real>(v));
  }
  check_close(log_prob, expected);
  CHECK(numbers(hard->forward(in).log_prob.value()) != log_prob);
}

TEST_CASE("layer readouts say what does not fit", "[pooling][layer-readout][errors]") {
  const Tensor x({12, 3, 4});
  Tape tape;
  tape.reset();
  const LayersInput in{.x = tape.input(x), .sets = sample_sets};
  CHECK_THROWS_WITH(make_layer_readout("layer-mix", 3, 4, options({{"layers", Value::List{0, 3}}})),
                    "layer-mix.layers: got 3 of 3 layers; expected -3 to 2");
  CHECK_THROWS_WITH(make_layer_readout("layer-mix", 2, 4)->forward(in),
                    "layer-mix: x has 3 layers; expected 2 (num_layers)");
  CHECK_THROWS_WITH(make_layer_readout("layer-mix", 3, 5)->forward(in),
                    "layer-mix: x has width 4; expected 5 (in_channels)");
  CHECK_THROWS_WITH(make_layer_readout("layer-mix", 3, 4)->forward({.layers = in.x}),
                    "layer-mix: got layers; expected x alone");
  CHECK_THROWS_WITH(make_layer_readout("layer-attention", 3, 4, options({{"max_layers", 2}}))->forward(in),
                    "layer-attention: x has 3 layers; expected at most 2 (max_layers)");
  const Value classes = options({{"classes", 3}});
  CHECK_THROWS_WITH(make_layer_readout("surface-fusion", 3, 4, classes)->forward(in),
                    "surface-fusion: query is not given; expected [4, 4]");
  CHECK_THROWS_WITH(make_layer_readout("surface-fusion", 3, 4),
                    "surface-fusion.classes: not given; expected a whole number of at least 1");
}

TEST_CASE("layer-mix starts as the mean of its layers, counted from either end", "[pooling][layer-readout]") {
  const Tensor x = random_tensor({12, 3, 4}, Rng(2));
  const auto run = [&](const Value& o) {
    const auto r = make_layer_readout("layer-mix", 3, 4, o);
    r->init(Rng(1));
    Tape tape;
    tape.reset();
    return numbers(r->forward({.x = tape.input(x), .sets = sample_sets}).y.value());
  };
  check_close(run({}), run(options({{"learn", false}})));
  CHECK(run(options({{"layers", Value::List{0, -1}}, {"learn", false}})) ==
        run(options({{"layers", Value::List{0, 2}}, {"learn", false}})));
  for (const char* how : {"mean", "max", "first", "last"})
    check_close(run(options({{"layers", Value::List{1}}, {"readout", how}})),
                run(options({{"layers", Value::List{1}}, {"readout", how}, {"learn", false}})));
}

TEST_CASE("reranking clips to the database and keeps ties in order", "[pooling][rerank]") {
  const Tensor x = tensor({3, 2}, {1, 0, 0, 1, 1, 0}), q = tensor({1, 2}, {1, 0});
  const Reranked all = super_global_rerank(x.matrix(), q.matrix(), {});
  CHECK(all.M == 3);
  CHECK(all.initial_ranks == std::vector<Size>{0, 2, 1});
  CHECK(all.ranks == std::vector<Size>{0, 2, 1});
  const Reranked none = super_global_rerank(Tensor({0, 2}).matrix(), q.matrix(), {});
  CHECK(none.ranks.empty());
  CHECK_THROWS_WITH(super_global_rerank(x.matrix(), Tensor({1, 3}).matrix(), {}),
                    "super-global-rerank: x has width 2, queries 3; expected the same, at least 1");
}
