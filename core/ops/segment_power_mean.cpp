#include "tarn/core/ops/segment_power_mean.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/column_softmax.hpp"
#include "tarn/core/ops/sum_over_tasks.hpp"
#include "tarn/core/ops/write_row.hpp"

#include <fmt/format.h>

namespace tarn {

namespace {

/// Scores p ln z.
struct PowerScores {
  ConstMatrixView x;
  const Real* p;
  Size columns_per_p;
  Real low, high;

  [[nodiscard]] Real exponent(Size j) const { return p[j / columns_per_p]; }
  [[nodiscard]] Real clamped(Real v) const {
    const Real above = v < low ? low : v;
    return above > high ? high : above;
  }
  void operator()(Size, Rows rows, Size first, Size width, Real* out) const {
    with_columns(width, [&](auto cols) {
      for (Size i = rows.begin; i < rows.end; ++i) {
        const Real* const row = x.row(i) + first;
        for (Size j = 0; j < cols; ++j) out[(i - rows.begin) * cols + j] = clamped(row[j]);
      }
      log_in_place(out, rows.size() * cols);
      alignas(64) Real exponents[tile_columns];
      for (Size j = 0; j < cols; ++j) exponents[j] = exponent(first + j);
      for (Size i = 0; i < rows.size(); ++i) {
        for (Size j = 0; j < cols; ++j) out[i * cols + j] *= exponents[j];
      }
    });
  }
};

/// What forward keeps and backward reads.
struct PowerMean {
  Segments sets;
  PowerMeanBounds bounds;
  PowerScores scores;
  ColumnSoftmax<PowerScores> softmax;
  MatrixView y;
  std::span<bool> passes;  // [B, D]: the mean of the powers lies inside the bounds
};

void finish_columns(const PowerMean& m, Size set, Size first, Size cols, const ColumnTotals& t) {
  const double log_n = std::log(static_cast<double>(m.sets.size(set)));
  const bool bounded = m.bounds.on_mean;
  for (Size j = 0; j < cols; ++j) {
    double log_mean = static_cast<double>(t.highest[j]) + std::log(t.sum[j]) - log_n;
    bool passes = t.sum[j] > 0;
    if (bounded && m.bounds.low && !(log_mean >= std::log(*m.bounds.low))) {
      log_mean = std::isnan(log_mean) ? log_mean : std::log(*m.bounds.low);
      passes = false;
    }
    if (bounded && m.bounds.high && log_mean > std::log(*m.bounds.high)) {
      log_mean = std::log(*m.bounds.high);
      passes = false;
    }
    m.y(set, first + j) =
        static_cast<Real>(std::exp(log_mean / static_cast<double>(m.scores.exponent(first + j))));
    m.passes[static_cast<std::size_t>(set * m.y.cols + first + j)] = passes;
  }
}

/// The factors of the gradient of one set that belong to its columns.
struct alignas(64) ColumnFactors {
  Real slope[tile_columns];    ///< g y where the mean passes, else 0
  Real at_zero[tile_columns];  ///< a / z where z = 0
};

ColumnFactors column_factors(const PowerMean& m, ConstMatrixView dy, Size set, Size first, Size cols) {
  ColumnFactors f;
  for (Size j = 0; j < cols; ++j) {
    const bool passes = m.passes[static_cast<std::size_t>(set * m.y.cols + first + j)];
    f.slope[j] = passes ? dy(set, first + j) * m.y(set, first + j) : Real{0};
    f.at_zero[j] =
        m.scores.exponent(first + j) == 1 ? m.softmax.weight_at_score_zero(set, first + j) : Real{0};
  }
  return f;
}

/// dx_i = g y a_i / z_i where x_i lies inside the bounds.
void write_tile(const PowerMean& m, const ColumnFactors& f, Rows rows, Size first, Size width, const Real* a,
                const RowWriter& dx) {
  with_columns(width, [&](auto cols) {
    alignas(64) Real buffer[tile_columns];
    const Real low = m.scores.low, high = m.scores.high;
    for (Size i = rows.begin; i < rows.end; ++i) {
      const Real *const row = m.scores.x.row(i) + first, *const weights = a + (i - rows.begin) * cols;
      for (Size j = 0; j < cols; ++j) {
        const Real v = row[j];
        const Real ratio = v == 0 ? f.at_zero[j] : weights[j] / v;
        const Real inside = (v >= low) & (v <= high) ? f.slope[j] : Real{0};
        buffer[j] = inside * ratio;
      }
      dx.write(i, first, cols, buffer);
    }
  });
}

/// dp = g y / p (sum a ln z - ln y), the sum where the mean passes.
void add_exponent_gradient(const PowerMean& m, ConstMatrixView dy, Size set, Rows rows, Size first, Size cols,
                           const Real* a, const Real* s, bool first_rows, double* dp) {
  for (Size j = 0; j < cols; ++j) {
    const double p = static_cast<double>(m.scores.exponent(first + j));
    const double y = static_cast<double>(m.y(set, first + j)), g = static_cast<double>(dy(set, first + j));
    if (!(y > 0)) continue;
    double sum = 0;  // of a p ln z
    for (Size i = 0; i < rows.size(); ++i) {
      const double w = static_cast<double>(a[i * cols + j]);
      if (w > 0) sum += w * static_cast<double>(s[i * cols + j]);
    }
    const bool passes = m.passes[static_cast<std::size_t>(set * m.y.cols + first + j)];
    dp[first + j] += g * y / p * ((passes ? sum / p : 0) - (first_rows ? std::log(y) : 0));
  }
}

void backward(const PowerMean& m, ConstMatrixView dy, const SegmentChunk& chunk, const RowWriter& dx,
              double* dp) {
  m.softmax.for_columns([&](Size first, auto cols) {
    const ColumnFactors f = column_factors(m, dy, chunk.set, first, cols);
    m.softmax.for_weights(chunk.set, chunk.rows, first, cols, [&](Rows rows, const Real* a, const Real* s) {
      if (dx.view().data != nullptr) write_tile(m, f, rows, first, cols, a, dx);
      if (dp == nullptr) return;
      const bool first_rows = rows.begin == m.sets.rows(chunk.set).begin;
      add_exponent_gradient(m, dy, chunk.set, rows, first, cols, a, s, first_rows, dp);
    });
  });
  dx.settle();
}

}  // namespace

inline namespace TARN_PRECISION {

Var segment_power_mean(Var x, Var p, double value, const PowerMeanBounds& bounds, const Segments& sets) {
  sets.require_cover("segment_power_mean", x.rows());
  const Size groups = p.given() ? p.shape().count() : 1, width = x.cols();
  if (width % groups != 0) {
    throw ShapeError(
        fmt::format("segment_power_mean: {} exponents for {} features; expected a divisor", groups, width));
  }
  Tape& tape = x.tape();
  const auto constant = tape.allocate_array<Real>(1);
  constant[0] = static_cast<Real>(value);
  constexpr Real all = std::numeric_limits<Real>::infinity();
  const PowerScores scores{.x = x.value(),
                           .p = p.given() ? p.value().data : constant.data(),
                           .columns_per_p = width / groups,
                           .low = bounds.low ? static_cast<Real>(*bounds.low) : Real{0},
                           .high = bounds.high ? static_cast<Real>(*bounds.high) : all};
  const Shape shape{sets.count(), width};
  const PowerMean m{sets,
                    bounds,
                    scores,
                    {tape, sets, width, width, scores},
                    tape.allocate(shape),
                    tape.allocate_array<bool>(shape.count())};
  std::fill_n(m.y.data, m.y.size(), Real{0});
  std::ranges::fill(m.passes, false);
  m.softmax.run(
      tape, [](Size, Size) { return static_cast<const Real*>(nullptr); },
      [&](Size set, Size first, Size cols, const ColumnTotals& t) {
        finish_columns(m, set, first, cols, t);
      });
  return tape.record("segment_power_mean", shape, m.y, {x, p}, [=, &tape](ConstMatrixView dy) {
    const RowWriter dx = x.needs_grad() ? RowWriter(tape.sink(x)) : RowWriter();
    const SegmentChunks chunks(sets);
    if (!p.given() || !p.needs_grad())
      return chunks.for_each([&](const SegmentChunk& chunk) { backward(m, dy, chunk, dx, nullptr); });
    const auto total = sum_over_tasks(
        tape, chunks, width, [&](const SegmentChunk& chunk, double* dp) { backward(m, dy, chunk, dx, dp); });
    const MatrixView grad = tape.grad(p);
    std::vector<double> by_group(static_cast<std::size_t>(groups), 0.0);
    for (Size j = 0; j < width; ++j)
      by_group[static_cast<std::size_t>(j / scores.columns_per_p)] += total[static_cast<std::size_t>(j)];
    for (Size k = 0; k < groups; ++k)
      grad.data[k] += static_cast<Real>(by_group[static_cast<std::size_t>(k)]);
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
