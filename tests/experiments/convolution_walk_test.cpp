#include "tarn/core/errors.hpp"
#include "tarn/graph/convolutions/convolution.hpp"

#include "experiments/walk.hpp"

using namespace tarn;
using namespace tarn::test;

namespace {

struct Edges {
  std::vector<NodeId> from, to;
  [[nodiscard]] Size count() const { return static_cast<Size>(from.size()); }
};

/// Random edges with loops, multi-edges and a few nodes that nothing reaches.
Edges random_edges(Size nodes, Size count, const Rng& rng) {
  Edges e;
  for (Size k = 0; k < count; ++k) {
    e.from.push_back(static_cast<NodeId>(rng.below(nodes, static_cast<std::uint64_t>(2 * k))));
    e.to.push_back(static_cast<NodeId>(rng.below(nodes - nodes / 5, static_cast<std::uint64_t>(2 * k + 1))));
  }
  return e;
}

Size in_channels(const GoldenCase& c) {
  return c.input("x").shape[-1];
}

/// Shape of the edge data that the case's operator takes for E edges; rank 0 for none.
Shape edge_shape(const GoldenCase& c, Size edges) {
  if (c.inputs.contains("edge_attr")) return {edges, c.input("edge_attr").shape[-1]};
  if (c.inputs.contains("edge_weight")) return {edges, 1};
  return {};
}

/// Weights must not make a degree negative.
Tensor random_edge_data(const GoldenCase& c, Size edges) {
  Tensor t = random_tensor(edge_shape(c, edges), Rng(21));
  for (Real& v : t.flat()) v = std::abs(v) + Real(0.1);
  return t;
}

std::unique_ptr<Convolution> make(const GoldenCase& c) {
  auto conv = convolutions().make(c.op, c.user_options());
  conv->init(Rng(5));
  return conv;
}

auto forward_on(Convolution& conv, const Graph& graph) {
  return [&conv, &graph](Tape&, std::span<const Var> in) {
    return conv.forward({.x = in[0], .graph = graph, .edge_attr = in[1]});
  };
}

WalkResult run(Convolution& conv, const Tensor& x, const Graph& graph, const Tensor& edge_data,
               bool training = false) {
  return run_module(conv, std::vector{&x, &edge_data}, training, forward_on(conv, graph));
}

template <class Check>
void for_each_convolution(Check check) {
  for (const GoldenCase& c : golden_cases("convolution")) {
    INFO(c.where());
    check(c);
  }
}

}  // namespace

TEST_CASE("renumbering the nodes renumbers a convolution's rows", "[walk][convolution]") {
  for_each_convolution([](const GoldenCase& c) {
    const auto conv = make(c);
    const Size n = 15;
    const Edges e = random_edges(n, 40, Rng(1));
    const Tensor x = random_tensor({n, in_channels(c)}, Rng(2));
    const std::vector<Size> order = permutation(n, Rng(3));  // row i of the renumbered graph is node order[i]
    std::vector<NodeId> place(static_cast<std::size_t>(n));
    Tensor moved(x.shape());
    for (Size i = 0; i < n; ++i) {
      place[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])] = static_cast<NodeId>(i);
      std::copy_n(x.matrix().row(order[static_cast<std::size_t>(i)]), x.shape().cols(),
                  moved.matrix().row(i));
    }
    Edges renumbered = e;
    for (auto* ends : {&renumbered.from, &renumbered.to}) {
      for (NodeId& node : *ends) node = place[static_cast<std::size_t>(node)];
    }
    const Graph a = Graph::from_edges(n, e.from, e.to),
                b = Graph::from_edges(n, renumbered.from, renumbered.to);
    const Tensor data = random_edge_data(c, e.count());
    const auto canonical = [&](const Graph& g) {
      Tensor t(data.shape());
      if (t.shape().rank() > 0) to_canonical_order(g, data.matrix(), t.matrix());
      return t;
    };
    const auto y = run(*conv, x, a, canonical(a)).y, z = run(*conv, moved, b, canonical(b)).y;
    const Size width = conv->out_dim();
    for (Size i = 0; i < n; ++i) {
      const auto at = [&](const std::vector<Real>& v, Size r) {
        return std::span(v).subspan(static_cast<std::size_t>(r * width), static_cast<std::size_t>(width));
      };
      check_close(at(z, i), at(y, order[static_cast<std::size_t>(i)]));
    }
  });
}

