#include "tarn/pooling/layer_pools/histograph.hpp"

#include "tarn/core/errors.hpp"

#include "module_walk.hpp"

#include <cmath>

using namespace tarn;
using namespace tarn::test;

namespace {

const Segments sets({0, 3, 3, 4, 9});

/// Without node attention: what the plain loop below computes.
HistographOptions layer_options(Size dim) {
  HistographOptions o;
  o.layers = 4;
  o.in_channels = Size{5};
  o.dim = dim;
  o.node_attention = false;
  return o;
}

std::vector<Tensor> random_history(const HistographOptions& o, Size nodes, std::uint64_t seed = 1) {
  std::vector<Tensor> history;
  for (const Size width : o.widths("test"))
    history.push_back(random_tensor({nodes, width}, Rng(seed, history.size())));
  return history;
}

struct Results {
  std::vector<Real> y, layer_weights, nodes;
};

Results run(Histograph& pool, const std::vector<Tensor>& history, const Segments& over, Pass pass = {}) {
  Tape tape;
  tape.reset(pass);
  std::vector<Var> layers;
  for (const Tensor& x : history) layers.push_back(tape.input(x));
  const LayerPooled p = pool.forward({.layers = layers, .sets = over});
  return {numbers(p.y.value()), numbers(p.layer_weights.value()), numbers(p.nodes.value())};
}

void randomize(Histograph& pool) {
  std::uint64_t number = 20;
  for (Parameter* p : pool.parameters()) p->value = random_tensor(p->value.shape(), Rng(number++));
}

using Row = std::vector<double>;

/// The layer attention as the formulas stand, by plain loops in double.
class Plain {
 public:
  Plain(Histograph& pool, const HistographOptions& o) : o_(o), state_(pool.state()) {}

  /// Node features [N, D] and the weights of every node.
  [[nodiscard]] std::pair<std::vector<Row>, std::vector<Row>> nodes(
      const std::vector<Tensor>& history) const {
    const Size count = sets.num_rows();
    std::vector<Row> scores, weights(static_cast<std::size_t>(count)), h(static_cast<std::size_t>(count));
    for (Size v = 0; v < count; ++v) scores.push_back(scores_of(history, v));
    for (Size v = 0; v < count; ++v) {
      const Rows own = sets.rows(sets.owner(v));
      const Rows over = o_.scope == LayerScope::node    ? Rows{v, v + 1}
                        : o_.scope == LayerScope::batch ? Rows{0, count}
                                                        : own;
      Row c(static_cast<std::size_t>(o_.layers), 0.0);
      for (Size i = over.begin; i < over.end; ++i) {
        for (std::size_t l = 0; l < c.size(); ++l) {
          c[l] += scores[static_cast<std::size_t>(i)][l] / static_cast<double>(over.size());
        }
      }
      weights[static_cast<std::size_t>(v)] = normalised(c);
      Row sum(static_cast<std::size_t>(o_.dim), 0.0);
      for (Size l = 0; l < o_.layers; ++l) {
        const Row z = encoded(history, v, l, o_.values == HistoryValues::encoded);
        for (std::size_t j = 0; j < z.size(); ++j) {
          sum[j] += weights[static_cast<std::size_t>(v)][static_cast<std::size_t>(l)] * z[j];
        }
      }
      h[static_cast<std::size_t>(v)] = sum;
    }
    return {h, weights};
  }

