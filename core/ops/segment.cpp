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

void add_rows(ConstMatrixView x, Rows rows, double factor, Real* out) {
  std::vector<double> total(static_cast<std::size_t>(x.cols), 0.0);
  for (Size i = rows.begin; i < rows.end; ++i) {
    const Real* row = x.row(i);
    for (Size j = 0; j < x.cols; ++j) total[static_cast<std::size_t>(j)] += static_cast<double>(row[j]);
  }
  for (Size j = 0; j < x.cols; ++j) {
    out[j] = static_cast<Real>(total[static_cast<std::size_t>(j)] * factor);
  }
}

/// Sum or mean over select(rows), a run inside each set.
template <class Select>
Var sum_of_rows(Var x, const Segments& sets, Select select, Reduce reduce) {
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const Shape shape{sets.count(), in.cols};
  const MatrixView y = tape.allocate(shape);
  const auto factor = [reduce](Rows rows) {
    return reduce == Reduce::sum || rows.size() == 0 ? 1.0 : 1.0 / static_cast<double>(rows.size());
  };
  for_sets(sets, [&](Size b, Rows rows) { add_rows(in, select(rows), factor(select(rows)), y.row(b)); });
  return tape.record("segment_reduce", shape, y, {x}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dx = tape.grad(x);
    for_sets(sets, [&](Size b, Rows rows) {
      const Rows selected = select(rows);
      const Real share = static_cast<Real>(factor(selected));
      for (Size i = selected.begin; i < selected.end; ++i) {
        for (Size j = 0; j < dy.cols; ++j) dx(i, j) += share * dy(b, j);
      }
    });
  });
}

Var segment_max(Var x, const Segments& sets) {
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const Shape shape{sets.count(), in.cols};
  const MatrixView y = tape.allocate(shape);
  for_sets(sets, [&](Size b, Rows rows) {
    Real* best = y.row(b);
    std::fill_n(best, in.cols, rows.size() > 0 ? -std::numeric_limits<Real>::infinity() : Real{0});
    for (Size i = rows.begin; i < rows.end; ++i) {
      const Real* row = in.row(i);
      // Written so that a NaN wins and stays: it spreads inside its own set.
      for (Size j = 0; j < in.cols; ++j)
        best[j] = row[j] <= best[j] || std::isnan(best[j]) ? best[j] : row[j];
    }
  });
  return tape.record("segment_max", shape, y, {x}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dx = tape.grad(x);
    for_sets(sets, [&](Size b, Rows rows) {
      std::vector<Real> share(static_cast<std::size_t>(in.cols), Real{0});
      const Real* best = y.row(b);
      for (Size i = rows.begin; i < rows.end; ++i) {
        for (Size j = 0; j < in.cols; ++j) share[static_cast<std::size_t>(j)] += Real(in(i, j) == best[j]);
      }
      for (Size j = 0; j < in.cols; ++j) {
        Real& s = share[static_cast<std::size_t>(j)];
        s = s > 0 ? dy(b, j) / s : Real{0};
      }
      for (Size i = rows.begin; i < rows.end; ++i) {
        for (Size j = 0; j < in.cols; ++j) {
          if (in(i, j) == best[j]) dx(i, j) += share[static_cast<std::size_t>(j)];
        }
      }
    });
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

Var segment_reduce(Var x, const Segments& sets, Reduce reduce) {
  sets.require_cover("segment_reduce", x.rows());
  if (reduce == Reduce::max) return segment_max(x, sets);
  return sum_of_rows(
      x, sets, [](Rows rows) { return rows; }, reduce);
}

Var segment_end_mean(Var x, const Segments& sets, SetEnd end, Size k) {
  sets.require_cover("segment_end_mean", x.rows());
  const auto select = [end, k](Rows rows) {
    return end == SetEnd::first ? Rows{rows.begin, std::min(rows.end, rows.begin + k)}
                                : Rows{std::max(rows.begin, rows.end - k), rows.end};
  };
  return sum_of_rows(x, sets, select, Reduce::mean);
}

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
