#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/conv.hpp"
#include "tarn/graph/healpix/symmetry.hpp"

#include "graph/healpix_maps.hpp"

#include <limits>

using namespace tarn;
using namespace tarn::healpix;
using namespace tarn::test;

namespace {

constexpr std::array both{Ordering::nest, Ordering::ring};
constexpr std::array rules{Missing::zero, Missing::self, Missing::renormalize, Missing::adjacent_mean};

struct Setting {
  Size in = 1, out = 1, maps = 1;
};
constexpr std::array<Setting, 7> settings{
    {{1, 1, 1}, {1, 32, 2}, {32, 1, 3}, {5, 7, 2}, {16, 48, 5}, {33, 2, 1}, {3, 16, 30}}};

struct Result {
  std::vector<Real> y, dx, dw, db;
};

Result run(const NinePoint& conv, const Tensor& x, const Tensor& weight, const Tensor& bias,
           const Epilogue& epilogue = {}) {
  Tape tape;
  tape.reset({.training = true});
  const Var in = tape.input(x, NeedsGrad::yes), w = tape.input(weight, NeedsGrad::yes),
            b = tape.input(bias, NeedsGrad::yes);
  const Var y = conv(in, w, b, epilogue);
  const Tensor dy = random_map(y.shape(), 99);
  const std::pair<Var, ConstMatrixView> seed{y, dy.matrix()};
  tape.backward(std::span(&seed, 1));
  return {values_of(y.value()), values_of(tape.grad(in)), values_of(tape.grad(w)), values_of(tape.grad(b))};
}

/// Adds the bias and applies relu; returns the result.
Tensor finished(Tensor y, const Tensor& bias, bool relu) {
  for (Size i = 0; i < y.size(); ++i) {
    Real& v = y.data()[i];
    v += bias.data()[i % bias.size()];
    if (relu && v < 0) v = 0;
  }
  return y;
}

std::vector<Real> column_sums(ConstMatrixView m) {
  std::vector<double> sums(static_cast<std::size_t>(m.cols));
  for (Size i = 0; i < m.rows; ++i) {
    for (Size j = 0; j < m.cols; ++j) sums[static_cast<std::size_t>(j)] += static_cast<double>(m(i, j));
  }
  return {sums.begin(), sums.end()};
}

void check_against_definition(const Sky& sky, Missing missing, const Setting& s, bool relu) {
  const Tensor x = random_map({s.maps * sky.size(), s.in}, 1), weight = random_map({s.out, s.in, 9}, 2),
               bias = random_map({s.out}, 3);
  const PlainConv plain{sky, missing, weight};
  const Result got = run(NinePoint(sky, missing), x, weight, bias,
                         {.activation = relu ? Activation::relu : Activation::none});
  const Tensor want = finished(plain.forward(x), bias, relu);
  CHECK(difference(got.y, want.flat()) < tolerance());
  Tensor dy = random_map({s.maps * sky.size(), s.out}, 99);
  for (Size i = 0; i < dy.size(); ++i) {
    if (relu && !(got.y[static_cast<std::size_t>(i)] > 0)) dy.data()[i] = 0;
  }
  const auto [dx, dw] = plain.backward(x, std::as_const(dy).matrix());
  CHECK(difference(got.dx, dx.flat()) < tolerance());
  CHECK(difference(got.dw, dw.flat()) < tolerance());
  CHECK(difference(got.db, column_sums(std::as_const(dy).matrix())) < tolerance());
}

/// A list with runs, holes and single pixels.
Sky ragged_sky(const Grid& grid, Ordering ordering) {
  std::vector<Size> pixels;
  for (Size p = 0; p < grid.num_pixels(); ++p) {
    if (p % 7 != 3 && (p / 11) % 3 != 1) pixels.push_back(p);
  }
  return {grid, ordering, std::move(pixels)};
}

}  // namespace

void check_all(const Grid& grid, std::span<const Setting> chosen) {
  for (const Missing missing : rules) {
    for (const Ordering o : both) {
      for (const Setting& s : chosen) {
        INFO("nside " << grid.nside() << " rule " << static_cast<int>(missing) << " ordering "
                      << static_cast<int>(o) << ' ' << s.in << "->" << s.out);
        check_against_definition(Sky(grid, o), missing, s, s.maps % 2 == 0);
      }
    }
  }
}

