#include "tarn/core/ops/segment.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/linear.hpp"
#include "tarn/core/ops/vector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace tarn {

namespace {

constexpr Size rows_per_block = 256;
constexpr double softmax_eps = 1e-16;

template <class F>
void for_sets(const Segments& sets, F f) {
  for_segments(sets, rows_per_block, [&](Size first, Size last) {
    for (Size b = first; b < last; ++b) f(b, sets.rows(b));
  });
}

/// Softmax of the columns of one set: in and out are runs of whole rows.
void softmax_rows(ConstMatrixView in, MatrixView out) {
  const Size heads = in.cols;
  std::vector<double> sum(static_cast<std::size_t>(heads), 0.0);
  for (Size h = 0; h < heads; ++h) {
    Real best = in(0, h);
    for (Size i = 1; i < in.rows; ++i) best = std::max(best, in(i, h));
    for (Size i = 0; i < in.rows; ++i) out(i, h) = in(i, h) - best;
  }
  exp_in_place(out.data, out.size());
  for (Size i = 0; i < in.rows; ++i) {
    for (Size h = 0; h < heads; ++h) sum[static_cast<std::size_t>(h)] += static_cast<double>(out(i, h));
  }
  for (Size i = 0; i < in.rows; ++i) {
    for (Size h = 0; h < heads; ++h) {
      out(i, h) = static_cast<Real>(static_cast<double>(out(i, h)) /
                                    (sum[static_cast<std::size_t>(h)] + softmax_eps));
    }
  }
}

}  // namespace

inline namespace TARN_PRECISION {

Var segment_softmax(Var scores, const Segments& sets) {
  sets.require_cover("segment_softmax", scores.rows());
  Tape& tape = scores.tape();
  const ConstMatrixView s = scores.value();
  const MatrixView a = tape.allocate(scores.shape());
  for_sets(sets, [&](Size, Rows rows) {
    if (rows.size() > 0) softmax_rows(s.row_block(rows.begin, rows.end), a.row_block(rows.begin, rows.end));
  });
  return tape.record("segment_softmax", scores.shape(), a, {scores}, [=, &tape](ConstMatrixView da) {
    const MatrixView ds = tape.grad(scores);
    for_sets(sets, [&](Size, Rows rows) {
      for (Size h = 0; h < a.cols; ++h) {
        double dot = 0;  // <a, da>
        for (Size i = rows.begin; i < rows.end; ++i)
          dot += static_cast<double>(a(i, h)) * static_cast<double>(da(i, h));
        for (Size i = rows.begin; i < rows.end; ++i) {
          ds(i, h) += static_cast<Real>(static_cast<double>(a(i, h)) * (static_cast<double>(da(i, h)) - dot));
        }
      }
    });
  });
}

Var segment_weighted_sum(std::span<const Var> blocks, Var weights, const Segments& sets) {
  sets.require_cover("segment_weighted_sum", weights.rows());
  Tape& tape = weights.tape();
  const ConstMatrixView a = weights.value();
  Size width = 0;
  for (const Var& x : blocks) width += x.cols();
  const Shape shape{sets.count(), width};
  const MatrixView y = tape.allocate(shape);
  const auto inputs = tape.allocate_array<Var>(static_cast<Size>(blocks.size()) + 1);
  std::copy(blocks.begin(), blocks.end(), inputs.begin());
  inputs.back() = weights;
  const auto features = inputs.first(blocks.size());
  for_sets(sets, [&](Size b, Rows rows) {
    Real* out = y.row(b);
    std::fill_n(out, width, Real{0});
    for (const Var& x : features) {
      const ConstMatrixView in = x.value();
      for (Size i = rows.begin; i < rows.end; ++i) {
        const Real w = a(i, 0);
        const Real* row = in.row(i);
        add_scaled(w, row, out, in.cols);
      }
      out += in.cols;
    }
  });
  return tape.record("segment_weighted_sum", shape, y, std::span<const Var>(inputs),
                     [=, &tape](ConstMatrixView dy) {
                       const bool weights_need = weights.needs_grad();
                       const MatrixView da = weights_need ? tape.grad(weights) : MatrixView{};
                       Size column = 0;
                       for (const Var& x : features) {
                         const ConstMatrixView in = x.value();
                         const Size first = column;
                         column += in.cols;
                         const GradSink dx = x.needs_grad() ? tape.sink(x) : GradSink{};
                         for_sets(sets, [&](Size b, Rows rows) {
                           const Real* g = dy.row(b) + first;
                           for (Size i = rows.begin; i < rows.end; ++i) {
                             const Real* row = in.row(i);
                             if (weights_need) {
                               da(i, 0) += dot(g, row, in.cols);
                             }
                             if (dx.view.data == nullptr) continue;
                             Real* out = dx.view.row(i);
                             const Real w = a(i, 0);
                             if (dx.write == Write::assign) {
                               for (Size j = 0; j < in.cols; ++j) out[j] = w * g[j];
                             } else {
                               for (Size j = 0; j < in.cols; ++j) out[j] += w * g[j];
                             }
                           }
                         });
                       }
                     });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
