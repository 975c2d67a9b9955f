#include "tarn/experiments/sphere/equivariance.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/gaussian_field.hpp"
#include "tarn/graph/healpix/harmonic_rotation.hpp"
#include "tarn/graph/healpix/symmetry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

using healpix::Coefficients;
using healpix::Grid;
using healpix::HarmonicTransform;
using healpix::Ordering;
using healpix::Rotation;

using Map = std::vector<double>;

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

/// Maps [B, P, C] in double precision, one channel of one map after another.
struct MapStack {
  Size channels = 1;
  std::vector<Map> maps;  ///< [B C]
};

double squared_norm(const MapStack& stack) {
  double sum = 0;
  for (const Map& map : stack.maps) {
    for (const double v : map) sum += v * v;
  }
  return sum;
}

double percent_between(const MapStack& a, const MapStack& b, double squared_scale) {
  double sum = 0;
  for (std::size_t i = 0; i < a.maps.size(); ++i) {
    for (std::size_t p = 0; p < a.maps[i].size(); ++p) {
      const double difference = a.maps[i][p] - b.maps[i][p];
      sum += difference * difference;
    }
  }
  return squared_scale > 0 ? 100 * std::sqrt(sum / squared_scale) : 0;
}

MapStack apply(SphereLayer& layer, const MapStack& input) {
  const Size count = static_cast<Size>(input.maps.size()), pixels = layer.input_sky().size();
  Tensor x({count, pixels, 1});
  for (Size i = 0; i < count; ++i) {
    std::transform(input.maps[at(i)].begin(), input.maps[at(i)].end(), x.data() + i * pixels,
                   [](double v) { return static_cast<Real>(v); });
  }
  Tape tape;
  const Var y = layer.forward(tape.input(x.matrix(), {count, pixels, 1}));
  const ConstMatrixView rows = y.value();
  MapStack output{.channels = rows.cols, .maps = {}};
  output.maps.resize(at(count * rows.cols), Map(at(pixels)));
  for (Size i = 0; i < count; ++i) {
    for (Size p = 0; p < pixels; ++p) {
      for (Size c = 0; c < rows.cols; ++c) {
        output.maps[at(i * rows.cols + c)][at(p)] =
            static_cast<double>(rows.data[(i * pixels + p) * rows.stride + c]);
      }
    }
  }
  return output;
}

/// turn(map, field) for every map of a stack, in parallel.
template <class Turn>
MapStack turned(const MapStack& stack, const Turn& turn) {
  MapStack result{.channels = stack.channels, .maps = std::vector<Map>(stack.maps.size())};
  for_jobs(static_cast<Size>(stack.maps.size()),
           [&](Size i) { result.maps[at(i)] = turn(stack.maps[at(i)], i / stack.channels); });
  return result;
}

Map permuted(const Map& map, const std::vector<Size>& from) {
  Map result;
  result.reserve(map.size());
  for (const Size p : from) result.push_back(map[at(p)]);
  return result;
}

Map interpolated(const Map& map, const healpix::MapRotation& rotation) {
  const auto pixels = static_cast<Size>(map.size());
  std::vector<Real> from(map.size()), to(map.size());
  std::transform(map.begin(), map.end(), from.begin(), [](double v) { return static_cast<Real>(v); });
  rotation.apply({from.data(), pixels, 1}, {to.data(), pixels, 1});
  return {to.begin(), to.end()};
}

healpix::Symmetry random_mirror(const Rng& rng) {
  healpix::Symmetry symmetry = healpix::random_turn(rng.split("turn"));
  const auto which = static_cast<Size>(3 * rng.uniform(0));
  symmetry.mirror_phi = which != 1;
  symmetry.mirror_theta = which != 0;
  return symmetry;
}

