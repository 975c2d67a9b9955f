#include "tarn/graph/healpix/legendre.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tarn::healpix {

namespace {
/// A number that has grown by this power of two is moved back by it.
constexpr int rescale_bits = 256;
/// Starts above 2^-this need no exponent of their own.
constexpr int safe_bits = 500;
}  // namespace

Legendre::Legendre(const Grid& grid, Size lmax) : lmax_(lmax), num_rings_(2 * grid.nside()) {
  for (Size block = 0; block < num_blocks(); ++block) {
    Lanes z{}, inverse{}, log_sine{};
    for (Size i = 0; i < ring_lanes; ++i) {
      const Ring ring = grid.ring(std::min(block * ring_lanes + i + 1, num_rings_));
      const auto lane = static_cast<std::size_t>(i);
      z[lane] = ring.z;
      inverse[lane] = 1 / (ring.sin_theta * ring.sin_theta);
      log_sine[lane] = std::log2(ring.sin_theta);
    }
    z_.push_back(z);
    inverse_square_.push_back(inverse);
    log_sine_.push_back(log_sine);
  }
  long double factor = -std::log2(4 * std::numbers::pi_v<long double>) / 2;
  for (Size m = 0; m <= lmax; ++m) {
    if (m > 0) factor += std::log2(static_cast<long double>(2 * m + 1) / static_cast<long double>(2 * m)) / 2;
    log_factor_.push_back(static_cast<double>(factor));
    for (Size l = m; l <= lmax; ++l) {
      const double ll = static_cast<double>(l), mm = static_cast<double>(m);
      const double rise = l == m ? 0 : std::sqrt((4 * ll * ll - 1) / (ll * ll - mm * mm));
      const double before = ((ll - 1) * (ll - 1) - mm * mm) / (4 * (ll - 1) * (ll - 1) - 1);
      steps_.push_back({rise, l <= m + 1 ? 0 : rise * std::sqrt(before)});
    }
  }
}

Legendre::Start Legendre::start(Size m, Size block) const {
  Start s{{}, {}, {}, false};
  const Lanes& log_sine = log_sine_[static_cast<std::size_t>(block)];
  for (std::size_t i = 0; i < ring_lanes; ++i) {
    const double bits = log_factor_[static_cast<std::size_t>(m)] + static_cast<double>(m) * log_sine[i];
    s.exponent[i] = bits < -safe_bits ? static_cast<int>(-std::floor(bits)) : 0;
    s.scaled = s.scaled || s.exponent[i] > 0;
    s.lambda[i] = (m % 2 == 0 ? 1 : -1) * std::exp2(bits + s.exponent[i]);
    s.inverse[i] = s.exponent[i] > 1000 ? 0 : std::exp2(-s.exponent[i]);
  }
  return s;
}

void Legendre::rescale(Lanes& previous, Lanes& current, Start& s) {
  const double limit = std::ldexp(1.0, rescale_bits), back = std::ldexp(1.0, -rescale_bits);
  bool still = false;
  for (std::size_t i = 0; i < ring_lanes; ++i) {
    if (s.exponent[i] > 0 && std::abs(current[i]) > limit) {
      current[i] *= back;
      previous[i] *= back;
      s.exponent[i] -= rescale_bits;
      if (s.exponent[i] < 0) {  // the last move leaves no negative exponent
        current[i] = std::ldexp(current[i], -s.exponent[i]);
        previous[i] = std::ldexp(previous[i], -s.exponent[i]);
        s.exponent[i] = 0;
      }
      s.inverse[i] = s.exponent[i] > 1000 ? 0 : std::exp2(-s.exponent[i]);
    }
    still = still || s.exponent[i] > 0;
  }
  s.scaled = still;
}

}  // namespace tarn::healpix
