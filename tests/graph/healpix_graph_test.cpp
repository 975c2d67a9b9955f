#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/cheb_conv.hpp"
#include "tarn/graph/healpix/nearest.hpp"

#include "graph/healpix_maps.hpp"
#include "module_walk.hpp"

#include <numeric>

using namespace tarn;
using namespace tarn::healpix;
using namespace tarn::test;

namespace {

constexpr std::array both{Ordering::nest, Ordering::ring};

/// All pairs, as the definition reads.
std::vector<NodeId> plain_nearest(const Sky& sky, Size k) {
  std::vector<NodeId> result;
  for (Size i = 0; i < sky.size(); ++i) {
    const Vector a = sky.grid().vector(sky.pixel(i), sky.ordering());
    std::vector<std::pair<double, NodeId>> others;
    for (Size j = 0; j < sky.size(); ++j) {
      if (j == i) continue;
      const Vector b = sky.grid().vector(sky.pixel(j), sky.ordering());
      const double d =
          std::sqrt(std::pow(a[0] - b[0], 2) + std::pow(a[1] - b[1], 2) + std::pow(a[2] - b[2], 2));
      others.emplace_back(std::nearbyint(d * 1e12), static_cast<NodeId>(j));
    }
    std::sort(others.begin(), others.end());
    std::vector<NodeId> nearest;
    for (Size n = 0; n < k; ++n) nearest.push_back(others[static_cast<std::size_t>(n)].second);
    std::sort(nearest.begin(), nearest.end());
    result.insert(result.end(), nearest.begin(), nearest.end());
  }
  return result;
}

/// A patch, a thin band and a few lonely pixels.
Sky scattered_sky(const Grid& grid, Ordering ordering) {
  std::vector<Size> pixels;
  for (Size p = 0; p < grid.num_pixels(); ++p) {
    const Vector v = grid.vector(p, ordering);
    const bool patch = v[0] > 0.97, band = std::abs(v[2] + 0.4) < 0.03;
    if (patch || band || Rng(3).below(300, static_cast<std::uint64_t>(p)) == 0) pixels.push_back(p);
  }
  return {grid, ordering, std::move(pixels)};
}

std::vector<double> dense(const SymmetricMatrix& m) {
  const Size n = m.graph.num_nodes();
  std::vector<double> full(static_cast<std::size_t>(n * n));
  const auto sources = m.graph.sources();
  const auto targets = m.graph.targets();
  for (std::size_t e = 0; e < m.values.size(); ++e)
    full[static_cast<std::size_t>(targets[e] * n + sources[e])] += m.values[e];
  return full;
}

struct Result {
  std::vector<Real> y, gradients;
};

Result run(HealpixChebConv& layer, const Tensor& x) {
  Tape tape;
  tape.reset({.training = true});
  const Var in = tape.input(x, NeedsGrad::yes), y = layer.forward(in);
  const Tensor dy = random_map(y.shape(), 99);
  const std::pair<Var, ConstMatrixView> seed{y, dy.matrix()};
  tape.backward(std::span(&seed, 1));
  Result r{values_of(y.value()), values_of(tape.grad(in))};
  for (Parameter* p : layer.parameters()) {
    const std::vector<Real> g = values_of(p->grad.matrix());
    r.gradients.insert(r.gradients.end(), g.begin(), g.end());
    p->has_grad = false;
  }
  return r;
}

HealpixChebConvOptions cheb_options(Size nside, Size in, Size out) {
  HealpixChebConvOptions o;
  o.nside = nside;
  o.in_channels = in;
  o.out_channels = out;
  return o;
}

}  // namespace

TEST_CASE("nearest pixels are those of all pairs, ties to the smaller row", "[healpix][graph]") {
  for (const Ordering o : both) {
    for (const Size nside : {1, 2, 8}) {
      const Sky sky(Grid(nside), o);
      for (const Size k : {Size{1}, Size{8}, Size{11}, Size{20}}) {
        if (k < sky.size()) CHECK(nearest_pixels(sky, k) == plain_nearest(sky, k));
      }
    }
    const Sky scattered = scattered_sky(Grid(32), o);
    for (const Size k : {Size{3}, Size{40}, scattered.size() - 1})
      CHECK(nearest_pixels(scattered, k) == plain_nearest(scattered, k));
    const Sky two(Grid(64), o, {5, 40000});
    CHECK(nearest_pixels(two, 1) == std::vector<NodeId>{1, 0});
  }
}