TEST_CASE("the convolution over tiles is what its definition says, with all gradients", "[healpix][conv]") {
  check_all(Grid(1), settings);
  check_all(Grid(2), settings);
  check_all(Grid(4), std::span(settings).first(3));
}

TEST_CASE("so it is on larger faces and with many maps", "[healpix][conv][slow]") {
  check_all(Grid(4), settings);
  check_all(Grid(8), settings);
}

TEST_CASE("faces of several tiles convolve as one", "[healpix][conv][slow]") {
  for (const Size nside : {32, 64}) {
    for (const Missing missing : rules) check_against_definition(Sky(Grid(nside)), missing, {3, 4, 1}, true);
    check_against_definition(Sky(Grid(nside), Ordering::ring), Missing::self, {2, 16, 2}, false);
  }
}

TEST_CASE("the convolution over lists of pixels is what its definition says", "[healpix][conv][slow]") {
  for (const Missing missing : {Missing::zero, Missing::self, Missing::renormalize}) {
    for (const Ordering o : both) {
      for (const Setting& s : settings) {
        check_against_definition(ragged_sky(Grid(8), o), missing, s, s.maps % 2 == 0);
        check_against_definition(mask_cap(Grid(4), o, 0.3), missing, s, false);
      }
      check_against_definition(Sky(Grid(8), o, {}), missing, {3, 2, 2}, true);
      check_against_definition(Sky(Grid(8), o, {17}), missing, {3, 2, 2}, true);
    }
  }
}

TEST_CASE("a list of all pixels gives what the full sky gives", "[healpix][conv]") {
  const Grid grid(16);
  std::vector<Size> all(static_cast<std::size_t>(grid.num_pixels()));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<Size>(i);
  const Tensor x = random_map({2 * grid.num_pixels(), 6}, 1), w = random_map({9, 6, 9}, 2),
               b = random_map({9}, 3);
  for (const Missing missing : {Missing::zero, Missing::self, Missing::renormalize}) {
    const Result full = run(NinePoint(Sky(grid), missing), x, w, b);
    const Result list = run(NinePoint(Sky(grid, Ordering::nest, all), missing), x, w, b);
    CHECK(difference(list.y, full.y) < tolerance());
    CHECK(difference(list.dx, full.dx) < tolerance());
    CHECK(difference(list.dw, full.dw) < tolerance());
    CHECK(difference(list.db, full.db) < tolerance());
  }
}

TEST_CASE("pooling in the same pass gives what the four children say", "[healpix][conv][pool]") {
  for (const Size nside : {2, 8, 64}) {
    const Sky sky{Grid(nside)};
    const Size maps = nside == 64 ? 1 : 5, out = nside == 8 ? 16 : 5;
    const Tensor x = random_map({maps, sky.size(), 3}, 4), w = random_map({out, 3, 9}, 5),
                 b = random_map({out}, 6);
    for (const bool relu : {false, true}) {
      const Tensor before = finished(PlainConv{sky, Missing::self, w}.forward(x), b, relu);
      for (const PoolMode mode : {PoolMode::max, PoolMode::mean, PoolMode::sum}) {
        const Result got = run(NinePoint(sky, Missing::self), x, w, b,
                               {.activation = relu ? Activation::relu : Activation::none, .pool = mode});
        const Tensor dy = random_map({maps, sky.size() / 4, out}, 99);
        Tensor want({maps * sky.size() / 4, out}), d_before({maps * sky.size(), out});
        for (Size q = 0; q < want.shape()[0]; ++q) {
          for (Size o = 0; o < out; ++o) {
            Size best = 0;
            Real sum = 0;
            for (Size c = 0; c < 4; ++c) {
              if (before.matrix()(4 * q + c, o) > before.matrix()(4 * q + best, o)) best = c;
              sum += before.matrix()(4 * q + c, o);
            }
            const Real max = before.matrix()(4 * q + best, o);
            want.matrix()(q, o) = mode == PoolMode::max ? max : mode == PoolMode::mean ? sum / 4 : sum;
            for (Size c = 0; c < 4; ++c) {
              const bool alive = !relu || before.matrix()(4 * q + c, o) > 0;
              const bool reached = mode != PoolMode::max || c == best;
              const Real share = mode == PoolMode::mean ? Real(0.25) : Real(1);
              d_before.matrix()(4 * q + c, o) = alive && reached ? share * dy.matrix()(q, o) : Real{0};
            }
          }
        }
        CHECK(difference(got.y, want.flat()) < tolerance());
        const auto [dx, dw] = PlainConv{sky, Missing::self, w}.backward(x, std::as_const(d_before).matrix());
        CHECK(difference(got.dx, dx.flat()) < tolerance());
        CHECK(difference(got.dw, dw.flat()) < tolerance());
        CHECK(difference(got.db, column_sums(std::as_const(d_before).matrix())) < tolerance());
      }
    }
  }
}