 private:
  [[nodiscard]] const Tensor* find(const std::string& name) const {
    for (const auto& [key, p] : state_) {
      if (key == name) return &p->value;
    }
    return nullptr;
  }
  [[nodiscard]] Row map(const std::string& name, const Row& x) const {
    const Tensor *weight = find(name + ".weight"), *bias = find(name + ".bias");
    Row y;
    for (Size i = 0; i < weight->shape()[0]; ++i) {
      double sum = bias != nullptr ? static_cast<double>(bias->data()[i]) : 0.0;
      for (std::size_t j = 0; j < x.size(); ++j) {
        sum += static_cast<double>(weight->matrix()(i, static_cast<Size>(j))) * x[j];
      }
      y.push_back(sum);
    }
    return y;
  }
  [[nodiscard]] Row encoded(const std::vector<Tensor>& history, Size v, Size l, bool with_position) const {
    const auto given = history[static_cast<std::size_t>(l)].matrix().row_span(v);
    Row z(given.begin(), given.end());
    if (o_.projection == HistoryProjection::shared) z = map("embed", z);
    if (o_.projection == HistoryProjection::per_layer) z = map("embed." + std::to_string(l), z);
    for (Size j = 0; j < o_.dim && with_position; ++j) {
      const double angle = static_cast<double>(l) /
                           std::pow(10000.0, static_cast<double>(j / 2 * 2) / static_cast<double>(o_.dim));
      if (o_.positional == LayerEncoding::sinusoidal)
        z[static_cast<std::size_t>(j)] += j % 2 == 0 ? std::sin(angle) : std::cos(angle);
      if (o_.positional == LayerEncoding::learned) {
        z[static_cast<std::size_t>(j)] += static_cast<double>(find("position")->matrix()(l, j));
      }
    }
    return z;
  }
  [[nodiscard]] Row scores_of(const std::vector<Tensor>& history, Size v) const {
    Row scores(static_cast<std::size_t>(o_.layers), 0.0);
    if (!o_.layer_attention) return scores;
    const Row q = map("query", encoded(history, v, o_.layers - 1, true));
    for (Size l = 0; l < o_.layers; ++l) {
      const Row k = map("key", encoded(history, v, l, true));
      for (std::size_t j = 0; j < q.size(); ++j) {
        scores[static_cast<std::size_t>(l)] += q[j] * k[j] / std::sqrt(static_cast<double>(o_.dim));
      }
    }
    return scores;
  }
  [[nodiscard]] Row normalised(Row c) const {
    double sum = 0, size = 0, best = -1e300, exponentials = 0;
    for (const double v : c) {
      sum += v;
      size += std::abs(v);
      best = std::max(best, v);
    }
    for (const double v : c) exponentials += std::exp(v - best);
    const double guarded = std::abs(sum) >= o_.eps ? sum : sum >= 0 ? o_.eps : -o_.eps;
    for (double& v : c) {
      if (!o_.layer_attention)
        v = 1 / static_cast<double>(c.size());
      else if (o_.normalization == LayerNormalization::division)
        v /= guarded;
      else if (o_.normalization == LayerNormalization::absolute)
        v /= std::max(size, o_.eps);
      else if (o_.normalization == LayerNormalization::softmax)
        v = std::exp(v - best) / exponentials;
    }
    return c;
  }
  HistographOptions o_;
  std::vector<std::pair<std::string, Parameter*>> state_;
};

std::vector<Real> flat(const std::vector<Row>& rows) {
  std::vector<Real> result;
  for (const Row& row : rows) {
    for (const double v : row) result.push_back(static_cast<Real>(v));
  }
  return result;
}

/// Every combination of the options of the layer attention.
template <class Check>
void for_each_combination(Check check) {
  for (const auto projection :
       {HistoryProjection::shared, HistoryProjection::per_layer, HistoryProjection::none}) {
    for (const auto positional : {LayerEncoding::sinusoidal, LayerEncoding::learned, LayerEncoding::none}) {
      for (const auto scope : {LayerScope::graph, LayerScope::node, LayerScope::batch}) {
        for (const auto values : {HistoryValues::encoded, HistoryValues::plain}) {
          for (const bool layer_attention : {true, false}) {
            HistographOptions o = layer_options(5);  // an odd width, that of the history
            o.projection = projection;
            o.positional = positional;
            o.scope = scope;
            o.values = values;
            o.layer_attention = layer_attention;
            o.qk_bias = values == HistoryValues::plain;
            check(o);
          }
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("layer attention equals the plain loop for every choice of options", "[pooling][histograph]") {
  for_each_combination([](HistographOptions o) {
    for (const auto rule : {LayerNormalization::softmax, LayerNormalization::absolute}) {
      o.normalization = rule;
      CAPTURE(static_cast<int>(o.projection), static_cast<int>(o.positional), static_cast<int>(o.scope),
              static_cast<int>(o.values), o.layer_attention, static_cast<int>(rule));
      Histograph pool(o);
      randomize(pool);
      const auto history = random_history(o, sets.num_rows());
      const Results got = run(pool, history, sets);
      const auto [nodes, weights] = Plain(pool, o).nodes(history);
      check_close(got.nodes, flat(nodes));
      if (o.scope == LayerScope::node) {
        check_close(got.layer_weights, flat(weights));
      } else {
        const std::vector<Row> per_graph{weights[0], Row(4, 0.0), weights[3], weights[4]};
        check_close(got.layer_weights, flat(per_graph));
      }
    }
  });
}

TEST_CASE("division of scores that nearly cancel is guarded, and the guard is counted",
          "[pooling][histograph]") {
  HistographOptions o = layer_options(4);
  o.layers = 2;
  o.in_channels = Size{4};
  o.projection = HistoryProjection::none;
  o.positional = LayerEncoding::none;
  o.eps = 0.5;
  Histograph pool(o);
  for (Parameter* p : pool.parameters()) {  // query and key are the identity, so scores are <last, layer> / 2
    p->value.fill(0);
    for (Size i = 0; i < 4; ++i) p->value.matrix()(i, i) = 1;
  }
  std::vector<Tensor> history;
  history.emplace_back(Shape{3, 4});
  history.emplace_back(Shape{3, 4});
  history[1].fill(1);                      // the score of the last layer is 2
  history[0].matrix()(0, 0) = Real(-3.5);  // -1.75: the sum 0.25 is less than the guard
  history[0].matrix()(1, 0) = Real(-4.5);  // -2.25: the sum is -0.25
  history[0].matrix()(2, 0) = 4;           // 2: the sum is 4
  const Results got = run(pool, history, Segments::uniform(3, 1), {.training = true});
  check_close(got.layer_weights, std::vector<Real>{Real(-3.5), 4, Real(4.5), -4, Real(0.5), Real(0.5)});
  const std::vector<Figure> figures = pool.take_figures();
  REQUIRE(figures.size() == 3);
  CHECK(figures[0].first == "smallest_sum");
  CHECK(figures[0].second == Approx(0.25));
  CHECK(figures[1].first == "largest_weight");
  CHECK(figures[1].second == Approx(4.5));
  CHECK(figures[2] == Figure{"guarded", 2});
  CHECK(pool.take_figures().empty());  // it starts anew
  run(pool, history, Segments::uniform(3, 1));
  CHECK(pool.take_figures().empty());  // evaluation does not count
}

TEST_CASE("weights sum to one by division and softmax, and one layer weighs exactly one",
          "[pooling][histograph]") {
  for (const auto rule : {LayerNormalization::division, LayerNormalization::softmax}) {
    HistographOptions o = layer_options(6);
    o.normalization = rule;
    Histograph pool(o);
    randomize(pool);
    const auto weights = run(pool, random_history(o, 9), sets).layer_weights;
    for (const std::size_t b : {0, 2, 3}) {
      double sum = 0;
      for (std::size_t l = 0; l < 4; ++l) sum += static_cast<double>(weights[4 * b + l]);
      CHECK(sum == Approx(1).margin(1e-4));
    }
    o.layers = 1;
    Histograph single(o);
    randomize(single);
    CHECK(run(single, random_history(o, 9), sets).layer_weights == std::vector<Real>{1, 0, 1, 1});
  }
}

TEST_CASE("scope batch lets graphs see each other and says so, the others do not", "[pooling][histograph]") {
  for (const auto scope : {LayerScope::graph, LayerScope::node, LayerScope::batch}) {
    HistographOptions o = layer_options(6);
    o.scope = scope;
    Histograph pool(o);
    randomize(pool);
    auto history = random_history(o, 9);
    const auto before = run(pool, history, sets).y;
    history[2].matrix()(8, 0) += 1;  // a node of the last graph
    const auto after = run(pool, history, sets).y;
    const bool moved = !std::equal(before.begin(), before.begin() + 6, after.begin());
    CHECK(moved == (scope == LayerScope::batch));
    CHECK(pool.warnings().empty() == (scope != LayerScope::batch));
  }
}

TEST_CASE("layer order matters through the encoding and the query alone", "[pooling][histograph]") {
  HistographOptions o = layer_options(6);
  o.positional = LayerEncoding::none;
  Histograph pool(o);
  randomize(pool);
  auto history = random_history(o, 9);
  const auto before = run(pool, history, sets).y;
  std::swap(history[0], history[1]);
  check_close(run(pool, history, sets).y, before);
  std::swap(history[0], history[3]);
  CHECK(run(pool, history, sets).y != before);
}

TEST_CASE("dropout of the node stage follows the seed and rests in evaluation", "[pooling][histograph]") {
  HistographOptions o = layer_options(8);
  o.node_attention = true;
  o.feed_forward = 6;
  o.dropout = 0.4;
  Histograph pool(o);
  randomize(pool);
  const auto history = random_history(o, 9);
  const auto with = [&](bool training, std::uint64_t seed) {
    return run(pool, history, sets, {.training = training, .rng = Rng(seed)}).y;
  };
  CHECK(with(true, 1) == with(true, 1));
  CHECK(with(true, 1) != with(true, 2));
  CHECK(with(false, 1) == with(false, 2));
}

TEST_CASE("a long history is pooled without anything of its size", "[pooling][histograph]") {
  HistographOptions o;
  o.layers = 40;
  o.in_channels = Size{16};
  o.dim = 16;
  o.residual = true;
  o.layer_norm = true;
  Histograph pool(o);
  pool.init(Rng(1));
  const Size nodes = 3000;
  const auto history = random_history(o, nodes);
  const Segments graphs = Segments::uniform(100, 30);
  Tape tape;
  tape.reset({.training = true});
  std::vector<Var> layers;
  for (const Tensor& x : history) layers.push_back(tape.input(x));
  const Var y = pool.forward({.layers = layers, .sets = graphs}).y;
  const std::pair<Var, ConstMatrixView> seed{y, y.value()};
  tape.backward(std::span(&seed, 1));
  CHECK(tape.arena().peak_bytes() < static_cast<std::size_t>(nodes * o.layers * o.dim) * sizeof(Real));
}

TEST_CASE("histograph says which options do not fit together", "[pooling][histograph][errors]") {
  HistographOptions o = layer_options(6);
  o.in_channels = std::vector<Size>{5, 5, 3, 5};
  CHECK_THROWS_WITH(Histograph(o),
                    "histograph.in_channels: got [5, 5, 3, 5] with projection shared; expected equal widths");
  o.projection = HistoryProjection::none;
  CHECK_THROWS_WITH(Histograph(o),
                    "histograph.in_channels: layer 0 has width 5 with projection none; expected 6 (dim)");
  o.in_channels = std::vector<Size>{5, 5};
  CHECK_THROWS_WITH(Histograph(o), "histograph.in_channels: got 2 widths; expected 4 (layers)");
  o = layer_options(6);
  o.layers = 0;
  CHECK_THROWS_WITH(Histograph(o), "histograph.layers: got 0; expected a whole number of at least 1");
  o = layer_options(6);
  o.node_attention = true;
  CHECK_THROWS_WITH(Histograph(o),
                    "histograph.heads: got 4 for width 6; expected a number that divides the width");
  o.node_attention = false;
  CHECK_NOTHROW(Histograph(o));  // idle
  o.residual = true;
  CHECK_THROWS_WITH(Histograph(o), "histograph.residual: got true without node_attention; expected none");
  o.residual = false;
  o.layer_norm = true;
  CHECK_THROWS_WITH(Histograph(o), "histograph.layer_norm: got true without node_attention; expected none");
  o.layer_norm = false;
  o.feed_forward = 3;
  CHECK_THROWS_WITH(Histograph(o), "histograph.feed_forward: got 3 without node_attention; expected none");
  o.feed_forward = 0;
  o.eps = 0;
  CHECK_THROWS_WITH(Histograph(o), "histograph.eps: got 0.0; expected a number above 0");
}

TEST_CASE("histograph names the node and layer of a history that is not finite",
          "[pooling][histograph][errors]") {
  for (const bool layer_attention : {true, false}) {
    HistographOptions o = layer_options(6);
    o.layer_attention = layer_attention;
    Histograph pool(o);
    randomize(pool);
    auto history = random_history(o, 9);
    history[2].matrix()(5, 3) = std::numeric_limits<Real>::quiet_NaN();
    CHECK_THROWS_WITH(run(pool, history, sets),
                      "histograph: history of node 5, layer 2 holds nan; expected finite numbers");
  }
}

#if TARN_DOUBLE
TEST_CASE("gradients of histograph agree with central differences for every choice of options",
          "[pooling][histograph][gradients]") {
  for_each_combination([](HistographOptions o) {
    o.normalization =
        o.scope == LayerScope::node ? LayerNormalization::absolute : LayerNormalization::softmax;
    o.readout = NodeReadout::max;
    Histograph pool(o);
    randomize(pool);
    auto history = random_history(o, 9);
    std::vector<Tensor*> inputs;
    for (Tensor& x : history) inputs.push_back(&x);
    check_gradients(pool, inputs, true, [&](Tape&, std::span<const Var> layers) {
      return pool.forward({.layers = layers, .sets = sets}).y;
    });
  });
}
#endif