TEST_CASE("sphere graphs are symmetric, without loops, weights within (0, 1]", "[healpix][graph]") {
  for (const Neighbourhood n : {Neighbourhood::adjacent, Neighbourhood::knn}) {
    for (const bool part : {false, true}) {
      SphereGraphOptions o;
      o.nside = 8;
      o.neighbourhood = n;
      if (part) {
        const Sky sky = scattered_sky(Grid(8), Ordering::nest);
        o.pixels.emplace();
        for (Size row = 0; row < sky.size(); ++row) o.pixels->push_back(sky.pixel(row));
      }
      const SphereGraph g = sphere_graph(o);
      const std::vector<double> w = dense({g.graph, g.weights});
      const Size count = g.graph.num_nodes();
      for (Size i = 0; i < count; ++i) {
        CHECK(w[static_cast<std::size_t>(i * count + i)] == 0);
        for (Size j = 0; j < i; ++j)
          CHECK(w[static_cast<std::size_t>(i * count + j)] == w[static_cast<std::size_t>(j * count + i)]);
      }
      for (const double v : g.weights) CHECK((v > 0 && v <= 1));
      if (n == Neighbourhood::adjacent && !part) CHECK(g.graph.num_edges() == 8 * 768 - 24);
    }
  }
}

TEST_CASE("Laplacians have the null vectors and the eigenvalues that they must", "[healpix][graph]") {
  SphereGraphOptions o;
  o.nside = 4;
  const SphereGraph g = sphere_graph(o);
  const SymmetricMatrix plain = laplacian_matrix(g, Laplacian::combinatorial),
                        scaled = laplacian_matrix(g, Laplacian::normalized);
  const std::vector<double> l = dense(plain);
  for (std::size_t i = 0; i < 192; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < 192; ++j) sum += l[i * 192 + j];
    CHECK(std::abs(sum) < 1e-12);
  }
  CHECK(largest_eigenvalue(scaled) > 1);
  CHECK(largest_eigenvalue(scaled) <= 2);
  CHECK(laplacian_matrix(g, Laplacian::none).values == g.weights);
  CHECK(largest_eigenvalue(laplacian_matrix(sphere_graph([] {
                                              SphereGraphOptions none;
                                              none.nside = 4;
                                              none.pixels = std::vector<Size>{3, 90};
                                              return none;
                                            }()),
                                            Laplacian::normalized)) == 0);
}

TEST_CASE("Lanczos finds the largest eigenvalue that a dense solver finds", "[healpix][graph]") {
  // Four copies of a graph of 48 nodes: 192 rows are solved densely, 432 and more by iteration.
  SphereGraphOptions o;
  o.nside = 2;
  const SphereGraph g = sphere_graph(o);
  const double dense_value = largest_eigenvalue(laplacian_matrix(g, Laplacian::normalized));
  std::vector<Graph> graphs(9, g.graph);
  std::vector<double> weights;
  for (int i = 0; i < 9; ++i) weights.insert(weights.end(), g.weights.begin(), g.weights.end());
  const double iterated =
      largest_eigenvalue(laplacian_matrix({Graph::join(graphs), weights}, Laplacian::normalized));
  CHECK(iterated == Approx(dense_value).epsilon(1e-6));
}

TEST_CASE("kernel widths follow the table", "[healpix][graph]") {
  CHECK(kernel_width(8, 32) == 0.025);
  CHECK(kernel_width(20, 1024) == 0.00098);
  CHECK(kernel_width(40, 1024) == Approx(0.005551 / 4));
  CHECK(kernel_width(60, 512) == Approx(0.006351 / 2));
  CHECK(kernel_width(20, 2) == Approx(0.5096));
  CHECK(kernel_width(20, 2048) == Approx(0.00049));
  CHECK_FALSE(kernel_width(20, 4096).has_value());
  CHECK_FALSE(kernel_width(21, 32).has_value());
}

TEST_CASE("healpix-graph says what does not fit", "[healpix][graph][errors]") {
  SphereGraphOptions o;
  o.nside = 1;
  o.neighbourhood = Neighbourhood::knn;
  o.k = 12;
  CHECK_THROWS_WITH(sphere_graph(o),
                    "healpix-graph.k: got 12; expected a number from 1 to 11, one less than the pixels");
  o.pixels = std::vector<Size>{1, 2, 5};
  o.k = 3;
  CHECK_THROWS_AS(sphere_graph(o), ValueError);
  o.k = 0;
  CHECK_THROWS_AS(sphere_graph(o), ValueError);
  o.k = 2;
  CHECK_THROWS_WITH(
      sphere_graph(o),
      "healpix-graph.kernel_width: not set, and no entry for k = 2 at nside 1; expected a number "
      "(known: k = 8, 20, 40, 60 up to nside 2048)");
  o.kernel_width = -1;
  CHECK_THROWS_AS(sphere_graph(o), ValueError);
  o.kernel_width = 0.3;
  CHECK_NOTHROW(sphere_graph(o));
  o.nside = 5;
  CHECK_THROWS_AS(sphere_graph(o), ValueError);
}