TEST_CASE("the convolution has the same bits for 1, 2 and 7 threads", "[healpix][conv][threads]") {
  const Grid grid(16);
  const Tensor x = random_map({7 * grid.num_pixels(), 4}, 1), w = random_map({20, 4, 9}, 2),
               b = random_map({20}, 3);
  const auto with = [&](int threads, const NinePoint& conv, const Epilogue& epilogue) {
    const Threads limit(threads);
    const bool list = !conv.sky().full();
    const Tensor part = random_map({3 * conv.sky().size(), 4}, 5);
    return run(conv, list ? part : x, w, b, epilogue);
  };
  const NinePoint full(Sky(grid), Missing::renormalize),
      list(ragged_sky(grid, Ordering::ring), Missing::self);
  const std::array<std::pair<const NinePoint*, Epilogue>, 3> cases{
      {{&full, {}}, {&full, {Activation::relu, PoolMode::max}}, {&list, {Activation::relu, {}}}}};
  for (const auto& [conv, epilogue] : cases) {
    const Result one = with(1, *conv, epilogue);
    for (const int threads : {2, 7}) {
      const Result other = with(threads, *conv, epilogue);
      CHECK(other.y == one.y);
      CHECK(other.dx == one.dx);
      CHECK(other.dw == one.dw);
      CHECK(other.db == one.db);
    }
  }
}

TEST_CASE("a map does not see the other maps of its batch", "[healpix][conv]") {
  const Sky sky{Grid(4)};
  const NinePoint conv(sky, Missing::self);
  const Tensor x = random_map({13, sky.size(), 3}, 1), w = random_map({8, 3, 9}, 2), b = random_map({8}, 3);
  const Result all = run(conv, x, w, b);
  for (Size map = 0; map < 13; ++map) {
    const std::size_t rows = static_cast<std::size_t>(sky.size());
    const Tensor one({1, sky.size(), 3},
                     x.flat().subspan(static_cast<std::size_t>(map) * rows * 3, rows * 3));
    const auto part = std::span(all.y).subspan(static_cast<std::size_t>(map) * rows * 8, rows * 8);
    CHECK(difference(run(conv, one, w, b).y, part) < tolerance());
  }
}

TEST_CASE("no maps give no rows, and zero gradients", "[healpix][conv]") {
  for (const Sky& sky : {Sky(Grid(2)), ragged_sky(Grid(4), Ordering::nest)}) {
    const Result got = run(NinePoint(sky, Missing::zero), Tensor({0, sky.size(), 2}),
                           random_map({3, 2, 9}, 1), random_map({3}, 2));
    CHECK(got.y.empty());
    CHECK(got.dw == std::vector<Real>(54, 0));
    CHECK(got.db == std::vector<Real>(3, 0));
  }
}

TEST_CASE("gradients add up where a map or a weight is used twice", "[healpix][conv]") {
  for (const Sky& sky : {Sky(Grid(4)), ragged_sky(Grid(4), Ordering::nest)}) {
    const NinePoint conv(sky, Missing::self);
    const Tensor x = random_map({2 * sky.size(), 3}, 1), w = random_map({3, 3, 9}, 2);
    const auto gradients = [&](bool twice) {
      Tape tape;
      tape.reset({.training = true});
      const Var in = tape.input(x, NeedsGrad::yes), weight = tape.input(w, NeedsGrad::yes);
      const Var y = twice ? add(conv(in, weight, {}), conv(in, weight, {})) : conv(in, weight, {});
      const Tensor dy = random_map(y.shape(), 3);
      const std::pair<Var, ConstMatrixView> seed{y, dy.matrix()};
      tape.backward(std::span(&seed, 1));
      return std::pair{values_of(tape.grad(in)), values_of(tape.grad(weight))};
    };
    auto [dx, dw] = gradients(false);
    for (Real& v : dx) v *= 2;
    for (Real& v : dw) v *= 2;
    const auto [dx2, dw2] = gradients(true);
    CHECK(difference(dx2, dx) < tolerance());
    CHECK(difference(dw2, dw) < tolerance());
  }
}