TEST_CASE("a convolution and its gradients have the same bits for 1, 2 and 7 threads",
          "[walk][convolution][threads]") {
  for_each_convolution([](const GoldenCase& c) {
    const Size n = 2000;
    const Edges e = random_edges(n, 12000, Rng(4));
    const Tensor x = random_tensor({n, in_channels(c)}, Rng(5));
    const Tensor data = random_edge_data(c, e.count());
    const auto with = [&](int threads) {
      const Threads limit(threads);
      const auto conv = make(c);
      return run(*conv, x, Graph::from_edges(n, e.from, e.to), data, true);
    };
    const WalkResult one = with(1);
    for (const int threads : {2, 7}) {
      const WalkResult other = with(threads);
      CHECK(other.y == one.y);
      CHECK(other.gradients == one.gradients);
    }
  });
}

TEST_CASE("a convolution takes no nodes, no edges and single nodes", "[walk][convolution]") {
  for_each_convolution([](const GoldenCase& c) {
    const auto conv = make(c);
    for (const Size n : {0, 1, 3}) {
      const auto result = run(*conv, random_tensor({n, in_channels(c)}, Rng(6)), Graph::from_edges(n, {}, {}),
                              random_edge_data(c, 0));
      CHECK(static_cast<Size>(result.y.size()) == n * conv->out_dim());
      CHECK(all_finite(result.y));
      CHECK(all_finite(result.gradients));
    }
  });
}

TEST_CASE("a convolution with copied state gives the same bits", "[walk][convolution]") {
  for_each_convolution([](const GoldenCase& c) {
    const auto first = make(c);
    const auto second = convolutions().make(c.op, c.user_options());
    copy_state(*first, *second);
    const Edges e = random_edges(9, 20, Rng(7));
    const Graph graph = Graph::from_edges(9, e.from, e.to);
    const Tensor x = random_tensor({9, in_channels(c)}, Rng(8));
    const Tensor data = random_edge_data(c, e.count());
    CHECK(run(*first, x, graph, data).y == run(*second, x, graph, data).y);
  });
}

TEST_CASE("a convolution refuses wrong widths, row counts and edge data", "[walk][convolution][errors]") {
  for_each_convolution([](const GoldenCase& c) {
    const auto conv = make(c);
    const Graph graph = Graph::from_edges(4, std::vector<NodeId>{0, 1}, std::vector<NodeId>{1, 2});
    const Tensor x = random_tensor({4, in_channels(c)}, Rng(9));
    const Tensor data = random_edge_data(c, 2);
    CHECK_NOTHROW(run(*conv, x, graph, data));
    CHECK_THROWS_AS(run(*conv, random_tensor({4, in_channels(c) + 1}, Rng(9)), graph, data), ShapeError);
    CHECK_THROWS_AS(run(*conv, random_tensor({5, in_channels(c)}, Rng(9)), graph, data), ShapeError);
    CHECK_THROWS_AS(run(*conv, x, graph, Tensor({3, 1})), ShapeError);
    if (data.shape().rank() == 0) return;
    Tensor broken = data.clone();
    broken.data()[0] = std::numeric_limits<Real>::quiet_NaN();
    CHECK_THROWS_AS(run(*conv, x, graph, broken), ValueError);
  });
}

