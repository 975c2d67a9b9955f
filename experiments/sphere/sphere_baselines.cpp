#include "tarn/experiments/sphere/sphere_baselines.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/field_bounds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tarn {

namespace {

constexpr const char* part = "test";
/// With fewer the transform puts power into degrees where there is none.
constexpr Size iterations = 10;

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

/// Spectra of a map by its parameter: that of the temperature, or of E and B.
std::vector<std::vector<double>> observed_spectra(const std::string& name, const SphereFields& fields,
                                                  Size map) {
  std::vector<healpix::Coefficients> alm;
  if (name == "exact-likelihood") {
    alm = fields.coefficients(part, map);
  } else {
    const FieldMaps maps = fields.maps(part, map);
    if (maps.size() == 1) {
      alm.push_back(fields.transform().analysis(maps[0], iterations));
    } else {
      healpix::HarmonicTransform::Modes modes =
          fields.transform().polarised_analysis(maps[0], maps[1], iterations);
      alm = {std::move(modes.e), std::move(modes.b)};
    }
  }
  alm.resize(at(fields.num_targets()));
  std::vector<std::vector<double>> spectra;
  for (const healpix::Coefficients& a : alm) spectra.push_back(healpix::power_spectrum(a, fields.lmax()));
  return spectra;
}

std::vector<double> spectrum_estimates(const std::string& name, const SphereFields& fields, Size count) {
  const SphereFields::Search range = fields.search();
  const healpix::SpectrumEstimator estimator(healpix::parameter_grid(range.low, range.high, range.step),
                                             [&](double value) { return fields.total_power(value); });
  std::vector<double> result(at(count * fields.num_targets()));
  for_jobs(count, [&](Size map) {
    const auto spectra = observed_spectra(name, fields, map);
    for (std::size_t t = 0; t < spectra.size(); ++t) {
      result[at(map * fields.num_targets()) + t] = estimator(spectra[t]);
    }
  });
  return result;
}

std::vector<double> pixel_estimates(const SphereFields& fields, const healpix::Sky& sky, Size count) {
  const SphereFields::Search range = fields.search();
  const healpix::PixelEstimator estimator(
      sky, healpix::parameter_grid(range.low, range.high, range.step),
      [&](double value) { return fields.power(value); },
      [&](double value) {
        return std::pow(fields.noise_deviation({&value, 1}), 2);
      });
  std::vector<double> maps(at(count * sky.size()));
  for_jobs(count, [&](Size map) {
    const FieldMaps full = fields.maps(part, map);
    for (Size row = 0; row < sky.size(); ++row) {
      maps[at(map * sky.size() + row)] = full[0][at(sky.pixel(row))];
    }
  });
  return estimator(maps);
}

MetricSet fisher_metrics(const SphereFields& fields, double f_sky, Size count) {
  // The mean of the absolute value of a normal number.
  const double mean_absolute = std::sqrt(2 / std::numbers::pi);
  double percent = 0, mae = 0, squares = 0;
  std::vector<double> each(at(fields.num_targets()));
  for (Size map = 0; map < count; ++map) {
    const std::vector<double> targets = fields.targets(part, map);
    const std::vector<double> deviations = fisher_deviations(fields, targets, f_sky);
    const double share = 1 / static_cast<double>(count * fields.num_targets());
    for (std::size_t t = 0; t < targets.size(); ++t) {
      const double own = 100 * mean_absolute * deviations[t] / targets[t];
      percent += own * share;
      each[t] += own / static_cast<double>(count);
      mae += mean_absolute * deviations[t] * share;
      squares += deviations[t] * deviations[t] * share;
    }
  }
  MetricSet metrics;
  metrics.set("percent_error", percent);
  metrics.set("mae", mae);
  metrics.set("rmse", std::sqrt(squares));
  for (std::size_t t = 0; each.size() > 1 && t < each.size(); ++t) {
    metrics.set(fmt::format("{}_percent_error", t), each[t]);
  }
  return metrics;
}

}  // namespace

bool has_baseline(const std::string& name, SphereTask task, double f_sky, double noise, Size pixels) {
  if (name == "fisher") return true;
  if (name == "pixel-likelihood") {
    return task == SphereTask::peak && f_sky < 1 && pixels > 0 && pixels <= most_pixels;
  }
  return f_sky == 1 && (name != "exact-likelihood" || noise == 0);
}

std::vector<double> fisher_deviations(const SphereFields& fields, std::span<const double> targets,
                                      double f_sky) {
  const double noise = healpix::noise_power(fields.transform().grid(), fields.noise_deviation(targets));
  std::vector<double> result;
  for (const double target : targets) {
    std::vector<double> power = fields.power(target);
    for (double& c : power) c += noise;
    result.push_back(1 / std::sqrt(healpix::fisher_information(power, fields.slope(target), f_sky)));
  }
  return result;
}

std::vector<double> baseline_estimates(const std::string& name, const SphereFields& fields,
                                       const healpix::Sky& sky, Size count) {
  if (name == "fisher") throw ValueError("fisher: bounds a deviation and estimates nothing");
  return name == "pixel-likelihood" ? pixel_estimates(fields, sky, count)
                                    : spectrum_estimates(name, fields, count);
}

MetricSet baseline_metrics(const std::string& name, const SphereFields& fields, const healpix::Sky& sky,
                           Size count) {
  if (name == "fisher") return fisher_metrics(fields, sky.fraction(), count);
  SphereSamples samples;
  for (Size map = 0; map < count; ++map) {
    const std::vector<double> own = fields.targets(part, map);
    samples.targets.insert(samples.targets.end(), own.begin(), own.end());
  }
  return sphere_metrics({.num_classes = 0, .num_targets = fields.num_targets()}, samples,
                        baseline_estimates(name, fields, sky, count));
}

}  // namespace tarn
