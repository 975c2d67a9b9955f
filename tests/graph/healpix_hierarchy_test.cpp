#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/grades.hpp"
#include "tarn/graph/healpix/pool.hpp"
#include "tarn/graph/healpix/quad_tree.hpp"
#include "tarn/graph/healpix/strided_conv.hpp"
#include "tarn/graph/healpix/unpool.hpp"

#include "graph/healpix_maps.hpp"
#include "module_walk.hpp"

#include <limits>
#include <set>

using namespace tarn;
using namespace tarn::healpix;
using namespace tarn::test;

namespace {

constexpr std::array both{Ordering::nest, Ordering::ring};
constexpr std::array modes{PoolMode::max, PoolMode::mean, PoolMode::sum};
constexpr Real nan_value = std::numeric_limits<Real>::quiet_NaN();

/// Value and gradient of x for the cotangent random_map(99).
template <class F>
std::pair<std::vector<Real>, std::vector<Real>> run(const Tensor& x, F f) {
  Tape tape;
  tape.reset({.training = true});
  const Var in = tape.input(x, NeedsGrad::yes), y = f(in);
  const Tensor dy = random_map(y.shape(), 99);
  const std::pair<Var, ConstMatrixView> seed{y, dy.matrix()};
  tape.backward(std::span(&seed, 1));
  return {values_of(y.value()), values_of(tape.grad(in))};
}

std::vector<Size> some_pixels(Size nside, Size keep_of, std::uint64_t seed) {
  std::vector<Size> pixels;
  for (Size p = 0; p < 12 * nside * nside; ++p) {
    if (Rng(seed).below(keep_of, static_cast<std::uint64_t>(p)) == 0) pixels.push_back(p);
  }
  return pixels;
}

std::vector<std::uint8_t> mask_of(Size nside, const std::vector<Size>& pixels) {
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(12 * nside * nside), 0);
  for (const Size p : pixels) mask[static_cast<std::size_t>(p)] = 1;
  return mask;
}

}  // namespace

TEST_CASE("the hierarchy names each pixel's descendants, for lists those that are there",
          "[healpix][hierarchy]") {
  for (const Ordering o : both) {
    const Sky fine(Grid(8), o, some_pixels(8, 5, 1));
    const Hierarchy h(fine, 2, "test");
    std::set<Size> seen;
    for (Size q = 0; q < h.coarse().size(); ++q) {
      Size before = -1;
      h.for_children(q, [&](Size row, Size k) {
        CHECK(k > before);
        before = k;
        CHECK(fine.pixel(row) == h.child_pixel(q, k));
        CHECK(seen.insert(row).second);
      });
      CHECK(before >= 0);
    }
    CHECK(static_cast<Size>(seen.size()) == fine.size());
  }
  CHECK_THROWS_WITH(
      Hierarchy(Sky(Grid(2)), 4, "healpix-pool"),
      "healpix-pool: nside 4 as the coarser of two, 2 as the finer; expected at most the finer");
}

TEST_CASE("pooling in one step is pooling level by level", "[healpix][pool]") {
  const Tensor x = random_map({2, 12 * 256, 3}, 1);
  for (const Ordering o : both) {
    for (const PoolMode mode : modes) {
      const auto pool = [&](Size in, Size out) {
        return [layer = HealpixPool({in, out, o, mode, {}})](Var v) { return layer.pool(v).y; };
      };
      const auto once = run(x, pool(16, 2));
      const auto steps = run(x, [&](Var v) { return pool(4, 2)(pool(8, 4)(pool(16, 8)(v))); });
      CHECK(difference(once.first, steps.first) < tolerance());
      CHECK(difference(once.second, steps.second) < tolerance());
      const auto same = run(x, pool(16, 16));
      CHECK(same.first == values_of(x.matrix()));
    }
  }
}