/// The error under symmetries of the pixels, one for each field.
template <class Draw>
double symmetry_error(SphereLayer& layer, const MapStack& x, const MapStack& y, const Draw& draw) {
  std::vector<std::vector<Size>> from;
  for (Size field = 0; field < static_cast<Size>(x.maps.size()); ++field)
    from.push_back(healpix::symmetry_permutation(layer.input_sky().grid(), Ordering::nest, draw(field)));
  const auto turn = [&](const Map& map, Size field) { return permuted(map, from[at(field)]); };
  return percent_between(apply(layer, turned(x, turn)), turned(y, turn), squared_norm(y));
}

}  // namespace

inline namespace TARN_PRECISION {

EquivarianceErrors measure_equivariance(SphereLayer& layer, const EquivarianceOptions& options,
                                        const Rng& rng) {
  const healpix::Sky& sky = layer.input_sky();
  if (!sky.full() || sky.ordering() != Ordering::nest || layer.output_sky().size() != sky.size()) {
    throw ShapeError(
        "equivariance: got a layer on another sky; expected one from the full sky to the full sky, nest");
  }
  const Grid& grid = sky.grid();
  const Size lmax = options.lmax == 0 ? grid.nside() : options.lmax;
  const HarmonicTransform synthesis(grid, Ordering::nest, lmax);
  const HarmonicTransform analysis(grid, Ordering::nest, std::max(2 * grid.nside(), lmax + lmax % 2));

  std::vector<double> power(at(lmax + 1), 1);
  power[0] = 0;
  std::vector<Coefficients> alm;
  std::vector<Rotation> rotations;
  MapStack x;
  for (Size field = 0; field < options.fields; ++field) {
    const auto number = static_cast<std::uint64_t>(field);
    alm.push_back(
        healpix::gaussian_coefficients(power, healpix::harmonic_normals(rng.split("fields"), number, lmax)));
    rotations.push_back(healpix::random_rotation(rng.split("rotations").split(number)));
    x.maps.push_back(synthesis.synthesis(alm.back()));
  }
  const MapStack y = apply(layer, x);
  const double scale = squared_norm(y);

  EquivarianceErrors errors;
  errors.quarter = symmetry_error(
      layer, x, y, [](Size field) { return healpix::Symmetry{.quarter_turns = 1 + field % 3}; });
  errors.mirror = symmetry_error(layer, x, y, [&](Size field) {
    return random_mirror(rng.split("mirrors").split(static_cast<std::uint64_t>(field)));
  });
  if (options.turning == Turning::interpolation) {
    std::vector<healpix::MapRotation> there, back;
    for (const Rotation& rotation : rotations) {
      there.emplace_back(grid, Ordering::nest, rotation);
      back.emplace_back(grid, Ordering::nest, rotation.inverse());
    }
    const auto turn = [&](const Map& map, Size field) { return interpolated(map, there[at(field)]); };
    const auto return_to = [&](const Map& map, Size field) { return interpolated(map, back[at(field)]); };
    const MapStack gy = turned(y, turn);
    errors.rotation = percent_between(apply(layer, turned(x, turn)), gy, scale);
    errors.transform = percent_between(turned(gy, return_to), y, scale);
    return errors;
  }
  MapStack gx;
  for (std::size_t field = 0; field < alm.size(); ++field)
    gx.maps.push_back(synthesis.synthesis(healpix::rotate_coefficients(alm[field], lmax, rotations[field])));
  MapStack gy{.channels = y.channels, .maps = std::vector<Map>(y.maps.size())}, kept = gy;
  for_jobs(static_cast<Size>(y.maps.size()), [&](Size i) {
    const Coefficients b = analysis.analysis(y.maps[at(i)], options.iterations);
    kept.maps[at(i)] = analysis.synthesis(b);
    gy.maps[at(i)] =
        analysis.synthesis(healpix::rotate_coefficients(b, analysis.lmax(), rotations[at(i / y.channels)]));
  });
  errors.rotation = percent_between(apply(layer, gx), gy, scale);
  errors.transform = percent_between(kept, y, scale);
  return errors;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
