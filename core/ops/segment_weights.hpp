#pragma once

#include "tarn/core/ops/segment_columns.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/core/tape.hpp"

#include <vector>

/// What operations share that turn every column of scores of a set into weights of its rows.
namespace tarn {
inline namespace TARN_PRECISION {

/// A run of whole sets that one thread works on. Numbers are counted from the run's first.
struct SetRun {
  const Segments* sets;
  Size first, last;
  Size cols;

  [[nodiscard]] Rows rows() const { return {sets->rows(first).begin, sets->rows(last - 1).end}; }
  [[nodiscard]] Size num_rows(Size set) const { return sets->size(set); }
  /// Numbers of the run.
  [[nodiscard]] Size count() const { return rows().size() * cols; }
  /// The first number of a set.
  [[nodiscard]] Size start(Size set) const { return (sets->rows(set).begin - rows().begin) * cols; }
  /// f(set, first number, rows) for every set that has rows.
  template <class F>
  void for_sets(F f) const {
    for (Size b = first; b < last; ++b) {
      if (num_rows(b) > 0) f(b, start(b), num_rows(b));
    }
  }
};

/// f(run, first number of the run in the matrix) for runs of about 512 rows, or of one longer set, in
/// parallel.
template <class F>
void for_set_runs(const Segments& sets, Size cols, F f) {
  if (cols == 0) return;
  for_segments(sets, 512, [&](Size first, Size last) {
    const SetRun run{&sets, first, last, cols};
    if (run.count() > 0) f(run, run.rows().begin * cols);
  });
}

/// The numbers of a matrix without gaps, which lie as they are or are copied to the tape.
[[nodiscard]] inline const Real* dense_numbers(Tape& tape, ConstMatrixView x) {
  if (x.contiguous()) return x.data;
  const MatrixView copy = tape.allocate({x.rows, x.cols});
  pass_gradient(x, {copy, Write::assign});
  return copy.data;
}

/// Weights of scores [N, H]: forward(run, s, w) fills the weights of a run of sets, backward(run, s, w, g,
/// ds) writes the gradient of their scores. Throws ShapeError if the sets do not cover the scores.
template <class Forward, class Backward>
Var record_weights(const char* name, Var scores, const Segments& sets, Forward forward, Backward backward) {
  sets.require_cover(name, scores.rows());
  Tape& tape = scores.tape();
  const Size cols = scores.cols();
  const Real* const s = dense_numbers(tape, scores.value());
  const MatrixView w = tape.allocate(scores.shape());
  for_set_runs(sets, cols, [&](const SetRun& run, Size at) { forward(run, s + at, w.data + at); });
  return tape.record(name, scores.shape(), w, {scores}, [=, &tape](ConstMatrixView dw) {
    const GradSink sink = tape.sink(scores);
    const bool direct = sink.write == Write::assign && sink.view.contiguous();
    const MatrixView ds = direct ? sink.view : tape.allocate(scores.shape());
    const Real* const g = dense_numbers(tape, dw);
    for_set_runs(sets, cols, [&](const SetRun& run, Size at) {
      backward(run, s + at, static_cast<const Real*>(w.data + at), g + at, ds.data + at);
    });
    if (!direct) pass_gradient(ds, sink);
  });
}

/// sum w g of every column of a set; for this thread, until the next call.
inline const Real* column_products(Size rows, Size cols, const Real* w, const Real* g) {
  thread_local std::vector<double> sum;
  thread_local std::vector<Real> rounded;
  sum.assign(static_cast<std::size_t>(cols), 0.0);
  sum_columns(rows, cols, sum.data(), [=](Size i) { return w[i] * g[i]; });
  rounded.assign(sum.begin(), sum.end());
  return rounded.data();
}

/// ds = slope (g - sum w g) factor over a run: the gradient of weights that a set shares out among its rows.
inline void shared_gradient(const SetRun& run, const Real* slope, const Real* w, const Real* g, Real factor,
                            Real* ds) {
  run.for_sets([&](Size, Size at, Size rows) {
    for_columns(rows, run.cols, column_products(rows, run.cols, w + at, g + at),
                [=](Size i, Real m) { ds[at + i] = slope[at + i] * (g[at + i] - m) * factor; });
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