TEST_CASE("pooling and reordering commute", "[healpix][pool]") {
  const Grid grid(8);
  const Tensor x = random_map({grid.num_pixels(), 2}, 1);
  Tensor ring(x.shape());
  for (Size p = 0; p < grid.num_pixels(); ++p)
    std::copy_n(x.matrix().row(p), 2, ring.matrix().row(grid.nest_to_ring(p)));
  for (const PoolMode mode : modes) {
    Tape tape;
    const ConstMatrixView a = HealpixPool({8, 4, Ordering::nest, mode, {}}).pool(tape.input(x)).y.value();
    const ConstMatrixView b = HealpixPool({8, 4, Ordering::ring, mode, {}}).pool(tape.input(ring)).y.value();
    for (Size q = 0; q < a.rows; ++q) CHECK(a(q, 1) == b(Grid(4).nest_to_ring(q), 1));
  }
}

TEST_CASE("the maximum goes to the first of equals, a NaN before any number", "[healpix][pool]") {
  Tensor x({48, 1});
  x.fill(2);
  x.data()[5] = nan_value;
  x.data()[11] = 7;
  const HealpixPool layer({2, 1, Ordering::nest, PoolMode::max, {}});
  Tape tape;
  tape.reset();
  const PooledMaps pooled = layer.pool(tape.input(x));
  CHECK(pooled.argmax[0] == 0);
  CHECK(pooled.argmax[1] == 5);
  CHECK(std::isnan(pooled.y.value()(1, 0)));
  CHECK(pooled.argmax[2] == 11);
  CHECK(pooled.y.value()(2, 0) == 7);
  for (const PoolMode mode : {PoolMode::mean, PoolMode::sum}) {
    const ConstMatrixView y = HealpixPool({2, 1, Ordering::nest, mode, {}}).pool(tape.input(x)).y.value();
    CHECK(std::isnan(y(1, 0)));
    CHECK_FALSE(std::isnan(y(0, 0)));
  }
}

TEST_CASE("a mask is a list: what it hides is not read", "[healpix][pool]") {
  for (const Ordering o : both) {
    const std::vector<Size> pixels = some_pixels(8, 6, 2);
    const std::vector<std::uint8_t> mask = mask_of(8, pixels);
    Tensor full = random_map({2, 768, 2}, 3), part({2, static_cast<Size>(pixels.size()), 2});
    for (Size b = 0; b < 2; ++b) {
      Size row = 0;
      for (Size p = 0; p < 768; ++p) {
        for (Size c = 0; c < 2; ++c) {
          Real& v = full.matrix()(b * 768 + p, c);
          if (mask[static_cast<std::size_t>(p)] == 0) {
            v = nan_value;
          } else {
            part.matrix()(b * static_cast<Size>(pixels.size()) + row, c) = v;
          }
        }
        row += mask[static_cast<std::size_t>(p)];
      }
    }
    for (const PoolMode mode : modes) {
      const HealpixPool masked({8, 2, o, mode, {}}), list({8, 2, o, mode, pixels});
      std::vector<std::uint8_t> kept;
      const auto a = run(full, [&](Var v) {
        const PooledMaps pooled = masked.pool(v, mask);
        kept = pooled.mask;
        return pooled.y;
      });
      CHECK(all_finite(a.first));
      CHECK(all_finite(a.second));
      const std::vector<Real> b = run(part, [&](Var v) { return list.pool(v).y; }).first;
      std::size_t at = 0;
      for (std::size_t map = 0; map < 2; ++map) {
        for (std::size_t q = 0; q < 48; ++q) {
          CHECK(static_cast<Size>(kept[q]) == (list.output_sky().row(static_cast<Size>(q)) >= 0 ? 1 : 0));
          for (std::size_t c = 0; c < 2; ++c) {
            const Real v = a.first[(map * 48 + q) * 2 + c];
            if (kept[q] == 0) {
              CHECK(v == 0);
            } else {
              CHECK(v == b[at++]);
            }
          }
        }
      }
    }
  }
}

