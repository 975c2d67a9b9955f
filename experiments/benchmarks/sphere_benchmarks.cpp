#include "tarn/experiments/benchmarks/sphere_benchmarks.hpp"

#include "tarn/core/losses.hpp"
#include "tarn/core/optimiser.hpp"
#include "tarn/experiments/benchmarks/workload.hpp"
#include "tarn/experiments/sphere/healpix_cnn.hpp"
#include "tarn/graph/healpix/gaussian_field.hpp"
#include "tarn/graph/healpix/neighbours.hpp"
#include "tarn/graph/healpix/project_image.hpp"

#include <fmt/format.h>

namespace tarn {

namespace {

using healpix::Grid;
using healpix::Ordering;

enum class Part { forward, step };

/// What a layer reads and gives.
struct LayerShape {
  Size nside = 0;
  Size in = 0;
  Size out = 0;
};

Tensor random_maps(const Shape& shape) {
  Tensor maps(shape);
  for (Size i = 0; i < maps.size(); ++i) {
    maps.data()[i] = static_cast<Real>(Rng(0).normal(static_cast<std::uint64_t>(i)));
  }
  return maps;
}

/// Times one layer on one map; a step also gives the gradients of the map and of the weights.
Timing time_layer(State& state, SphereLayer& layer, const LayerShape& shape, Part part) {
  layer.init(Rng(0));
  const Tensor x = random_maps({1, Grid(shape.nside).num_pixels(), shape.in});
  Tape tape;
  const auto work = [&] {
    tape.reset({.training = part == Part::step});
    const Var y = layer.forward(tape.input(x, part == Part::step ? NeedsGrad::yes : NeedsGrad::no));
    if (part == Part::forward) return;
    const std::pair<Var, ConstMatrixView> seed{y, y.value()};
    tape.backward(std::span(&seed, 1));
    for (Parameter* p : layer.parameters()) p->has_grad = false;
  };
  // The arena grows to its size.
  work();
  work();
  const Timing timing = time_iterations(state, work);
  state.counters["arena bytes"] = static_cast<double>(tape.arena().peak_bytes());
  return timing;
}

void count_operations(State& state, double operations, const Timing& timing) {
  const double rate = measure_product_rate();
  state.counters["GFLOP/s"] = operations / timing.fastest * 1e-9;
  state.counters["product GFLOP/s"] = rate * 1e-9;
  state.counters["of product rate"] = operations / timing.fastest / rate;
}

/// Three products for a step: of the map, and of the gradients of map and weights.
void bench_conv(State& state, const LayerShape& shape, Part part) {
  HealpixConvOptions options;
  options.nside = shape.nside;
  options.in_channels = shape.in;
  options.out_channels = shape.out;
  HealpixConv layer(options);
  const Timing timing = time_layer(state, layer, shape, part);
  const auto pixels = static_cast<double>(Grid(shape.nside).num_pixels());
  const double passes = part == Part::step ? 3 : 1;
  count_operations(state, passes * 18 * pixels * static_cast<double>(shape.in * shape.out), timing);
  count_bytes(state, passes * pixels * static_cast<double>((shape.in + shape.out) * Size{sizeof(Real)}),
              timing);
}

void bench_cheb(State& state, const LayerShape& shape, Part part) {
  HealpixChebConvOptions options;
  options.nside = shape.nside;
  options.in_channels = shape.in;
  options.out_channels = shape.out;
  options.lambda_max = Value(2.0);
  HealpixChebConv layer(options);
  const Timing timing = time_layer(state, layer, shape, part);
  const double pixels = static_cast<double>(Grid(shape.nside).num_pixels()),
               order = static_cast<double>(options.kernel_size);
  // Products with the weights, and with the eight neighbours and the pixel itself for every order but one.
  const double operations = pixels * (2 * order * static_cast<double>(shape.in * shape.out) +
                                      18 * (order - 1) * static_cast<double>(shape.in));
  count_operations(state, (part == Part::step ? 3 : 1) * operations, timing);
}

void bench_graph(State& state, Size nside) {
  SphereGraphOptions options;
  options.nside = nside;
  const Timing timing =
      time_iterations(state, [&] { benchmark::DoNotOptimize(sphere_graph(options).weights.data()); });
  state.counters["ns/pixel"] = 1e9 * timing.fastest / static_cast<double>(Grid(nside).num_pixels());
}

void bench_neighbours(State& state, Size nside) {
  const Grid grid(nside);
  const Timing timing = time_iterations(state, [&] {
    benchmark::DoNotOptimize(healpix::NeighbourTable<std::int32_t>(grid, Ordering::nest).row(0).data());
  });
  state.counters["ns/pixel"] = 1e9 * timing.fastest / static_cast<double>(grid.num_pixels());
}

enum class Transform { synthesis, polarised_synthesis, analysis };

void bench_transform(State& state, Size nside, Transform kind) {
  const Size lmax = 3 * nside - 1;
  const healpix::HarmonicTransform transform(Grid(nside), Ordering::nest, lmax);
  const healpix::Coefficients alm = healpix::gaussian_coefficients(
      healpix::PeakSpectrum{}.values(lmax), healpix::harmonic_normals(Rng(0), 0, lmax));
  const std::vector<double> map = transform.synthesis(alm);
  const Timing timing = time_iterations(state, [&] {
    switch (kind) {
      case Transform::synthesis:
        benchmark::DoNotOptimize(transform.synthesis(alm).data());
        break;
      case Transform::polarised_synthesis:
        benchmark::DoNotOptimize(transform.polarised_synthesis(alm, alm).q.data());
        break;
      case Transform::analysis:
        benchmark::DoNotOptimize(transform.analysis(map, 0).data());
    }
  });
  state.counters["ms/map"] = 1e3 * timing.fastest;
}

/// An image of 28 x 28 turned at random.
void bench_projection(State& state, Size nside, double size) {
  const healpix::ImageProjector project(Grid(nside), Ordering::nest, 28, 28, size, size);
  std::vector<double> image(28 * 28);
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = static_cast<double>(i % 256);
  std::uint64_t number = 0;
  const Timing timing = time_iterations(state, [&] {
    benchmark::DoNotOptimize(project(image, healpix::random_rotation(Rng(0).split(number++))).map.data());
  });
  state.counters["ms/image"] = 1e3 * timing.fastest;
}

/// A training step of the network for digits on 32 maps of nside 16.
void bench_mnist_step(State& state) {
  constexpr Size batch = 32;
  HealpixCnn network{HealpixCnnOptions{}};
  network.init(Rng(0));
  const auto optimiser = make_adam(network.parameters(), {});
  const Tensor x = random_maps({batch, Grid(16).num_pixels(), 1});
  std::vector<Size> labels;
  for (Size i = 0; i < batch; ++i) labels.push_back(i % 10);
  Tape tape;
  std::uint64_t number = 0;
  const auto work = [&] {
    tape.reset({.training = true, .rng = Rng(0).split(number++)});
    tape.backward(cross_entropy(network.forward({tape.input(x)}), labels));
    optimiser->step();
  };
  work();
  work();
  const Timing timing = time_iterations(state, work);
  state.counters["ms/image"] = 1e3 * timing.fastest / static_cast<double>(batch);
}

}  // namespace

std::vector<BenchmarkEntry> sphere_benchmarks() {
  std::vector<BenchmarkEntry> entries;
  const auto add = [&](std::string name, std::function<void(State&)> run) {
    entries.push_back({std::move(name), std::move(run)});
  };
  for (const Size nside : {64, 128, 256}) {
    for (const auto& [in, out] : {std::pair<Size, Size>{1, 32}, std::pair<Size, Size>{32, 32}}) {
      const LayerShape shape{nside, in, out};
      const std::string name = fmt::format("{}/{}/{}", nside, in, out);
      add("healpix_conv/" + name, [shape](State& s) { bench_conv(s, shape, Part::forward); });
      add("healpix_conv/" + name + "/step", [shape](State& s) { bench_conv(s, shape, Part::step); });
    }
  }
  for (const Size nside : {64, 128}) {
    const LayerShape shape{nside, 32, 32};
    const std::string name = fmt::format("cheb/{}/32/32", nside);
    add(name, [shape](State& s) { bench_cheb(s, shape, Part::forward); });
    add(name + "/step", [shape](State& s) { bench_cheb(s, shape, Part::step); });
  }
  add("healpix_conv/1024/8/8", [](State& s) { bench_conv(s, {1024, 8, 8}, Part::forward); });
  for (const Size nside : {64, 256}) {
    add(fmt::format("healpix_graph/{}", nside), [nside](State& s) { bench_graph(s, nside); });
    add(fmt::format("healpix_neighbours/{}", nside), [nside](State& s) { bench_neighbours(s, nside); });
  }
  for (const Size nside : {16, 64, 128}) {
    const std::string size = fmt::format("{}/{}", nside, 3 * nside - 1);
    add("synth/" + size, [nside](State& s) { bench_transform(s, nside, Transform::synthesis); });
    add("synth_pol/" + size,
        [nside](State& s) { bench_transform(s, nside, Transform::polarised_synthesis); });
    add("analysis/" + size, [nside](State& s) { bench_transform(s, nside, Transform::analysis); });
  }
  for (const double size : {100.0, 180.0}) {
    add(fmt::format("project/16/{}", size), [size](State& s) { bench_projection(s, 16, size); });
  }
  add("sphere_mnist/step", bench_mnist_step);
  return entries;
}

}  // namespace tarn
