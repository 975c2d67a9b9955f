#pragma once

#include "tarn/core/rng.hpp"
#include "tarn/core/tape.hpp"
#include "tarn/graph/healpix/neighbours.hpp"
#include "tarn/graph/healpix/nine_point.hpp"
#include "tarn/graph/healpix/sky.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

/// Maps for tests, and the nine-point convolution as its definition reads.
namespace tarn::test {

inline Tensor random_map(const Shape& shape, std::uint64_t seed) {
  Tensor t(shape);
  for (Size i = 0; i < t.size(); ++i)
    t.data()[i] = static_cast<Real>(Rng(seed).normal(static_cast<std::uint64_t>(i)));
  return t;
}

inline std::vector<Real> values_of(ConstMatrixView m) {
  std::vector<Real> result;
  for (Size i = 0; i < m.rows; ++i) result.insert(result.end(), m.row(i), m.row(i) + m.cols);
  return result;
}

/// Largest difference, relative to the numbers' own size.
inline double difference(std::span<const Real> a, std::span<const Real> b) {
  REQUIRE(a.size() == b.size());
  double worst = 0, scale = 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(a[i] - b[i])));
    scale = std::max(scale, std::abs(static_cast<double>(b[i])));
  }
  return worst / scale;
}

inline double tolerance() {
  return sizeof(Real) == sizeof(double) ? 1e-12 : 2e-5;
}

/// A weight of y[target] on x[source].
struct Contribution {
  Size target, slot, source;
  double factor;
};

/// All of them, from the neighbours and the rule for missing ones.
inline std::vector<Contribution> contributions(const healpix::Sky& sky, healpix::Missing missing) {
  using healpix::Missing;
  std::vector<Contribution> result;
  for (Size row = 0; row < sky.size(); ++row) {
    auto around = healpix::neighbours(sky.grid(), sky.pixel(row), sky.ordering());
    for (Size& q : around) q = q < 0 ? -1 : sky.row(q);
    const Size gone = std::count(around.begin(), around.end(), Size{-1});
    const double scale = missing == Missing::renormalize ? 9.0 / static_cast<double>(9 - gone) : 1;
    result.push_back({row, 0, row, scale});
    for (Size k = 0; k < 8; ++k) {
      const auto slot = [&](Size i) { return around[static_cast<std::size_t>((k + i) % 8)]; };
      if (slot(0) >= 0) {
        result.push_back({row, k + 1, slot(0), scale});
      } else if (missing == Missing::self) {
        result.push_back({row, k + 1, row, 1});
      } else if (missing == Missing::adjacent_mean) {
        result.push_back({row, k + 1, slot(7), 0.5});
        result.push_back({row, k + 1, slot(1), 0.5});
      }
    }
  }
  return result;
}

struct PlainConv {
  healpix::Sky sky;
  healpix::Missing missing;
  const Tensor& weight;  ///< [out, in, 9]

  [[nodiscard]] double w(Size o, Size i, Size slot) const {
    return static_cast<double>(weight.data()[(o * weight.shape()[1] + i) * 9 + slot]);
  }

  /// [B P, in] -> [B P, out], without bias.
  [[nodiscard]] Tensor forward(const Tensor& x) const {
    const Size in = weight.shape()[1], out = weight.shape()[0],
               maps = x.size() / in / std::max<Size>(sky.size(), 1);
    std::vector<double> y(static_cast<std::size_t>(maps * sky.size() * out));
    for (const Contribution& c : contributions(sky, missing)) {
      for (Size b = 0; b < maps; ++b) {
        for (Size o = 0; o < out; ++o) {
          for (Size i = 0; i < in; ++i) {
            y[static_cast<std::size_t>((b * sky.size() + c.target) * out + o)] +=
                c.factor * w(o, i, c.slot) *
                static_cast<double>(x.data()[(b * sky.size() + c.source) * in + i]);
          }
        }
      }
    }
    const std::vector<Real> numbers(y.begin(), y.end());
    return Tensor({maps * sky.size(), out}, numbers);
  }

  /// Gradients of x and weight from that of the result.
  [[nodiscard]] std::pair<Tensor, Tensor> backward(const Tensor& x, ConstMatrixView dy) const {
    const Size in = weight.shape()[1], out = weight.shape()[0],
               maps = dy.rows / std::max<Size>(sky.size(), 1);
    std::vector<double> dx(static_cast<std::size_t>(x.size())), dw(static_cast<std::size_t>(weight.size()));
    for (const Contribution& c : contributions(sky, missing)) {
      for (Size b = 0; b < maps; ++b) {
        for (Size o = 0; o < out; ++o) {
          const double g = c.factor * static_cast<double>(dy(b * sky.size() + c.target, o));
          for (Size i = 0; i < in; ++i) {
            const Size at = (b * sky.size() + c.source) * in + i;
            dx[static_cast<std::size_t>(at)] += g * w(o, i, c.slot);
            dw[static_cast<std::size_t>((o * in + i) * 9 + c.slot)] += g * static_cast<double>(x.data()[at]);
          }
        }
      }
    }
    const std::vector<Real> x_numbers(dx.begin(), dx.end()), w_numbers(dw.begin(), dw.end());
    return {Tensor(x.shape(), x_numbers), Tensor(weight.shape(), w_numbers)};
  }
};

}  // namespace tarn::test