TEST_CASE("a group without a kept pixel gives zero, no pixel and no gradient", "[healpix][pool]") {
  const Tensor x = random_map({48, 1}, 1);
  std::vector<std::uint8_t> mask(48, 0);
  mask[6] = 1;
  const HealpixPool layer({2, 1, Ordering::nest, PoolMode::max, {}});
  const auto [y, dx] = run(x, [&](Var v) {
    const PooledMaps pooled = layer.pool(v, mask);
    CHECK(pooled.argmax[0] == -1);
    CHECK(pooled.argmax[1] == 6);
    return pooled.y;
  });
  CHECK(y[0] == 0);
  CHECK(std::count(dx.begin(), dx.end(), Real{0}) == 47);
  const HealpixPool empty({2, 1, Ordering::nest, PoolMode::mean, std::vector<Size>{}});
  CHECK(run(Tensor({0, 1}), [&](Var v) { return empty.pool(v).y; }).first.empty());
}

TEST_CASE("the error of a large mean does not grow with its group", "[healpix][pool]") {
  const Tensor x = [] {
    Tensor t({12 * 256 * 256, 1});
    t.fill(Real(0.1));
    return t;
  }();
  Tape tape;
  const ConstMatrixView y =
      HealpixPool({256, 1, Ordering::nest, PoolMode::mean, {}}).pool(tape.input(x)).y.value();
  for (Size q = 0; q < 12; ++q)
    CHECK(std::abs(y(q, 0) - Real(0.1)) < 4 * std::numeric_limits<Real>::epsilon() * Real(0.1));
}

TEST_CASE("unpooling puts back what pooling took", "[healpix][unpool]") {
  for (const Ordering o : both) {
    for (const auto& pixels : {std::optional<std::vector<Size>>{}, std::optional(some_pixels(8, 3, 4))}) {
      const HealpixPool pool({8, 2, o, PoolMode::max, pixels});
      HealpixUnpool to_max({2, 8, o, UnpoolMode::max, pixels}), repeat({2, 8, o, UnpoolMode::repeat, pixels});
      const Tensor x = random_map({3, pool.input_sky().size(), 2}, 5);
      Tape tape;
      tape.reset();
      const PooledMaps pooled = pool.pool(tape.input(x));
      CHECK(pool.pool(to_max.unpool(pooled.y, pooled.argmax)).y.value().rows == pooled.y.rows());
      const ConstMatrixView back = to_max.unpool(pooled.y, pooled.argmax).value();
      Size kept = 0, wrong = 0;
      for (Size i = 0; i < back.size(); ++i) {
        kept += back.data[i] != 0;
        wrong += back.data[i] != 0 && back.data[i] != x.data()[i];
      }
      CHECK(kept == pooled.y.shape().count());
      CHECK(wrong == 0);
      const HealpixPool mean({8, 2, o, PoolMode::mean, pixels});
      CHECK(difference(values_of(mean.pool(repeat.forward(pooled.y)).y.value()),
                       values_of(pooled.y.value())) < tolerance());
    }
  }
}

TEST_CASE("unpooling refuses pixels outside their own group", "[healpix][unpool][errors]") {
  HealpixUnpool layer({1, 2, Ordering::nest, UnpoolMode::max, {}});
  const Tensor x = random_map({12, 1}, 1);
  Tape tape;
  std::vector<Size> argmax(12, -1);
  CHECK(values_of(layer.unpool(tape.input(x), argmax).value()) == std::vector<Real>(48, 0));
  argmax[2] = 4;
  CHECK_THROWS_WITH(layer.unpool(tape.input(x), argmax),
                    "healpix-unpool: argmax 4 at row 2, channel 0; expected a descendant of pixel 2, or -1");
  argmax.pop_back();
  CHECK_THROWS_WITH(layer.unpool(tape.input(x), argmax),
                    "healpix-unpool: argmax has 11 entries; expected 12, one per number of x");
  CHECK_THROWS_WITH(layer.forward(tape.input(x)),
                    "healpix-unpool: mode max without argmax; expected that of the matching pool");
  CHECK_THROWS_AS(HealpixUnpool({4, 2, Ordering::nest, UnpoolMode::repeat, {}}), ValueError);
  HealpixUnpool repeat({1, 2, Ordering::nest, UnpoolMode::repeat, {}});
  CHECK_THROWS_AS(repeat.unpool(tape.input(x), argmax), ValueError);
  const Tensor wrong({13, 1});
  CHECK_THROWS_AS(repeat.forward(tape.input(wrong)), ShapeError);
}

