#include "tarn/experiments/sphere/healpix_bands.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/segment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tarn {

namespace {

const HealpixBandsOptions& checked(const HealpixBandsOptions& o) {
  check_options(o, "healpix-bands");
  if (o.readout != "flatten") {
    throw ValueError(fmt::format(
        "healpix-bands.readout: got {}; expected flatten, for the network averages over pixels itself",
        o.readout));
  }
  return o;
}

HealpixChebConvOptions filter_options(const HealpixBandsOptions& o) {
  HealpixChebConvOptions c;
  static_cast<SphereGraphOptions&>(c) = o;
  c.in_channels = o.in_channels;
  c.out_channels = o.bands;
  c.kernel_size = o.kernel_size;
  c.bias = false;
  return c;
}

/// Coefficients of the Chebyshev series of a band about `centre` in t = arccos(x): c_k = (2 - [k = 0]) / pi
/// times the integral of g(t) cos(k t).
std::vector<double> band_series(double centre, double width, Size order) {
  constexpr int points = 512;
  std::vector<double> series;
  for (Size k = 0; k < order; ++k) {
    double sum = 0;
    for (int i = 0; i < points; ++i) {
      const double t = std::numbers::pi * (i + 0.5) / points, d = (t - centre) / width;
      sum += std::exp(-d * d / 2) * std::cos(static_cast<double>(k) * t);
    }
    series.push_back((k == 0 ? 1.0 : 2.0) * sum / points);
  }
  return series;
}

}  // namespace

void HealpixBandsOptions::fields(Fields& f) {
  SphereGraphOptions::fields(f);
  f("in_channels", in_channels, at_least(1), "channels of the maps");
  f("out_features", out_features, at_least(1), "numbers per map");
  f("bands", bands, at_least(1), "filters, shared out among the channels");
  f("kernel_size", kernel_size, at_least(2), "number of polynomials: the more, the narrower a band can be");
  f("floor", floor, above(0), "power below which bands are alike");
  f("hidden", hidden, at_least(1), "width of the hidden layer");
  f("readout", readout, "flatten: the network averages over pixels itself");
}

inline namespace TARN_PRECISION {

namespace {

/// ln(x + floor), element by element; x at least 0.
Var log_above(Var x, double floor) {
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const MatrixView y = tape.allocate(x.shape());
  for (Size i = 0; i < in.rows; ++i) {
    for (Size j = 0; j < in.cols; ++j) {
      y(i, j) = static_cast<Real>(std::log(static_cast<double>(in(i, j)) + floor));
    }
  }
  return tape.record("log_above", x.shape(), y, {x}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dx = tape.grad(x);
    for (Size i = 0; i < in.rows; ++i) {
      for (Size j = 0; j < in.cols; ++j) {
        dx(i, j) +=
            static_cast<Real>(static_cast<double>(dy(i, j)) / (static_cast<double>(in(i, j)) + floor));
      }
    }
  });
}

/// (x - mean) / deviation, column by column.
Var standardised(Var x, const Tensor& mean, const Tensor& deviation) {
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const Real *m = mean.data(), *d = deviation.data();
  const MatrixView y = tape.allocate(x.shape());
  for (Size i = 0; i < in.rows; ++i) {
    for (Size j = 0; j < in.cols; ++j) y(i, j) = (in(i, j) - m[j]) / d[j];
  }
  return tape.record("standardised", x.shape(), y, {x}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dx = tape.grad(x);
    for (Size i = 0; i < dy.rows; ++i) {
      for (Size j = 0; j < dy.cols; ++j) dx(i, j) += dy(i, j) / d[j];
    }
  });
}

}  // namespace

HealpixBands::HealpixBands(const Options& o)
    : sky_(checked(o).sky("healpix-bands")),
      in_channels_(o.in_channels),
      out_features_(o.out_features),
      floor_(o.floor),
      filters_(&child("bands", std::make_unique<HealpixChebConv>(filter_options(o)))) {
  const auto linear_layer = [&](const char* name, Size in, Size out) {
    return &child(name, std::make_unique<Linear>(in, out, Bias::yes, glorot(in, out), constant(0)));
  };
  hidden_ = linear_layer("hidden", o.bands, o.hidden);
  out_ = linear_layer("out", o.hidden, o.out_features);
  band_mean_ = &state_tensor("band_mean", {o.bands}, 0);
  band_deviation_ = &state_tensor("band_deviation", {o.bands}, 1);
}

Var HealpixBands::powers(const SphereMaps& maps) {
  const Var x = require_maps("healpix-bands", maps);
  const Var filtered = filters_->forward(x);
  const Size bands = filtered.cols(), count = filtered.rows() / std::max<Size>(sky_.size(), 1);
  const Var rows = reshape(filtered, {count * sky_.size(), bands});
  const Var power =
      segment_reduce(multiply_elements(rows, rows), Segments::uniform(count, sky_.size()), Reduce::mean);
  return log_above(power, floor_);  // [B, bands]
}

Var HealpixBands::forward(const SphereMaps& maps) {
  const Var features = standardised(powers(maps), band_mean_->value, band_deviation_->value);
  return out_->forward(hidden_->forward(features, Activation::relu));
}

/// Bands over the part of the spectrum in which there is something, the widest distance from the constant at
/// t = pi (eigenvalue 0) to t = 0.
void HealpixBands::start_bands() {
  for (const auto& [name, parameter] : state()) {
    if (name != "bands.weight") continue;
    const Size order = parameter->value.shape()[0], bands = parameter->value.shape()[2];
    parameter->value.fill(0);
    const Size own = (bands + in_channels_ - 1) / in_channels_;
    const double distance = std::numbers::pi / static_cast<double>(own),
                 width = std::max(distance / 2, 1.5 / static_cast<double>(order));
    for (Size band = 0; band < bands; ++band) {
      const Size channel = band / own;
      const double centre = std::numbers::pi - (static_cast<double>(band % own) + 0.5) * distance;
      const std::vector<double> series = band_series(centre, width, order);
      for (Size k = 0; k < order; ++k) {
        parameter->value.data()[(k * in_channels_ + channel) * bands + band] =
            static_cast<Real>(series[static_cast<std::size_t>(k)]);
      }
    }
  }
}

void HealpixBands::calibrate(const SphereMaps& maps) {
  start_bands();
  const ConstMatrixView features = powers(maps).value();
  const auto count = static_cast<double>(std::max<Size>(features.rows, 1));
  for (Size j = 0; j < features.cols; ++j) {
    double sum = 0, squares = 0;
    for (Size i = 0; i < features.rows; ++i) sum += static_cast<double>(features(i, j));
    const double mean = sum / count;
    for (Size i = 0; i < features.rows; ++i) {
      squares += std::pow(static_cast<double>(features(i, j)) - mean, 2);
    }
    const double deviation = std::sqrt(squares / count);
    band_mean_->value.data()[j] = static_cast<Real>(mean);
    band_deviation_->value.data()[j] = static_cast<Real>(deviation > 1e-6 ? deviation : 1);
  }
}

}  // namespace TARN_PRECISION
}  // namespace tarn
