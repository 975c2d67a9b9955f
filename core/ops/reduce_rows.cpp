#include "tarn/core/ops/reduce_rows.hpp"

#include <algorithm>

namespace tarn {

namespace {
constexpr Size rows_per_block = 256;
}

inline namespace TARN_PRECISION {

void add_column_sums(Tape& tape, ConstMatrixView d, GradSink into) {
  const Size blocks = (d.rows + rows_per_block - 1) / rows_per_block;
  const auto partial = tape.allocate_array<double>(std::max<Size>(blocks, 1) * d.cols);
  std::fill(partial.begin(), partial.end(), 0.0);
  for_blocks(d.rows, rows_per_block, [&](Size begin, Size end) {
    double* sum = partial.data() + begin / rows_per_block * d.cols;
    for (Size i = begin; i < end; ++i) {
      const Real* row = d.row(i);
      for (Size j = 0; j < d.cols; ++j) sum[j] += static_cast<double>(row[j]);
    }
  });
  for (Size j = 0; j < d.cols; ++j) {
    double total = 0;
    for (Size b = 0; b < blocks; ++b) total += partial[static_cast<std::size_t>(b * d.cols + j)];
    Real& out = into.view.data[j];
    out = static_cast<Real>(total) + (into.write == Write::add ? out : Real{0});
  }
}

}  // namespace TARN_PRECISION
}  // namespace tarn