TEST_CASE("pooling refuses what does not fit", "[healpix][pool][errors]") {
  const HealpixPool layer({2, 1, Ordering::nest, PoolMode::max, {}});
  const Tensor x({48, 1}), wrong({47, 1});
  Tape tape;
  CHECK_THROWS_WITH(layer.pool(tape.input(wrong)),
                    "healpix-pool: x is [47, 1]; expected [B, 48, 1] or [B 48, 1]");
  CHECK_THROWS_WITH(layer.pool(tape.input(x), std::vector<std::uint8_t>(12)),
                    "healpix-pool: mask has 12 entries; expected 48");
  CHECK_THROWS_WITH(layer.pool(tape.input(x), std::vector<std::uint8_t>(48, 3)),
                    "healpix-pool: mask is 3 at row 0; expected 0 or 1");
  CHECK_THROWS_AS(HealpixPool({2, 4, Ordering::nest, PoolMode::max, {}}), ValueError);
  CHECK_THROWS_AS(HealpixPool({3, 1, Ordering::nest, PoolMode::max, {}}), ValueError);
  CHECK_THROWS_AS(HealpixPool({4, 3, Ordering::nest, PoolMode::max, {}}), ValueError);
}

TEST_CASE("the strided convolution weighs children by their place, x slow and y fast", "[healpix][strided]") {
  for (const Ordering o : both) {
    for (const auto& pixels : {std::optional<std::vector<Size>>{}, std::optional(some_pixels(8, 3, 4))}) {
      HealpixStridedConv layer({8, 2, o, 3, 5, true, pixels});
      layer.init(Rng(1));
      const Sky& fine = layer.input_sky();
      const Tensor x = random_map({2, fine.size(), 3}, 5);
      Tensor& w = layer.state()[0].second->value;
      const auto [y, dx] = run(x, [&](Var v) { return layer.forward(v); });
      std::vector<Real> want;
      for (Size b = 0; b < 2; ++b) {
        for (Size q = 0; q < layer.output_sky().size(); ++q) {
          for (Size out = 0; out < 5; ++out) {
            double sum = 0;
            for (Size row = 0; row < fine.size(); ++row) {
              const FacePixel f = fine.grid().face_pixel(fine.pixel(row), o);
              const Size parent = Grid(2).number({f.x / 4, f.y / 4, f.face}, o);
              if (layer.output_sky().row(parent) != q) continue;
              const Size k = (f.x % 4) * 4 + f.y % 4;
              for (Size c = 0; c < 3; ++c) {
                sum += static_cast<double>(w.data()[(out * 3 + c) * 16 + k]) *
                       static_cast<double>(x.data()[(b * fine.size() + row) * 3 + c]);
              }
            }
            want.push_back(static_cast<Real>(sum));
          }
        }
      }
      CHECK(difference(y, want) < tolerance());
      for (const Real v : w.flat()) CHECK(std::abs(v) <= Real(0.05));
    }
  }
  CHECK_THROWS_WITH(HealpixStridedConv({4, 4, Ordering::nest, 1, 1, false, {}}),
                    "healpix-strided-conv.nside_out: got 4; expected less than nside_in, 4");
  CHECK_THROWS_AS(HealpixStridedConv({4, 3, Ordering::nest, 1, 1, false, {}}), ValueError);
  CHECK_THROWS_AS(HealpixStridedConv({4, 2, Ordering::nest, 0, 1, false, {}}), ValueError);
  HealpixStridedConv layer({2, 1, Ordering::nest, 3, 2, false, {}});
  Tape tape;
  const Tensor x({48, 2});
  CHECK_THROWS_WITH(layer.forward(tape.input(x)),
                    "healpix-strided-conv: x is [48, 2]; expected [B, 48, 3] or [B 48, 3]");
}