TEST_CASE("what needs no gradient gets none, and costs no code bytes", "[healpix][conv]") {
  const Sky sky{Grid(8)};
  HealpixConv conv({{.nside = 8}, 2, 16});
  conv.init(Rng(1));
  const Tensor x = random_map({1, sky.size(), 2}, 1);
  Tape tape;
  tape.reset({.training = true});
  const Var y = conv.forward(tape.input(x), {Activation::relu, PoolMode::max});
  const Tensor dy = random_map(y.shape(), 2);
  const std::pair<Var, ConstMatrixView> seed{y, dy.matrix()};
  tape.backward(std::span(&seed, 1));
  REQUIRE(conv.parameters().size() == 1);
  CHECK(conv.parameters()[0]->has_grad);
}

TEST_CASE("strided maps are read as they lie", "[healpix][conv]") {
  const Sky sky{Grid(4)};
  const Tensor wide = random_map({2 * sky.size(), 7}, 1), w = random_map({4, 3, 9}, 2);
  const ConstMatrixView view = wide.matrix().column_block(2, 5);
  Tensor narrow({2 * sky.size(), 3});
  for (Size i = 0; i < view.rows; ++i) std::copy_n(view.row(i), 3, narrow.matrix().row(i));
  Tape tape;
  const NinePoint conv(sky, Missing::zero);
  const Var weight = tape.input(w);
  CHECK(values_of(conv(tape.input(view, {2 * sky.size(), 3}), weight, {}).value()) ==
        values_of(conv(tape.input(narrow), weight, {}).value()));
}

TEST_CASE("a NaN stays inside the neighbourhood of its pixel, in its own map", "[healpix][conv]") {
  const Sky sky{Grid(8)};
  for (const Size pixel : {Size{63}, Size{400}}) {
    Tensor x = random_map({2, sky.size(), 1}, 1);
    x.data()[pixel] = std::numeric_limits<Real>::quiet_NaN();
    Tape tape;
    const Var y = NinePoint(sky, Missing::zero)(tape.input(x), tape.input(random_map({16, 1, 9}, 2)), {},
                                                {.activation = Activation::relu});
    auto around = neighbours(sky.grid(), pixel, Ordering::nest);
    Size lost = 0, outside = 0;
    for (Size row = 0; row < y.rows(); ++row) {
      const bool near = row == pixel || std::find(around.begin(), around.end(), row) != around.end();
      lost += near && std::isnan(y.value()(row, 0));
      outside += !near && std::isnan(y.value()(row, 0));
    }
    CHECK(lost == 1 + std::count_if(around.begin(), around.end(), [](Size q) { return q >= 0; }));
    CHECK(outside == 0);
  }
}

TEST_CASE("the convolution commutes with a turn by 90 degrees and with no mirror", "[healpix][conv]") {
  const Grid grid(8);
  const Tensor x = random_map({grid.num_pixels(), 2}, 1), w = random_map({5, 2, 9}, 2),
               b = random_map({5}, 3);
  const NinePoint conv{Sky(grid), Missing::self};
  const auto moved = [&](std::span<const Real> map, Size width, const std::vector<Size>& permutation) {
    Tensor out({grid.num_pixels(), width});
    for (Size p = 0; p < grid.num_pixels(); ++p)
      std::copy_n(map.data() + permutation[static_cast<std::size_t>(p)] * width, width, out.matrix().row(p));
    return out;
  };
  const std::vector<Real> y = run(conv, x, w, b).y;
  for (const Symmetry s : {Symmetry{.quarter_turns = 1}, Symmetry{.quarter_turns = 2},
                           Symmetry{.quarter_turns = 3}, Symmetry{.mirror_phi = true}}) {
    const auto permutation = symmetry_permutation(grid, Ordering::nest, s);
    const Tensor turned = moved(x.flat(), 2, permutation), want = moved(y, 5, permutation);
    const double error = difference(run(conv, turned, w, b).y, want.flat());
    CHECK((s.mirror_phi ? error > 0.1 : error < tolerance()));
  }
}