TEST_CASE("the Chebyshev convolution is its polynomial, densely", "[healpix][cheb]") {
  for (const auto& [in, out] : {std::pair<Size, Size>{3, 5}, {5, 3}, {4, 4}}) {
    for (const Size order : {1, 2, 3, 6}) {
      for (const ChebyshevMemory memory : {ChebyshevMemory::high, ChebyshevMemory::low}) {
        HealpixChebConvOptions o = cheb_options(2, in, out);
        o.kernel_size = order;
        o.memory = memory;
        o.scale = 0.75;
        HealpixChebConv layer(o);
        layer.init(Rng(1));
        const Tensor x = random_map({2, 48, in}, 2);
        const std::vector<double> l = dense(laplacian_matrix(sphere_graph(o), o.laplacian));
        const auto apply = [&](const std::vector<double>& v) {
          std::vector<double> y(48);
          for (std::size_t i = 0; i < 48; ++i) {
            y[i] = -v[i];
            for (std::size_t j = 0; j < 48; ++j) y[i] += 1.5 / layer.lambda_max() * l[i * 48 + j] * v[j];
          }
          return y;
        };
        const Tensor& w = layer.state()[0].second->value;
        std::vector<Real> want;
        for (Size b = 0; b < 2; ++b) {
          std::vector<std::vector<double>> sums(static_cast<std::size_t>(out), std::vector<double>(48, 0.01));
          for (Size c = 0; c < in; ++c) {
            std::vector<double> before(48), here(48);
            for (Size p = 0; p < 48; ++p) here[static_cast<std::size_t>(p)] = x.matrix()(b * 48 + p, c);
            for (Size k = 0; k < order; ++k) {
              for (Size n = 0; n < out; ++n) {
                for (std::size_t p = 0; p < 48; ++p)
                  sums[static_cast<std::size_t>(n)][p] +=
                      here[p] * static_cast<double>(w.data()[(k * in + c) * out + n]);
              }
              std::vector<double> next = apply(here);
              for (std::size_t p = 0; p < 48; ++p) next[p] = k == 0 ? next[p] : 2 * next[p] - before[p];
              before = std::move(here);
              here = std::move(next);
            }
          }
          for (std::size_t p = 0; p < 48; ++p) {
            for (const auto& s : sums) want.push_back(static_cast<Real>(s[p]));
          }
        }
        CHECK(difference(run(layer, x).y, want) < tolerance());
      }
    }
  }
}

TEST_CASE("both ways to keep polynomials give the same gradients", "[healpix][cheb]") {
  const Tensor x = random_map({3, 192, 4}, 2);
  std::vector<Result> results;
  for (const ChebyshevMemory memory : {ChebyshevMemory::high, ChebyshevMemory::low}) {
    HealpixChebConvOptions o = cheb_options(4, 4, 6);
    o.memory = memory;
    HealpixChebConv layer(o);
    layer.init(Rng(1));
    results.push_back(run(layer, x));
  }
  CHECK(results[0].y == results[1].y);
  CHECK(results[0].gradients == results[1].gradients);
}

TEST_CASE("the Chebyshev convolution has the same bits for 1, 2 and 7 threads", "[healpix][cheb][threads]") {
  for (const auto& [in, out] : {std::pair<Size, Size>{3, 9}, {9, 3}}) {
    const Tensor x = random_map({3, 12 * 256, in}, 2);
    const auto with = [&, in = in, out = out](int threads) {
      const Threads limit(threads);
      HealpixChebConvOptions o = cheb_options(16, in, out);
      o.neighbourhood = Neighbourhood::knn;
      HealpixChebConv layer(o);
      layer.init(Rng(1));
      Result r = run(layer, x);
      r.y.push_back(static_cast<Real>(layer.lambda_max()));
      return r;
    };
    const Result one = with(1);
    for (const int threads : {2, 7}) {
      const Result other = with(threads);
      CHECK(other.y == one.y);
      CHECK(other.gradients == one.gradients);
    }
  }
}

