#include "tarn/graph/healpix/harmonics.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tarn::healpix {

namespace {

using Complex = std::complex<double>;
using Lanes = Legendre::Lanes;

constexpr double pi = std::numbers::pi;

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

void add_scaled(Lanes& sum, double factor, const Lanes& v) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += factor * v[i];
}

/// Sums over l of one m on a block of ring pairs, by the parity of l + m, on which the sign in the south
/// hangs.
struct ParitySums {
  std::array<Lanes, 2> re{}, im{};
  void add(Size parity, const Complex& a, const Lanes& v) {
    add_scaled(re[at(parity)], a.real(), v);
    add_scaled(im[at(parity)], a.imag(), v);
  }
  [[nodiscard]] Complex north(std::size_t lane) const {
    return {re[0][lane] + re[1][lane], im[0][lane] + im[1][lane]};
  }
  [[nodiscard]] Complex south(std::size_t lane) const {
    return {re[0][lane] - re[1][lane], im[0][lane] - im[1][lane]};
  }
};

/// Orders, and rings, that are work enough for a thread.
Size orders_per_block(const Grid& grid, Size lmax) {
  return std::max<Size>(1, 65536 / (2 * grid.nside() * (lmax + 1)));
}
Size rings_per_block(const Grid& grid) {
  return std::max<Size>(1, 2048 / grid.nside());
}

Size require_degree(Size lmax) {
  if (lmax >= 0) return lmax;
  throw ValueError(fmt::format("healpix-alm2map: lmax {}; expected at least 0", lmax));
}

/// The coefficients that a real map is made of: a_l0 real, the others twice.
Complex doubled(const Complex& a, Size m) {
  return m == 0 ? Complex{a.real(), 0} : 2.0 * a;
}

/// F and G of the harmonics of spin +-2, (F +- G) exp(i m phi), on a block of rings.
std::pair<Lanes, Lanes> spin_two(Size degree, Size order, const Lanes& z, const Lanes& inverse_square,
                                 const Lanes& lambda, const Lanes& before) {
  const double l = static_cast<double>(degree), m = static_cast<double>(order);
  const double norm = 2 / std::sqrt((l - 1) * l * (l + 1) * (l + 2));
  const double g = std::sqrt((2 * l + 1) * (l * l - m * m) / (2 * l - 1));
  std::pair<Lanes, Lanes> result;
  for (std::size_t i = 0; i < ring_lanes; ++i) {
    const double last = degree == order ? 0 : before[i], s2 = inverse_square[i];
    result.first[i] = norm * (-((l - m * m) * s2 + l * (l - 1) / 2) * lambda[i] + g * z[i] * s2 * last);
    result.second[i] = norm * m * s2 * (-(l - 1) * z[i] * lambda[i] + g * last);
  }
  return result;
}

/// Fourier sums on a block of ring pairs: north plus south and north minus south, for functions that are even
/// and odd about the equator.
struct ParityParts {
  std::array<Lanes, 2> re{}, im{};
  [[nodiscard]] Complex sum(std::size_t parity, const Lanes& v) const {
    double real = 0, imaginary = 0;
    for (std::size_t i = 0; i < ring_lanes; ++i) {
      real += v[i] * re[parity][i];
      imaginary += v[i] * im[parity][i];
    }
    return {real, imaginary};
  }
};

}  // namespace

/// Fourier coefficients of each ring of a map: [rings 1 .. 4 nside - 1][m].
struct HarmonicTransform::RingSums {
  RingSums(Size rings, Size orders_in) : orders(orders_in), values(at(rings * orders)) {}
  Complex& operator()(Size ring, Size m) { return values[at((ring - 1) * orders + m)]; }
  const Complex& operator()(Size ring, Size m) const { return values[at((ring - 1) * orders + m)]; }
  Size orders;
  std::vector<Complex> values;

  /// Those of order m on a block of ring pairs; the equator, its own mirror image, counts once.
  [[nodiscard]] ParityParts parts(Size m, Size block) const {
    ParityParts result;
    const Size all = static_cast<Size>(values.size()) / orders, rings = (all + 1) / 2;
    for (std::size_t i = 0; i < ring_lanes; ++i) {
      const Size r = block * ring_lanes + static_cast<Size>(i) + 1, mirror = all + 1 - r;
      if (r > rings) break;
      const Complex north = (*this)(r, m), south = mirror == r ? Complex{} : (*this)(mirror, m);
      const Complex even = north + south, odd = north - south;
      result.re[0][i] = even.real();
      result.im[0][i] = even.imag();
      result.re[1][i] = odd.real();
      result.im[1][i] = odd.imag();
    }
    return result;
  }
};

