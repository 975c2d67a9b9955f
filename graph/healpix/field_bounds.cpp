#include "tarn/graph/healpix/field_bounds.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"

#include <Eigen/Cholesky>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tarn::healpix {

namespace {

constexpr double pi = std::numbers::pi;
/// Monopole and dipole are not looked at.
constexpr std::size_t lowest_degree = 2;
constexpr double jitter = 1e-8;

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

void require_grid(const std::vector<double>& grid) {
  const bool rising = std::adjacent_find(grid.begin(), grid.end(), std::greater_equal<>()) == grid.end();
  if (grid.size() >= 3 && rising) return;
  throw ValueError(
      fmt::format("field estimate: a grid of {} values{}; expected at least 3, each above the one before",
                  grid.size(), rising ? "" : " that do not rise"));
}

/// Sum of c_l P_l(z) by Clenshaw's recurrence.
double legendre_sum(std::span<const double> c, double z) {
  double after = 0, here = 0;
  for (std::size_t l = c.size(); l-- > 1;) {
    const auto n = static_cast<double>(l);
    const double next = c[l] + (2 * n + 1) / (n + 1) * z * here - (n + 1) / (n + 2) * after;
    after = here;
    here = next;
  }
  return (c.empty() ? 0 : c[0]) + z * here - after / 2;
}

/// Place of the top of a parabola through three points; the middle one where they do not bend downwards.
double parabola_top(const std::array<double, 3>& x, const std::array<double, 3>& y) {
  const double left = (y[1] - y[0]) / (x[1] - x[0]), right = (y[2] - y[1]) / (x[2] - x[1]);
  const double bend = (right - left) / (x[2] - x[0]);
  if (!(bend < 0)) return x[1];
  return std::clamp((x[0] + x[1]) / 2 - left / (2 * bend), x[0], x[2]);
}

}  // namespace

double fisher_information(std::span<const double> power, std::span<const double> slope, double f_sky) {
  if (power.size() != slope.size()) {
    throw ShapeError(fmt::format("fisher: power of {} degrees, slope of {}; expected as many", power.size(),
                                 slope.size()));
  }
  if (!(f_sky > 0 && f_sky <= 1)) {
    throw ValueError(fmt::format("fisher.f_sky: got {}; expected a number in (0, 1]", f_sky));
  }
  double sum = 0;
  for (std::size_t l = lowest_degree; l < power.size(); ++l) {
    if (!(power[l] > 0)) continue;
    const double relative = slope[l] / power[l];
    sum += (2 * static_cast<double>(l) + 1) / 2 * relative * relative;
  }
  return f_sky * sum;
}

double noise_power(const Grid& grid, double deviation) {
  return deviation * deviation * 4 * pi / static_cast<double>(grid.num_pixels());
}

std::vector<double> parameter_grid(double low, double high, double step) {
  if (!(low < high && step > 0)) {
    throw ValueError(fmt::format("field estimate: a grid from {} to {} in steps of {}; expected a rising one",
                                 low, high, step));
  }
  const auto steps = std::max<Size>(2, static_cast<Size>(std::ceil((high - low) / step - 1e-9)));
  std::vector<double> grid;
  for (Size i = 0; i <= steps; ++i) {
    grid.push_back(low + (high - low) * static_cast<double>(i) / static_cast<double>(steps));
  }
  return grid;
}

SpectrumEstimator::SpectrumEstimator(std::vector<double> grid, SpectrumOf spectrum)
    : grid_(std::move(grid)), spectrum_(std::move(spectrum)) {
  require_grid(grid_);
  for (const double value : grid_) powers_.push_back(spectrum_(value));
  for (std::size_t l = 0; l < powers_.front().size(); ++l) {
    used_.push_back(l >= lowest_degree && powers_.front()[l] > 0);
  }
}

double SpectrumEstimator::badness(std::span<const double> observed, std::span<const double> power) const {
  double sum = 0;
  for (std::size_t l = 0; l < observed.size(); ++l) {
    if (!used_[l]) continue;
    sum += (2 * static_cast<double>(l) + 1) * (observed[l] / power[l] + std::log(power[l]));
  }
  return sum;
}