TEST_CASE("a forward pass takes the memory of its result and no panel of neighbours", "[healpix][conv]") {
  const Sky sky{Grid(128)};
  const Tensor x = random_map({1, sky.size(), 4}, 1), w = random_map({4, 4, 9}, 2);
  Tape tape;
  tape.reset();
  static_cast<void>(NinePoint(sky, Missing::zero)(tape.input(x), tape.input(w), {}));
  CHECK(tape.arena().peak_bytes() < static_cast<std::size_t>(sky.size() * 4) * sizeof(Real) + 4096);
}

TEST_CASE("healpix-conv says what does not fit", "[healpix][conv][errors]") {
  const auto forward = [](const HealpixConvOptions& options, const Shape& shape) {
    HealpixConv conv(options);
    Tape tape;
    const Tensor x(shape);
    static_cast<void>(conv.forward(tape.input(x)));
  };
  const HealpixConvOptions plain{{.nside = 2}, 3, 4};
  CHECK_THROWS_WITH(forward(plain, {2, 47, 3}),
                    "healpix-conv: x is [2, 47, 3]; expected [B, 48, 3] or [B 48, 3]");
  CHECK_THROWS_AS(forward(plain, {2, 48, 4}), ShapeError);
  CHECK_THROWS_AS(forward(plain, {95, 3}), ShapeError);
  CHECK_THROWS_AS(forward(plain, {48}), ShapeError);
  CHECK_NOTHROW(forward(plain, {96, 3}));
  CHECK_THROWS_WITH(HealpixConv({{.nside = 3}, 1, 1}),
                    "healpix-conv: nside 3; expected a power of two from 1 to 2^29");
  CHECK_THROWS_AS(HealpixConv({{.nside = 2}, 0, 1}), ValueError);
  CHECK_THROWS_AS(HealpixConv({{.nside = 2}, 1, 0}), ValueError);
  CHECK_THROWS_WITH(HealpixConv({{.nside = 1, .pixels = std::vector<Size>{3, 2}}, 1, 1}),
                    "healpix-conv: pixels: 2 follows 3 at place 1; expected a strictly ascending list");
  HealpixConvOptions adjacent{{.nside = 1, .pixels = std::vector<Size>{2, 3}}, 1, 1};
  adjacent.missing = Missing::adjacent_mean;
  CHECK_THROWS_WITH(HealpixConv(adjacent),
                    "healpix-conv.missing: adjacent-mean with a list of pixels, whose adjacent slots may be "
                    "missing too; expected zero, self or renormalize");

  Tape tape;
  const Tensor x({48, 3}), bad({4, 3, 8}), other({4, 2, 9}), good({4, 3, 9}), bias({3});
  const NinePoint conv(Sky(Grid(2)), Missing::zero);
  CHECK_THROWS_WITH(conv(tape.input(x), tape.input(bad), {}),
                    "healpix-conv: weight is [4, 3, 8]; expected [out, in, 9]");
  CHECK_THROWS_AS(conv(tape.input(x), tape.input(other), {}), ShapeError);
  CHECK_THROWS_WITH(conv(tape.input(x), tape.input(good), tape.input(bias)),
                    "healpix-conv: bias is [3]; expected [4]");
  const Epilogue pooled{.pool = PoolMode::max};
  CHECK_THROWS_WITH(
      NinePoint(Sky(Grid(1)), Missing::zero)(tape.input(Tensor({12, 3})), tape.input(good), {}, pooled),
      "healpix-conv: pooling in the same pass over nside 1; expected a full sky in NEST order of "
      "nside 2 or more");
  CHECK_THROWS_AS(
      NinePoint(Sky(Grid(2), Ordering::ring), Missing::zero)(tape.input(x), tape.input(good), {}, pooled),
      ValueError);
  CHECK_THROWS_AS(NinePoint(Sky(Grid(2), Ordering::nest, {1}), Missing::zero)(tape.input(Tensor({1, 3})),
                                                                              tape.input(good), {}, pooled),
                  ValueError);
}
