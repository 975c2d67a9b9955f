#include "tarn/core/ops/segment_feature_pool.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/column_softmax.hpp"
#include "tarn/core/ops/sum_over_tasks.hpp"
#include "tarn/core/ops/write_row.hpp"

#include <fmt/format.h>

namespace tarn {

namespace {

/// y of every set from what its columns come to.
auto weighted_mean_into(MatrixView y) {
  return [y](Size set, Size first, Size cols, const ColumnTotals& t) {
    for (Size j = 0; j < cols; ++j)
      y(set, first + j) = t.sum[j] > 0 ? static_cast<Real>(t.pooled[j] / t.sum[j]) : Real{0};
  };
}

/// Scores t x, where t is one number or one per column.
struct ScaledScores {
  ConstMatrixView x;
  const Real* t;
  bool per_column;

  [[nodiscard]] Real factor(Size j) const { return t[per_column ? j : 0]; }
  void operator()(Size, Rows rows, Size first, Size width, Real* out) const {
    with_columns(width, [&](auto cols) {
      alignas(64) Real factors[tile_columns];
      for (Size j = 0; j < cols; ++j) factors[j] = factor(first + j);
      for (Size i = rows.begin; i < rows.end; ++i, out += cols) {
        const Real* const row = x.row(i) + first;
        for (Size j = 0; j < cols; ++j) out[j] = factors[j] * row[j];
      }
    });
  }
};

struct GivenScores {
  ConstMatrixView scores;
  void operator()(Size, Rows rows, Size first, Size cols, Real* out) const {
    for (Size i = rows.begin; i < rows.end; ++i, out += cols) std::copy_n(scores.row(i) + first, cols, out);
  }
};

void add_scale_gradient(Tape& tape, Var t, std::span<const double> total) {
  const MatrixView grad = tape.grad(t);
  if (grad.size() > 1 || total.size() == 1) {
    for (std::size_t j = 0; j < total.size(); ++j) grad.data[j] += static_cast<Real>(total[j]);
    return;
  }
  double sum = 0;
  for (const double v : total) sum += v;
  grad.data[0] += static_cast<Real>(sum);
}

/// dx_i = g a_i (1 + t (x_i - y)), dt += g a_i x_i (x_i - y), for rows of one set.
void feature_softmax_backward(const ColumnSoftmax<ScaledScores>& softmax, const ScaledScores& scores,
                              ConstMatrixView y, ConstMatrixView dy, SemiGrad semi_grad,
                              const SegmentChunk& chunk, const RowWriter& dx, double* dt) {
  const ConstMatrixView x = scores.x;
  softmax.for_columns([&](Size first, auto cols) {
    const Real *const g = dy.row(chunk.set) + first, *const mean = y.row(chunk.set) + first;
    alignas(64) Real slope[tile_columns], buffer[tile_columns], part[tile_columns];
    for (Size j = 0; j < cols; ++j)
      slope[j] = semi_grad == SemiGrad::yes ? Real{0} : scores.factor(first + j);
    softmax.for_weights(chunk.set, chunk.rows, first, cols, [&](Rows rows, Real* a) {
      std::fill_n(part, cols, Real{0});
      for (Size i = rows.begin; i < rows.end; ++i, a += cols) {
        const Real* const row = x.row(i) + first;
        for (Size j = 0; j < cols; ++j) {
          const Real ga = g[j] * a[j];
          buffer[j] = ga * (1 + slope[j] * (row[j] - mean[j]));
          part[j] += ga * row[j] * (row[j] - mean[j]);
        }
        if (dx.view().data != nullptr) dx.write(i, first, cols, buffer);
      }
      for (Size j = 0; dt != nullptr && j < cols; ++j) dt[first + j] += static_cast<double>(part[j]);
    });
  });
  dx.settle();
}

/// ds_i = a_i g (v_i - y), dv_i = a_i g, for rows of one set.
void feature_pool_backward(const ColumnSoftmax<GivenScores>& softmax, ConstMatrixView v, ConstMatrixView y,
                           ConstMatrixView dy, const SegmentChunk& chunk, const RowWriter& ds,
                           const RowWriter& dv) {
  softmax.for_columns([&](Size first, auto cols) {
    const Real *const g = dy.row(chunk.set) + first, *const mean = y.row(chunk.set) + first;
    const Size value_column = first % v.cols;
    alignas(64) Real share[tile_columns], slope[tile_columns];
    softmax.for_weights(chunk.set, chunk.rows, first, cols, [&](Rows rows, Real* a) {
      for (Size i = rows.begin; i < rows.end; ++i, a += cols) {
        const Real* const row = v.row(i) + value_column;
        for (Size j = 0; j < cols; ++j) {
          share[j] = g[j] * a[j];
          slope[j] = share[j] * (row[j] - mean[j]);
        }
        if (ds.view().data != nullptr) ds.write(i, first, cols, slope);
        if (dv.view().data != nullptr) dv.write(i, value_column, cols, share);
      }
    });
  });
  ds.settle();
  dv.settle();
}

}  // namespace

inline namespace TARN_PRECISION {

Var segment_feature_softmax(Var x, Var t, double value, const Segments& sets, SemiGrad semi_grad) {
  sets.require_cover("segment_feature_softmax", x.rows());
  Tape& tape = x.tape();
  if (t.given() && t.shape().count() != 1 && t.shape().count() != x.cols()) {
    throw ShapeError(
        fmt::format("segment_feature_softmax: t is {}; expected [1] or [{}]", t.shape().text(), x.cols()));
  }
  const auto constant = tape.allocate_array<Real>(1);
  constant[0] = static_cast<Real>(value);
  const ScaledScores scores{x.value(), t.given() ? t.value().data : constant.data(),
                            t.given() && t.shape().count() > 1};
  const ColumnSoftmax<ScaledScores> softmax(tape, sets, x.cols(), x.cols(), scores);
  const Shape shape{sets.count(), x.cols()};
  const MatrixView y = tape.allocate(shape);
  std::fill_n(y.data, y.size(), Real{0});
  softmax.run(
      tape, [in = x.value()](Size i, Size first) { return in.row(i) + first; }, weighted_mean_into(y));
  return tape.record("segment_feature_softmax", shape, y, {x, t}, [=, &tape](ConstMatrixView dy) {
    const RowWriter dx = x.needs_grad() ? RowWriter(tape.sink(x)) : RowWriter();
    const SegmentChunks chunks(sets);
    const auto backward = [&](const SegmentChunk& chunk, double* dt) {
      feature_softmax_backward(softmax, scores, y, dy, semi_grad, chunk, dx, dt);
    };
    if (t.given() && t.needs_grad()) {
      add_scale_gradient(tape, t, sum_over_tasks(tape, chunks, x.cols(), backward));
    } else {
      chunks.for_each([&](const SegmentChunk& chunk) { backward(chunk, nullptr); });
    }
  });
}

Var segment_feature_pool(Var scores, Var values, const Segments& sets) {
  sets.require_cover("segment_feature_pool", values.rows());
  const Size columns = scores.cols(), width = values.cols();
  if (scores.rows() != values.rows() || columns % std::max<Size>(width, 1) != 0) {
    throw ShapeError(fmt::format(
        "segment_feature_pool: scores are {}, values {}; expected as many rows, and a multiple of {} columns",
        scores.shape().text(), values.shape().text(), width));
  }
  Tape& tape = scores.tape();
  const Shape shape{sets.count(), columns};
  const MatrixView y = tape.allocate(shape);
  std::fill_n(y.data, y.size(), Real{0});
  const ConstMatrixView v = values.value();
  const ColumnSoftmax<GivenScores> softmax(tape, sets, columns, width, {scores.value()});
  softmax.run(
      tape, [=](Size i, Size first) { return v.row(i) + first % width; }, weighted_mean_into(y));
  return tape.record("segment_feature_pool", shape, y, {scores, values}, [=, &tape](ConstMatrixView dy) {
    const RowWriter ds = scores.needs_grad() ? RowWriter(tape.sink(scores)) : RowWriter();
    // Several blocks of scores meet in the gradient of one value.
    const bool adds = columns > width;
    const RowWriter dv = !values.needs_grad() ? RowWriter()
                         : adds               ? RowWriter(GradSink{tape.grad(values), Write::add})
                                              : RowWriter(tape.sink(values));
    SegmentChunks(sets).for_each(
        [&](const SegmentChunk& chunk) { feature_pool_backward(softmax, v, y, dy, chunk, ds, dv); });
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
