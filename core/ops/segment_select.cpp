#include "tarn/core/ops/segment_select.hpp"

#include "tarn/core/ops/segment_sort.hpp"
#include "tarn/core/ops/vector.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace tarn {

namespace {

constexpr Size rows_per_block = 512;

template <class F>
void for_sets(const Segments& sets, F f) {
  for_segments(sets, rows_per_block, [&](Size first, Size last) {
    for (Size b = first; b < last; ++b) f(b, sets.rows(b));
  });
}

/// One or two sorted positions and the weight of the second.
struct Place {
  Size low;
  Size high;
  double share;  // of the value at high
};

Place place_of(double q, Size n, Interpolation interpolation) {
  const double at = q * static_cast<double>(n - 1);
  const Size low = static_cast<Size>(std::floor(at)), high = static_cast<Size>(std::ceil(at));
  switch (interpolation) {
    case Interpolation::linear:
      return {low, high, at - static_cast<double>(low)};
    case Interpolation::lower:
      return {low, low, 0};
    case Interpolation::higher:
      return {high, high, 0};
    case Interpolation::midpoint:
      return {low, high, 0.5};
    case Interpolation::nearest: {
      const Size nearest = static_cast<Size>(std::nearbyint(at));  // half to even
      return {nearest, nearest, 0};
    }
  }
  return {low, low, 0};
}

/// What forward keeps and backward reads.
struct Quantiles {
  Segments sets;
  Interpolation interpolation;
  std::span<const double> q;
  MatrixView y;            // [B, K D]
  std::span<NodeId> rows;  // [B, K, 2, D]: relative rows of the lower and the higher value; or none

  [[nodiscard]] Size width() const { return y.cols / static_cast<Size>(q.size()); }
  [[nodiscard]] NodeId* rows_of(Size set, std::size_t k, Size which) const {
    return rows.data() + ((set * static_cast<Size>(q.size()) + static_cast<Size>(k)) * 2 + which) * width();
  }
};

void quantiles_of_lanes(const Quantiles& r, Size set, Size first, Size cols, const SortedLanes& lanes) {
  for (std::size_t k = 0; k < r.q.size(); ++k) {
    const Place p = place_of(r.q[k], r.sets.size(set), r.interpolation);
    Real* const out = r.y.row(set) + static_cast<Size>(k) * r.width() + first;
    for (Size j = 0; j < cols; ++j) {
      const double low = static_cast<double>(lanes.at(p.low, j)),
                   high = static_cast<double>(lanes.at(p.high, j));
      out[j] = static_cast<Real>(p.share == 0 ? low : low + (high - low) * p.share);
    }
    if (r.rows.empty()) continue;
    lanes.rows_at(p.low, r.rows_of(set, k, 0) + first);
    if (p.share > 0) lanes.rows_at(p.high, r.rows_of(set, k, 1) + first);
  }
}

void quantiles_backward(const Quantiles& r, Size set, ConstMatrixView dy, MatrixView dx) {
  for (std::size_t k = 0; k < r.q.size(); ++k) {
    const Place p = place_of(r.q[k], r.sets.size(set), r.interpolation);
    const Real* const g = dy.row(set) + static_cast<Size>(k) * r.width();
    const NodeId *const low = r.rows_of(set, k, 0), *const high = r.rows_of(set, k, 1);
    const Real share = static_cast<Real>(p.share);
    for (Size j = 0; j < r.width(); ++j) {
      if (low[j] >= 0) dx(low[j], j) += (1 - share) * g[j];
      if (p.share > 0 && high[j] >= 0) dx(high[j], j) += share * g[j];
    }
  }
}

/// The gradient of x, rows of zeros to add to set by set where nobody has written before.
struct SetGradient {
  GradSink sink;
  [[nodiscard]] MatrixView rows(Rows of) const {
    const MatrixView block = sink.view.row_block(of.begin, of.end);
    if (sink.write == Write::assign) {
      for (Size i = 0; i < block.rows; ++i) std::fill_n(block.row(i), block.cols, Real{0});
    }
    return block;
  }
};

}  // namespace