TEST_CASE("isolated pixels, no maps and empty skies go through the Chebyshev convolution",
          "[healpix][cheb]") {
  HealpixChebConvOptions o = cheb_options(4, 2, 3);
  o.pixels = std::vector<Size>{0, 1, 100};
  HealpixChebConv layer(o);
  layer.init(Rng(1));
  CHECK(all_finite(run(layer, random_map({2, 3, 2}, 1)).y));
  CHECK(run(layer, Tensor({0, 3, 2})).y.empty());
  o.pixels = std::vector<Size>{};
  HealpixChebConv empty(o);
  CHECK(run(empty, Tensor({0, 2})).y.empty());
  o.pixels = std::vector<Size>{7};
  HealpixChebConv lonely(o);
  lonely.init(Rng(1));
  CHECK(all_finite(run(lonely, random_map({2, 1, 2}, 1)).gradients));
}

TEST_CASE("weights start as either public code has them", "[healpix][cheb]") {
  HealpixChebConvOptions o = cheb_options(1, 40, 50);
  HealpixChebConv second(o);
  o.init = ChebyshevInit::ds1;
  HealpixChebConv first(o);
  const auto deviation = [](HealpixChebConv& layer) {
    layer.init(Rng(1));
    const auto w = layer.state()[0].second->value.flat();
    return std::sqrt(std::inner_product(w.begin(), w.end(), w.begin(), 0.0) / static_cast<double>(w.size()));
  };
  CHECK(deviation(second) == Approx(std::sqrt(2.0 / 200)).epsilon(0.03));
  const double untruncated = 1 / std::sqrt(40 * 5.5 / 2);
  CHECK(deviation(first) == Approx(0.88 * untruncated).epsilon(0.03));
  for (const Real v : first.state()[0].second->value.flat()) CHECK(std::abs(v) <= Real(2.0001 * untruncated));
  CHECK(second.state()[1].second->value.data()[0] == Approx(0.01));
  CHECK(first.state()[1].second->value.data()[0] == 0);
}

TEST_CASE("healpix-cheb-conv says what does not fit", "[healpix][cheb][errors]") {
  HealpixChebConvOptions o = cheb_options(1, 2, 3);
  HealpixChebConv layer(o);
  Tape tape;
  const Tensor x({12, 3});
  CHECK_THROWS_WITH(layer.forward(tape.input(x)),
                    "healpix-cheb-conv: x is [12, 3]; expected [B, 12, 2] or [B 12, 2]");
  o.laplacian = Laplacian::none;
  CHECK_THROWS_WITH(HealpixChebConv(o),
                    "healpix-cheb-conv.laplacian: got none; expected normalized or combinatorial");
  o.laplacian = Laplacian::normalized;
  o.lambda_max = Value(0.0);
  CHECK_THROWS_WITH(HealpixChebConv(o),
                    "healpix-cheb-conv.lambda_max: got 0; expected a number above 0, or estimate");
  o.lambda_max = Value(2);
  o.kernel_size = 0;
  CHECK_THROWS_AS(HealpixChebConv(o), ValueError);
  o.kernel_size = 2;
  o.neighbourhood = Neighbourhood::knn;
  o.k = 12;
  CHECK_THROWS_AS(HealpixChebConv(o), ValueError);
}

#if TARN_DOUBLE
TEST_CASE("gradients of the Chebyshev convolution agree with central differences",
          "[healpix][cheb][gradients]") {
  for (const auto& [in, out] : {std::pair<Size, Size>{2, 4}, {4, 2}}) {
    HealpixChebConv layer(cheb_options(2, in, out));
    layer.init(Rng(1));
    Tensor x = random_map({2, 48, in}, 5);
    const Tensor dy = random_map({2, 48, out}, 99);
    const auto loss = [&] {
      Tape tape;
      tape.reset();
      const ConstMatrixView y = layer.forward(tape.input(x)).value();
      return std::inner_product(y.data, y.data + y.size(), dy.data(), 0.0);
    };
    const Result r = run(layer, x);
    std::span<const Real> gradients = r.gradients;
    const auto check = [&](Tensor& tensor) {
      const auto part = gradients.first(static_cast<std::size_t>(tensor.size()));
      gradients = gradients.subspan(part.size());
      check_directional_derivative(tensor, part, Rng(12), loss);
    };
    check(x);
    for (Parameter* p : layer.parameters()) check(p->value);
  }
}
#endif