HarmonicTransform::HarmonicTransform(const Grid& grid, Ordering ordering, Size lmax)
    : grid_(grid), ordering_(ordering), legendre_(grid, require_degree(lmax)) {
  for (Size quarter = 1; quarter <= grid.nside(); ++quarter) fourier_.emplace_back(4 * quarter);
  for (Size r = 1; r <= legendre_.num_rings(); ++r) {
    const double first = grid.ring(r).phi(0);
    for (Size m = 0; m <= lmax; ++m) phases_.push_back(std::polar(1.0, static_cast<double>(m) * first));
  }
  if (ordering == Ordering::nest) ring_number_ = reordering(grid, Ordering::nest, Ordering::ring);
}

template <class F>
void HarmonicTransform::for_orders(F f) const {
  for_blocks(lmax() + 1, orders_per_block(grid_, lmax()), [&](Size begin, Size end) {
    for (Size m = begin; m < end; ++m) f(m);
  });
}

void HarmonicTransform::require_coefficients(const char* where, std::size_t count) const {
  if (static_cast<Size>(count) == index().count()) return;
  throw ShapeError(
      fmt::format("{}: {} coefficients; expected {} for lmax {}", where, count, index().count(), lmax()));
}

std::vector<double> HarmonicTransform::to_ring(std::span<const double> map) const {
  std::vector<double> result(map.begin(), map.end());
  for (std::size_t p = 0; p < ring_number_.size(); ++p) result[at(ring_number_[p])] = map[p];
  return result;
}

std::vector<double> HarmonicTransform::from_ring(std::vector<double> ring_map) const {
  if (ordering_ == Ordering::ring) return ring_map;
  std::vector<double> result(ring_map.size());
  for (std::size_t p = 0; p < result.size(); ++p) result[p] = ring_map[at(ring_number_[p])];
  return result;
}

/// Real parts of the Fourier sums on each ring. A ring and its mirror image are the real and the imaginary
/// part of one transform. Orders beyond the ring's pixels fold back onto them.
std::vector<double> HarmonicTransform::rings_to_map(const RingSums& f) const {
  std::vector<double> map(at(grid_.num_pixels()));
  for_blocks(2 * grid_.nside(), rings_per_block(grid_), [&](Size begin, Size end) {
    std::vector<Complex> north, data;
    for (Size r = begin + 1; r <= end; ++r) {
      const Ring upper = grid_.ring(r), lower = grid_.ring(grid_.num_rings() + 1 - r);
      const Size n = upper.count;
      north.assign(at(n), 0);
      std::vector<Complex> south(at(n), 0);
      for (Size m = 0; m < f.orders; ++m) {
        const Complex turn = phase(r, m);
        north[at(m % n)] += times(f(r, m), turn);
        south[at(m % n)] += times(f(grid_.num_rings() + 1 - r, m), turn);
      }
      data.assign(at(n), 0);
      for (Size k = 0; k < n; ++k) {
        const std::size_t other = at((n - k) % n);
        const Complex a = 0.5 * (north[at(k)] + std::conj(north[other]));
        const Complex b = 0.5 * (south[at(k)] + std::conj(south[other]));
        data[at(k)] = a + Complex{-b.imag(), b.real()};
      }
      fourier_[at(n / 4 - 1)].backward(data);
      for (Size j = 0; j < n; ++j) {
        map[at(lower.first + j)] = data[at(j)].imag();
        map[at(upper.first + j)] = data[at(j)].real();
      }
    }
  });
  return map;
}

std::vector<double> HarmonicTransform::ring_synthesis(std::span<const Complex> alm) const {
  RingSums f(grid_.num_rings(), lmax() + 1);
  for_orders([&](Size m) {
    for (Size block = 0; block < legendre_.num_blocks(); ++block) {
      ParitySums total;
      legendre_.for_degrees(m, block, [&](Size l, const Lanes& lambda, const Lanes&) {
        total.add((l + m) % 2, doubled(alm[at(index()(l, m))], m), lambda);
      });
      for (std::size_t i = 0; i < ring_lanes; ++i) {
        const Size r = block * ring_lanes + static_cast<Size>(i) + 1;
        if (r > legendre_.num_rings()) break;
        f(grid_.num_rings() + 1 - r, m) = total.south(i);
        f(r, m) = total.north(i);
      }
    }
  });
  return rings_to_map(f);
}