inline namespace TARN_PRECISION {

Var segment_quantile(Var x, const Segments& sets, std::span<const double> q, Interpolation interpolation,
                     double fill_value) {
  sets.require_cover("segment_quantile", x.rows());
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const Size count = static_cast<Size>(q.size());
  const Shape shape{sets.count(), count * in.cols};
  const auto own_q = tape.allocate_array<double>(count);
  std::copy(q.begin(), q.end(), own_q.begin());
  const Quantiles r{sets, interpolation, own_q, tape.allocate(shape),
                    tape.allocate_array<NodeId>(x.needs_grad() ? 2 * shape.count() : 0)};
  for_sets(sets, [&](Size b, Rows rows) {
    if (rows.size() == 0) return void(std::fill_n(r.y.row(b), r.y.cols, static_cast<Real>(fill_value)));
    thread_local SortedLanes lanes;
    for (Size first = 0; first < in.cols; first += lane_columns) {
      const Size cols = std::min(lane_columns, in.cols - first);
      lanes.sort(in, rows, first, cols);
      quantiles_of_lanes(r, b, first, cols, lanes);
    }
  });
  return tape.record("segment_quantile", shape, r.y, {x}, [=, &tape](ConstMatrixView dy) {
    const SetGradient dx{tape.sink(x)};
    for_sets(r.sets, [&](Size b, Rows rows) {
      if (rows.size() > 0) quantiles_backward(r, b, dy, dx.rows(rows));
    });
  });
}

std::span<NodeId> segment_top_rows(Tape& tape, std::span<const Real> keys, const Segments& sets, Size k) {
  const auto top = tape.allocate_array<NodeId>(sets.count() * k);
  // A NaN counts as larger than every number, so that the order is one.
  const auto before = [&](NodeId a, NodeId b) {
    const Real u = keys[static_cast<std::size_t>(a)], v = keys[static_cast<std::size_t>(b)];
    const bool a_nan = std::isnan(u), b_nan = std::isnan(v);
    if (a_nan || b_nan) return a_nan != b_nan ? a_nan : a < b;
    return u != v ? u > v : a < b;
  };
  for_sets(sets, [&](Size b, Rows rows) {
    thread_local std::vector<NodeId> order;
    order.resize(static_cast<std::size_t>(rows.size()));
    std::iota(order.begin(), order.end(), static_cast<NodeId>(rows.begin));
    const Size found = std::min(k, rows.size());
    std::partial_sort(order.begin(), order.begin() + found, order.end(), before);
    NodeId* const out = top.data() + b * k;
    std::copy_n(order.begin(), found, out);
    std::fill(out + found, out + k, NodeId{-1});
  });
  return top;
}

Var segment_pick(Var x, const Segments& sets, std::span<const NodeId> rows, Size num_sums, Size k,
                 std::span<const Real> factors) {
  sets.require_cover("segment_pick", x.rows());
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const Shape shape{sets.count(), num_sums * in.cols};
  const MatrixView y = tape.allocate(shape);
  /// f(row, sum, factor) for every choice of a set.
  const auto for_choices = [=](Size set, auto f) {
    for (Size m = 0; m < num_sums; ++m) {
      const Size sum = set * num_sums + m;
      const Real factor = factors.empty() ? Real{1} : factors[static_cast<std::size_t>(sum)];
      for (Size c = 0; c < k; ++c) {
        const NodeId row = rows[static_cast<std::size_t>(sum * k + c)];
        if (row >= 0) f(row, m, factor);
      }
    }
  };
  for_sets(sets, [&](Size b, Rows) {
    std::fill_n(y.row(b), y.cols, Real{0});
    for_choices(b, [&](NodeId row, Size m, Real factor) {
      add_scaled(factor, in.row(row), y.row(b) + m * in.cols, in.cols);
    });
  });
  return tape.record("segment_pick", shape, y, {x}, [=, &tape](ConstMatrixView dy) {
    const SetGradient dx{tape.sink(x)};
    for_sets(sets, [&](Size b, Rows of_set) {
      const MatrixView block = dx.rows(of_set);
      for_choices(b, [&](NodeId row, Size m, Real factor) {
        add_scaled(factor, dy.row(b) + m * in.cols, block.row(row - of_set.begin), in.cols);
      });
    });
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