TEST_CASE("gcn without weights equals gcn with weights of one, with and without loops", "[convolution]") {
  for (const bool improved : {false, true}) {
    for (const bool add_self_loops : {false, true}) {
      Value options;
      options.set("in_channels", 5);
      options.set("out_channels", 4);
      options.set("improved", improved);
      options.set("add_self_loops", add_self_loops);
      const auto gcn = convolutions().make("gcn", options);
      gcn->init(Rng(1));
      for (const bool has_loops : {false, true}) {
        Edges e = random_edges(20, 60, Rng(2));
        for (std::size_t k = 0; k < e.from.size() && !has_loops; ++k) {
          if (e.from[k] == e.to[k]) e.from[k] = (e.from[k] + 1) % 20;
        }
        const Graph graph = Graph::from_edges(20, e.from, e.to);
        const Tensor x = random_tensor({20, 5}, Rng(3));
        Tensor ones({60, 1});
        ones.fill(1);
        const WalkResult plain = run(*gcn, x, graph, Tensor(Shape{})), weighted = run(*gcn, x, graph, ones);
        check_close(plain.y, weighted.y);
        const std::span<const Real> dx = std::span(plain.gradients).first(100);
        check_close(dx, std::span(weighted.gradients).first(100));
      }
    }
  }
}

TEST_CASE("gcn names the node whose weighted degree is negative", "[convolution][errors]") {
  Value options;
  options.set("in_channels", 2);
  options.set("out_channels", 2);
  options.set("add_self_loops", false);
  const auto gcn = convolutions().make("gcn", options);
  const Graph graph = Graph::from_edges(2, std::vector<NodeId>{0}, std::vector<NodeId>{1});
  Tensor weight({1, 1});
  weight.data()[0] = -2;
  CHECK_THROWS_WITH(run(*gcn, random_tensor({2, 2}, Rng(1)), graph, weight),
                    "gcn: node 1 has weighted degree -2; expected at least 0");
  options.set("add_self_loops", true);
  options.set("normalize", false);
  CHECK_THROWS_AS(convolutions().make("gcn", options), ConfigError);
}

TEST_CASE("dropout on attention keeps the mean and follows its seed", "[convolution]") {
  Value options;
  options.set("in_channels", 4);
  options.set("out_channels", 4);
  options.set("dropout", 0.5);
  const auto gat = convolutions().make("gat", options);
  gat->init(Rng(1));
  const Size n = 60;
  const Edges e = random_edges(n, 3000, Rng(2));
  const Graph graph = Graph::from_edges(n, e.from, e.to);
  const Tensor x = random_tensor({n, 4}, Rng(3));
  const auto forward = [&](bool training, std::uint64_t seed) {
    Tape tape;
    tape.reset({.training = training, .rng = Rng(seed)});
    return numbers(gat->forward({.x = tape.input(x), .graph = graph}).value());
  };
  const auto plain = forward(false, 0);
  CHECK(forward(true, 1) == forward(true, 1));
  CHECK(forward(true, 1) != forward(true, 2));
  std::vector<double> mean(plain.size(), 0.0);
  constexpr int draws = 400;
  for (int k = 0; k < draws; ++k) {
    const auto y = forward(true, static_cast<std::uint64_t>(k));
    for (std::size_t i = 0; i < y.size(); ++i) mean[i] += static_cast<double>(y[i]) / draws;
  }
  double error = 0, scale = 0;
  for (std::size_t i = 0; i < mean.size(); ++i) {
    error += std::pow(mean[i] - static_cast<double>(plain[i]), 2);
    scale += std::pow(static_cast<double>(plain[i]), 2);
  }
  CHECK(error < 0.01 * scale);
}

#if TARN_DOUBLE
TEST_CASE("gradients of convolutions agree with central differences", "[walk][convolution][gradients]") {
  for_each_convolution([](const GoldenCase& c) {
    const auto conv = make(c);
    for (Parameter* p : conv->parameters()) p->value = random_tensor(p->value.shape(), Rng(14));
    const Size n = 12;
    const Edges e = random_edges(n, 30, Rng(1));
    const Graph graph = Graph::from_edges(n, e.from, e.to);
    Tensor x = random_tensor({n, in_channels(c)}, Rng(2));
    Tensor data = random_edge_data(c, e.count());
    check_gradients(*conv, std::vector{&x, &data}, false, forward_on(*conv, graph));
  });
}
#endif