std::vector<double> HarmonicTransform::synthesis(std::span<const Complex> alm) const {
  require_coefficients("healpix-alm2map", alm.size());
  return from_ring(ring_synthesis(alm));
}

/// Fourier sums of a map on each ring.
HarmonicTransform::RingSums HarmonicTransform::ring_sums(std::span<const double> map) const {
  const Size orders = lmax() + 1, rings = legendre_.num_rings();
  RingSums f(grid_.num_rings(), orders);
  for_blocks(rings, rings_per_block(grid_), [&](Size begin, Size end) {
    std::vector<Complex> data;
    for (Size r = begin + 1; r <= end; ++r) {
      const Size mirror = grid_.num_rings() + 1 - r;
      const Ring upper = grid_.ring(r), lower = grid_.ring(mirror);
      const Size n = upper.count;
      data.resize(at(n));
      for (Size j = 0; j < n; ++j) data[at(j)] = {map[at(upper.first + j)], map[at(lower.first + j)]};
      fourier_[at(n / 4 - 1)].forward(data);
      for (Size m = 0; m < orders; ++m) {
        const Complex z = data[at(m % n)], w = std::conj(data[at((n - m % n) % n)]),
                      turn = std::conj(phase(r, m));
        f(r, m) = 0.5 * times(z + w, turn);
        // The equator is its own mirror image and counts once.
        f(mirror, m) = mirror == r ? f(r, m) : times(Complex{0, -0.5}, times(z - w, turn));
      }
    }
  });
  return f;
}

/// (A f)_lm without the weight of a pixel's area: Fourier sums on each ring, then sums over rings.
Coefficients HarmonicTransform::adjoint(std::span<const double> map) const {
  const RingSums f = ring_sums(map);
  Coefficients alm(at(index().count()));
  for_orders([&](Size m) {
    for (Size block = 0; block < legendre_.num_blocks(); ++block) {
      const ParityParts parts = f.parts(m, block);
      legendre_.for_degrees(m, block, [&](Size l, const Lanes& lambda, const Lanes&) {
        const std::size_t parity = at((l + m) % 2);
        alm[at(index()(l, m))] += parts.sum(parity, lambda);
      });
    }
  });
  return alm;
}

void HarmonicTransform::require_analysis(const char* where, std::size_t pixels, Size iterations) const {
  if (static_cast<Size>(pixels) != grid_.num_pixels()) {
    throw ShapeError(fmt::format("{}: map has {} pixels; expected {} at nside {}", where, pixels,
                                 grid_.num_pixels(), grid_.nside()));
  }
  if (iterations >= 0) return;
  throw ValueError(fmt::format("{}: {} iterations; expected at least 0", where, iterations));
}

Coefficients HarmonicTransform::analysis(std::span<const double> map, Size iterations) const {
  require_analysis("healpix-map2alm", map.size(), iterations);
  const double area = 4 * pi / static_cast<double>(grid_.num_pixels());
  const std::vector<double> rings = to_ring(map);
  Coefficients alm = adjoint(rings);
  for (Complex& a : alm) a *= area;
  for (Size i = 0; i < iterations; ++i) {
    std::vector<double> rest = ring_synthesis(alm);
    for (std::size_t p = 0; p < rest.size(); ++p) rest[p] = rings[p] - rest[p];
    const Coefficients step = adjoint(rest);
    for (std::size_t k = 0; k < alm.size(); ++k) alm[k] += area * step[k];
  }
  return alm;
}

HarmonicTransform::Stokes HarmonicTransform::polarised_synthesis(std::span<const Complex> e,
                                                                 std::span<const Complex> b) const {
  require_coefficients("healpix-alm2map-pol", e.size());
  require_coefficients("healpix-alm2map-pol", b.size());
  Stokes rings = polarised_rings(e, b);
  return {from_ring(std::move(rings.q)), from_ring(std::move(rings.u))};
}