TEST_CASE("degraded and upgraded maps keep what was not seen", "[healpix][grades]") {
  Tensor map = random_map({192, 2}, 1);
  const Real gone = static_cast<Real>(unseen);
  for (Size p = 0; p < 16; ++p) map.matrix()(p, 0) = gone;  // all of one pixel at nside 1
  map.matrix()(17, 0) = gone;
  const Tensor coarse = degrade(map, 4, 1, Ordering::nest);
  CHECK(is_unseen(coarse.matrix()(0, 0)));
  CHECK_FALSE(is_unseen(coarse.matrix()(0, 1)));
  double sum = 0;
  for (Size p = 16; p < 32; ++p) sum += p == 17 ? 0 : static_cast<double>(map.matrix()(p, 0));
  CHECK(static_cast<double>(coarse.matrix()(1, 0)) == Approx(sum / 15));

  const Tensor fine = upgrade(coarse, 1, 4, Ordering::ring, 2);
  for (Size p = 0; p < 192; ++p) {
    const Size parent = Grid(1).nest_to_ring(Grid(4).ring_to_nest(p) / 16);
    if (parent == 0) {
      CHECK(is_unseen(fine.matrix()(p, 0)));
    } else {
      CHECK(fine.matrix()(p, 0) == Approx(16 * coarse.matrix()(parent, 0)));
    }
  }
  CHECK(difference(degrade(fine, 4, 1, Ordering::ring, 2).flat().subspan(2), coarse.flat().subspan(2)) <
        (sizeof(Real) == 4 ? 1e-5 : 1e-12) * 4);
  CHECK_THROWS_WITH(degrade(map, 2, 1, Ordering::nest),
                    "healpix-degrade: map is [192, 2]; expected [48, C] at nside 2");
  CHECK_THROWS_AS(degrade(map, 4, 8, Ordering::nest), ValueError);
  CHECK_THROWS_AS(upgrade(map, 4, 2, Ordering::nest), ValueError);
  CHECK_THROWS_AS(upgrade(map, 2, 4, Ordering::nest), ShapeError);
}

TEST_CASE("layers of the hierarchy have the same bits for 1, 2 and 7 threads", "[healpix][pool][threads]") {
  const Tensor x = random_map({3, 12 * 32 * 32, 4}, 1), coarse = random_map({3, 192, 4}, 2);
  const auto all = [&](int threads) {
    const Threads limit(threads);
    std::vector<std::vector<Real>> results;
    const auto keep = [&](std::pair<std::vector<Real>, std::vector<Real>> r) {
      results.push_back(std::move(r.first));
      results.push_back(std::move(r.second));
    };
    for (const Ordering o : both) {
      for (const PoolMode mode : modes)
        keep(run(x, [&](Var v) { return HealpixPool({32, 4, o, mode, {}}).pool(v).y; }));
      keep(run(coarse, [&](Var v) {
        HealpixUnpool layer({4, 32, o, UnpoolMode::repeat, {}});
        return layer.forward(v);
      }));
    }
    return results;
  };
  const auto one = all(1);
  CHECK(all(2) == one);
  CHECK(all(7) == one);
}

#if TARN_DOUBLE
TEST_CASE("gradients of the strided convolution agree with central differences",
          "[healpix][strided][gradients]") {
  for (const Ordering o : both) {
    HealpixStridedConv layer({4, 1, o, 2, 3, true, {}});
    layer.init(Rng(1));
    Tensor x = random_map({2, 192, 2}, 5);
    const Tensor dy = random_map({2, 12, 3}, 99);
    const auto loss = [&] {
      Tape tape;
      tape.reset();
      const ConstMatrixView y = layer.forward(tape.input(x)).value();
      return std::inner_product(y.data, y.data + y.size(), dy.data(), 0.0);
    };
    const auto dx = run(x, [&](Var v) { return layer.forward(v); }).second;
    check_directional_derivative(x, dx, Rng(3), loss);
    for (Parameter* p : layer.parameters()) {
      const std::vector<Real> gradient = values_of(p->grad.matrix());
      check_directional_derivative(p->value, gradient, Rng(4), loss);
    }
  }
}
#endif
