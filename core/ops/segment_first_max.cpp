#include "tarn/core/ops/segment_first_max.hpp"

#include "tarn/core/parallel.hpp"

#include <algorithm>
#include <cstdint>

namespace tarn {

namespace {

constexpr Size rows_per_block = 256;

template <class F>
void for_sets(const Segments& sets, F f) {
  for_segments(sets, rows_per_block, [&](Size first, Size last) {
    for (Size b = first; b < last; ++b) f(b, sets.rows(b));
  });
}

}  // namespace

inline namespace TARN_PRECISION {

Var segment_first_max(Var x, const Segments& sets) {
  sets.require_cover("segment_first_max", x.rows());
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const Shape shape{sets.count(), in.cols};
  const MatrixView y = tape.allocate(shape);
  const auto winners = tape.allocate_array<std::int32_t>(shape.count());  // counted from the set's first row
  for_sets(sets, [&](Size b, Rows rows) {
    Real* __restrict best = y.row(b);
    std::int32_t* __restrict won = winners.data() + b * in.cols;
    std::fill_n(won, in.cols, 0);
    if (rows.size() == 0) {
      std::fill_n(best, in.cols, Real{0});
      return;
    }
    std::copy_n(in.row(rows.begin), in.cols, best);
    for (Size i = rows.begin + 1; i < rows.end; ++i) {
      const Real* __restrict row = in.row(i);
      for (Size j = 0; j < in.cols; ++j) {
        const bool better = (row[j] > best[j]) | ((row[j] != row[j]) & (best[j] == best[j]));
        best[j] = better ? row[j] : best[j];
        won[j] = better ? static_cast<std::int32_t>(i - rows.begin) : won[j];
      }
    }
  });
  return tape.record("segment_first_max", shape, y, {x}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dx = tape.grad(x);
    for_sets(sets, [&](Size b, Rows rows) {
      const std::int32_t* won = winners.data() + b * dy.cols;
      for (Size j = 0; j < dy.cols && rows.size() > 0; ++j) dx(rows.begin + won[j], j) += dy(b, j);
    });
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