HarmonicTransform::Stokes HarmonicTransform::polarised_rings(std::span<const Complex> e,
                                                             std::span<const Complex> b) const {
  RingSums q(grid_.num_rings(), lmax() + 1), u(grid_.num_rings(), lmax() + 1);
  for_orders([&](Size m) {
    for (Size block = 0; block < legendre_.num_blocks(); ++block) {
      // G changes sign with the other parity than F.
      ParitySums ef, bf, eg, bg;
      legendre_.for_degrees(m, block, [&](Size l, const Lanes& lambda, const Lanes& before) {
        if (l < 2) return;
        const auto [f_lanes, g_lanes] =
            spin_two(l, m, legendre_.z(block), legendre_.inverse_square(block), lambda, before);
        const Size parity = (l + m) % 2;
        const Complex a = doubled(e[at(index()(l, m))], m), c = doubled(b[at(index()(l, m))], m);
        ef.add(parity, a, f_lanes);
        bf.add(parity, c, f_lanes);
        eg.add(1 - parity, a, g_lanes);
        bg.add(1 - parity, c, g_lanes);
      });
      const Complex i{0, 1};
      for (std::size_t lane = 0; lane < ring_lanes; ++lane) {
        const Size r = block * ring_lanes + static_cast<Size>(lane) + 1, mirror = grid_.num_rings() + 1 - r;
        if (r > legendre_.num_rings()) break;
        q(mirror, m) = -(ef.south(lane) + i * bg.south(lane));
        u(mirror, m) = -(bf.south(lane) - i * eg.south(lane));
        q(r, m) = -(ef.north(lane) + i * bg.north(lane));
        u(r, m) = -(bf.north(lane) - i * eg.north(lane));
      }
    }
  });
  return {rings_to_map(q), rings_to_map(u)};
}

HarmonicTransform::Modes HarmonicTransform::polarised_adjoint(std::span<const double> q_map,
                                                              std::span<const double> u_map) const {
  const RingSums q = ring_sums(q_map), u = ring_sums(u_map);
  Modes modes{Coefficients(at(index().count())), Coefficients(at(index().count()))};
  for_orders([&](Size m) {
    for (Size block = 0; block < legendre_.num_blocks(); ++block) {
      const ParityParts q_parts = q.parts(m, block), u_parts = u.parts(m, block);
      legendre_.for_degrees(m, block, [&](Size l, const Lanes& lambda, const Lanes& before) {
        if (l < 2) return;
        const auto [f_lanes, g_lanes] =
            spin_two(l, m, legendre_.z(block), legendre_.inverse_square(block), lambda, before);
        const std::size_t parity = at((l + m) % 2), k = at(index()(l, m));
        const Complex i{0, 1};
        modes.e[k] -= q_parts.sum(parity, f_lanes) + i * u_parts.sum(1 - parity, g_lanes);
        modes.b[k] -= u_parts.sum(parity, f_lanes) - i * q_parts.sum(1 - parity, g_lanes);
      });
    }
  });
  return modes;
}

HarmonicTransform::Modes HarmonicTransform::polarised_analysis(std::span<const double> q,
                                                               std::span<const double> u,
                                                               Size iterations) const {
  require_analysis("healpix-map2alm-pol", q.size(), iterations);
  require_analysis("healpix-map2alm-pol", u.size(), iterations);
  const double area = 4 * pi / static_cast<double>(grid_.num_pixels());
  const std::vector<double> q_rings = to_ring(q), u_rings = to_ring(u);
  Modes modes{Coefficients(at(index().count())), Coefficients(at(index().count()))};
  // The analysis of the map itself is that of what no coefficients leave.
  for (Size i = 0; i <= iterations; ++i) {
    Stokes rest = polarised_rings(modes.e, modes.b);
    for (std::size_t p = 0; p < q_rings.size(); ++p) {
      rest.q[p] = q_rings[p] - rest.q[p];
      rest.u[p] = u_rings[p] - rest.u[p];
    }
    const Modes step = polarised_adjoint(rest.q, rest.u);
    for (std::size_t k = 0; k < modes.e.size(); ++k) {
      modes.e[k] += area * step.e[k];
      modes.b[k] += area * step.b[k];
    }
  }
  return modes;
}

std::vector<double> power_spectrum(std::span<const Complex> alm, Size lmax) {
  const HarmonicIndex index{lmax};
  if (static_cast<Size>(alm.size()) != index.count()) {
    throw ShapeError(fmt::format("power-spectrum: {} coefficients; expected {} for lmax {}", alm.size(),
                                 index.count(), lmax));
  }
  std::vector<double> cl;
  for (Size l = 0; l <= lmax; ++l) {
    double sum = std::norm(alm[at(index(l, 0))]);
    for (Size m = 1; m <= l; ++m) sum += 2 * std::norm(alm[at(index(l, m))]);
    cl.push_back(sum / static_cast<double>(2 * l + 1));
  }
  return cl;
}

}  // namespace tarn::healpix