double SpectrumEstimator::operator()(std::span<const double> observed) const {
  if (observed.size() != used_.size()) {
    throw ShapeError(
        fmt::format("field estimate: a spectrum of {} degrees; expected {}", observed.size(), used_.size()));
  }
  std::vector<double> values;
  for (const std::vector<double>& power : powers_) values.push_back(badness(observed, power));
  const auto best = static_cast<std::size_t>(std::min_element(values.begin(), values.end()) - values.begin());
  double low = grid_[best == 0 ? 0 : best - 1], high = grid_[std::min(best + 1, grid_.size() - 1)];
  const double golden = (std::sqrt(5.0) - 1) / 2;
  const auto look = [&](double value) { return badness(observed, spectrum_(value)); };
  double left = high - golden * (high - low), right = low + golden * (high - low);
  double at_left = look(left), at_right = look(right);
  for (int i = 0; i < 30; ++i) {
    if (at_left <= at_right) {
      high = right;
      right = left;
      at_right = at_left;
      left = high - golden * (high - low);
      at_left = look(left);
    } else {
      low = left;
      left = right;
      at_left = at_right;
      right = low + golden * (high - low);
      at_right = look(right);
    }
  }
  return (low + high) / 2;
}

PixelEstimator::PixelEstimator(const Sky& sky, std::vector<double> grid, SpectrumOf signal,
                               std::function<double(double)> noise_variance)
    : sky_(sky),
      grid_(std::move(grid)),
      signal_(std::move(signal)),
      noise_variance_(std::move(noise_variance)) {
  require_grid(grid_);
}

std::vector<double> PixelEstimator::log_likelihoods(double value, std::span<const double> maps) const {
  const auto n = static_cast<Eigen::Index>(sky_.size());
  const Eigen::Index count = static_cast<Eigen::Index>(maps.size()) / std::max<Eigen::Index>(n, 1);
  std::vector<double> c = signal_(value);
  for (std::size_t l = 0; l < c.size(); ++l) c[l] *= (2 * static_cast<double>(l) + 1) / (4 * pi);
  std::vector<Vector> centres;
  for (Size row = 0; row < sky_.size(); ++row) {
    centres.push_back(sky_.grid().vector(sky_.pixel(row), sky_.ordering()));
  }
  Eigen::MatrixXd covariance(n, n);
  for (Eigen::Index j = 0; j < n; ++j) {
    for (Eigen::Index i = j; i < n; ++i) {
      const Vector &a = centres[at(i)], &b = centres[at(j)];
      covariance(i, j) = legendre_sum(c, std::clamp(a[0] * b[0] + a[1] * b[1] + a[2] * b[2], -1.0, 1.0));
    }
    covariance(j, j) += noise_variance_(value) + jitter;
  }
  const Eigen::LLT<Eigen::MatrixXd, Eigen::Lower> factor(covariance);
  if (factor.info() != Eigen::Success) {
    throw ValueError(fmt::format(
        "pixel-likelihood: the covariance of {} pixels at {} is not positive; expected a spectrum "
        "with power, or noise",
        n, value));
  }
  double log_determinant = 0;
  for (Eigen::Index i = 0; i < n; ++i) log_determinant += 2 * std::log(factor.matrixLLT()(i, i));
  // A map is a column of the transposed matrix.
  Eigen::MatrixXd white = Eigen::Map<const Eigen::MatrixXd>(maps.data(), n, count);
  factor.matrixL().solveInPlace(white);
  std::vector<double> result;
  for (Eigen::Index m = 0; m < count; ++m) {
    double squares = 0;
    for (Eigen::Index i = 0; i < n; ++i) squares += white(i, m) * white(i, m);
    result.push_back(-(squares + log_determinant) / 2);
  }
  return result;
}

std::vector<double> PixelEstimator::operator()(std::span<const double> maps) const {
  const Size n = sky_.size();
  if (n == 0 || static_cast<Size>(maps.size()) % n != 0) {
    throw ShapeError(
        fmt::format("pixel-likelihood: {} numbers; expected whole maps of {} pixels", maps.size(), n));
  }
  std::vector<std::vector<double>> table(grid_.size());
  for_jobs(static_cast<Size>(grid_.size()),
           [&](Size g) { table[at(g)] = log_likelihoods(grid_[at(g)], maps); });
  std::vector<double> estimates;
  for (std::size_t m = 0; m < table.front().size(); ++m) {
    std::size_t best = 0;
    for (std::size_t g = 1; g < grid_.size(); ++g) {
      if (table[g][m] > table[best][m]) best = g;
    }
    if (best == 0 || best + 1 == grid_.size()) {
      estimates.push_back(grid_[best]);
      continue;
    }
    estimates.push_back(parabola_top({grid_[best - 1], grid_[best], grid_[best + 1]},
                                     {table[best - 1][m], table[best][m], table[best + 1][m]}));
  }
  return estimates;
}

}  // namespace tarn::healpix
