#include "tarn/experiments/sphere/tau_spectra.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/h5.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

/// Second derivatives of the natural cubic spline through (x_i, y_i): a tridiagonal system.
std::vector<double> spline_bend(std::span<const double> x, std::span<const double> y) {
  const std::size_t n = x.size();
  std::vector<double> bend(n), upper(n);
  for (std::size_t i = 1; i + 1 < n; ++i) {
    const double before = x[i] - x[i - 1], after = x[i + 1] - x[i];
    const double jump = 6 * ((y[i + 1] - y[i]) / after - (y[i] - y[i - 1]) / before);
    const double pivot = 2 * (before + after) - before * upper[i - 1];
    upper[i] = after / pivot;
    bend[i] = (jump - before * bend[i - 1]) / pivot;
  }
  for (std::size_t i = n - 1; i-- > 1;) bend[i] -= upper[i] * bend[i + 1];
  return bend;
}

}  // namespace

TauSpectra::TauSpectra(std::vector<double> taus, std::vector<std::vector<double>> power,
                       const std::string& where)
    : taus_(std::move(taus)), power_(std::move(power)) {
  const bool rising = std::adjacent_find(taus_.begin(), taus_.end(), std::greater_equal<>()) == taus_.end();
  if (taus_.size() < 2 || !rising) {
    throw DataError(fmt::format("{}: tau has {} values{}; expected at least 2, each above the one before",
                                where, taus_.size(), rising ? "" : " that do not rise"));
  }
  const bool fits = power_.size() == taus_.size() &&
                    std::all_of(power_.begin(), power_.end(), [&](const std::vector<double>& row) {
                      return !row.empty() && row.size() == power_.front().size();
                    });
  if (!fits)
    throw DataError(where + ": spectra that do not match tau; expected one of equal length for each");
  for (const std::vector<double>& row : power_) {
    for (std::size_t l = 0; l < row.size(); ++l) {
      if (std::isfinite(row[l]) && row[l] >= 0) continue;
      throw DataError(fmt::format("{}: C_l^EE is {} at l = {}; expected a finite number of at least 0", where,
                                  row[l], l));
    }
  }
  bend_.assign(taus_.size(), std::vector<double>(power_.front().size()));
  std::vector<double> column(taus_.size());
  for (std::size_t l = 0; l < power_.front().size(); ++l) {
    for (std::size_t i = 0; i < taus_.size(); ++i) column[i] = power_[i][l];
    const std::vector<double> bend = spline_bend(taus_, column);
    for (std::size_t i = 0; i < taus_.size(); ++i) bend_[i][l] = bend[i];
  }
}

TauSpectra TauSpectra::read(const std::filesystem::path& path) {
  const h5::File file = h5::File::open(path);
  const std::vector<double> taus = file.dataset("tau").read<double>(),
                            ell = file.dataset("ell").read<double>();
  const h5::Dataset cl = file.dataset("cl");
  const auto rows = static_cast<Size>(taus.size()), degrees = static_cast<Size>(ell.size());
  if (!(cl.shape() == Shape{rows, degrees, 4})) {
    throw DataError(fmt::format("{}: cl is {}; expected [{}, {}, 4] for its tau and ell", path.string(),
                                cl.shape().text(), rows, degrees));
  }
  for (std::size_t l = 0; l < ell.size(); ++l) {
    if (ell[l] == static_cast<double>(l)) continue;
    throw DataError(fmt::format("{}: ell[{}] is {}; expected degrees from 0 on", path.string(), l, ell[l]));
  }
  const std::vector<double> all = cl.read<double>();
  std::vector<std::vector<double>> power(taus.size());
  for (std::size_t i = 0; i < taus.size(); ++i) {
    for (std::size_t l = 0; l < ell.size(); ++l) power[i].push_back(all[(i * ell.size() + l) * 4 + 1]);
  }
  return TauSpectra(taus, std::move(power), path.string());
}

std::size_t TauSpectra::piece(double tau, Size lmax) const {
  if (!(tau >= low() && tau <= high())) {
    throw ValueError(fmt::format("tau: got {}; expected a number from {} to {}", tau, low(), high()));
  }
  if (lmax > this->lmax()) {
    throw ValueError(
        fmt::format("tau: spectra up to l = {} asked for; expected at most {}", lmax, this->lmax()));
  }
  const auto after = std::upper_bound(taus_.begin() + 1, taus_.end() - 1, tau);
  return static_cast<std::size_t>(after - taus_.begin()) - 1;
}

std::vector<double> TauSpectra::values(double tau, Size lmax) const {
  const std::size_t i = piece(tau, lmax);
  const double width = taus_[i + 1] - taus_[i], a = (taus_[i + 1] - tau) / width, b = 1 - a;
  std::vector<double> result;
  for (std::size_t l = 0; l <= static_cast<std::size_t>(lmax); ++l) {
    const double curve =
        ((a * a * a - a) * bend_[i][l] + (b * b * b - b) * bend_[i + 1][l]) * width * width / 6;
    result.push_back(std::max(0.0, a * power_[i][l] + b * power_[i + 1][l] + curve));
  }
  return result;
}

std::vector<double> TauSpectra::slopes(double tau, Size lmax) const {
  const std::size_t i = piece(tau, lmax);
  const double width = taus_[i + 1] - taus_[i], a = (taus_[i + 1] - tau) / width, b = 1 - a;
  std::vector<double> result;
  for (std::size_t l = 0; l <= static_cast<std::size_t>(lmax); ++l) {
    const double curve = ((3 * b * b - 1) * bend_[i + 1][l] - (3 * a * a - 1) * bend_[i][l]) * width / 6;
    result.push_back((power_[i + 1][l] - power_[i][l]) / width + curve);
  }
  return result;
}

}  // namespace tarn
