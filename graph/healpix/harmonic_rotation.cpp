#include "tarn/graph/healpix/harmonic_rotation.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <cmath>

namespace tarn::healpix {

namespace {

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

/// R = Z(alpha) Y(beta) Z(gamma).
struct EulerAngles {
  double alpha = 0;
  double beta = 0;
  double gamma = 0;
};

EulerAngles euler_angles(const Rotation& rotation) {
  const std::array<double, 9> r = rotation.matrix();
  const double sine = std::hypot(r[2], r[5]);
  EulerAngles angles{.beta = std::atan2(sine, r[8])};
  if (sine > 0) {
    angles.alpha = std::atan2(r[5], r[2]);
    angles.gamma = std::atan2(r[7], -r[6]);
  } else {  // a turn about the axis, after half a turn about y or none
    angles.alpha = r[8] > 0 ? std::atan2(r[3], r[0]) : std::atan2(-r[3], -r[0]);
  }
  return angles;
}

/// The matrices d^j(beta), j = 0, 1/2, 1, ...: entry [i, k] is that of m = i - j and m' = k - j.
class WignerMatrix {
 public:
  WignerMatrix(double beta, Size lmax)
      : cosine_(std::cos(beta / 2)),
        sine_(std::sin(beta / 2)),
        width_(2 * lmax + 1),
        entries_(at(width_ * width_)),
        next_(entries_.size()) {
    entries_[0] = 1;
    for (Size i = 0; i < width_; ++i) roots_.push_back(std::sqrt(static_cast<double>(i)));
  }

  [[nodiscard]] double operator()(Size i, Size k) const { return entries_[at(i * width_ + k)]; }

  /// From j to j + 1/2.
  void couple() {
    const Size n = ++twice_j_;
    const double scale = 1 / static_cast<double>(n);
    for (Size i = 0; i <= n; ++i) {
      const double up = roots_[at(i)], down = roots_[at(n - i)];
      for (Size k = 0; k <= n; ++k) {
        double sum = 0;
        if (i > 0 && k > 0) sum += up * roots_[at(k)] * cosine_ * (*this)(i - 1, k - 1);
        if (i > 0 && k < n) sum -= up * roots_[at(n - k)] * sine_ * (*this)(i - 1, k);
        if (i < n && k > 0) sum += down * roots_[at(k)] * sine_ * (*this)(i, k - 1);
        if (i < n && k < n) sum += down * roots_[at(n - k)] * cosine_ * (*this)(i, k);
        next_[at(i * width_ + k)] = scale * sum;
      }
    }
    std::swap(entries_, next_);
  }

 private:
  double cosine_, sine_;
  Size width_, twice_j_ = 0;
  std::vector<double> entries_, next_, roots_;
};

}  // namespace

Coefficients rotate_coefficients(std::span<const std::complex<double>> alm, Size lmax,
                                 const Rotation& rotation) {
  const HarmonicIndex index{lmax};
  if (lmax < 0 || static_cast<Size>(alm.size()) != index.count()) {
    throw ShapeError(fmt::format("healpix-rotate-coefficients: got {} coefficients; expected {} for lmax {}",
                                 alm.size(), lmax < 0 ? 0 : index.count(), lmax));
  }
  const EulerAngles angles = euler_angles(rotation);
  WignerMatrix d(angles.beta, lmax);
  Coefficients result(alm.size());
  std::vector<std::complex<double>> row;  // exp(-i m' gamma) a_lm', m' = -l .. l
  for (Size l = 0; l <= lmax; ++l) {
    if (l > 0) {
      d.couple();
      d.couple();
    }
    row.assign(at(2 * l + 1), {});
    row[at(l)] = alm[at(index(l, 0))].real();
    for (Size m = 1; m <= l; ++m) {
      const std::complex<double> turned =
          std::polar(1.0, -static_cast<double>(m) * angles.gamma) * alm[at(index(l, m))];
      row[at(l + m)] = turned;
      row[at(l - m)] = (m % 2 == 0 ? 1.0 : -1.0) * std::conj(turned);
    }
    for (Size m = 0; m <= l; ++m) {
      std::complex<double> sum = 0;
      for (Size k = 0; k <= 2 * l; ++k) sum += d(l + m, k) * row[at(k)];
      result[at(index(l, m))] = std::polar(1.0, -static_cast<double>(m) * angles.alpha) * sum;
    }
  }
  return result;
}

}  // namespace tarn::healpix
