#include "tarn/core/ops/embedding.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/vector.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

namespace {

constexpr Size rows_per_block = 256;

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

void check_ids(std::span<const std::int32_t> ids, Size rows, std::span<const Var> tables) {
  const Size columns = static_cast<Size>(tables.size());
  if (static_cast<Size>(ids.size()) != rows * columns) {
    throw ShapeError(fmt::format("embedding: {} ids for {} rows and {} tables; expected {}", ids.size(), rows,
                                 columns, rows * columns));
  }
  for (Size i = 0; i < rows; ++i) {
    for (Size f = 0; f < columns; ++f) {
      const Size id = ids[at(i * columns + f)], known = tables[at(f)].rows();
      if (id >= 0 && id < known) continue;
      throw ValueError(
          fmt::format("embedding: row {}, column {} is {}; expected a number in [0, {})", i, f, id, known));
    }
  }
}

/// The rows of column f that chose each table row: `order` sorted by id, stable, from start[id].
struct Choosers {
  std::span<Size> start;          // [K + 1]
  std::span<std::int32_t> order;  // [N]
};

Choosers rows_by_id(Tape& tape, std::span<const std::int32_t> ids, Size rows, Size columns, Size f,
                    Size known) {
  const Choosers result{tape.allocate_array<Size>(known + 1), tape.allocate_array<std::int32_t>(rows)};
  std::fill(result.start.begin(), result.start.end(), 0);
  for (Size i = 0; i < rows; ++i) ++result.start[at(ids[at(i * columns + f)] + 1)];
  for (std::size_t k = 1; k < result.start.size(); ++k) result.start[k] += result.start[k - 1];
  const auto cursor = tape.allocate_array<Size>(known);
  std::copy_n(result.start.begin(), known, cursor.begin());
  for (Size i = 0; i < rows; ++i) {
    result.order[at(cursor[at(ids[at(i * columns + f)])]++)] = static_cast<std::int32_t>(i);
  }
  return result;
}

}  // namespace

inline namespace TARN_PRECISION {

Var embedding_sum(Tape& tape, std::span<const std::int32_t> given, Size rows,
                  std::span<const Var> given_tables) {
  check_ids(given, rows, given_tables);
  const Size columns = static_cast<Size>(given_tables.size());
  const Size width = columns > 0 ? given_tables[0].cols() : 0;
  const auto tables = tape.allocate_array<Var>(columns);
  std::copy(given_tables.begin(), given_tables.end(), tables.begin());
  const auto ids = tape.allocate_array<std::int32_t>(rows * columns);
  std::copy(given.begin(), given.end(), ids.begin());
  const Shape shape{rows, width};
  const MatrixView y = tape.allocate(shape);
  for_blocks(rows, rows_per_block, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) {
      std::fill_n(y.row(i), width, Real{0});
      for (Size f = 0; f < columns; ++f) {
        add_scaled(1, tables[at(f)].value().row(ids[at(i * columns + f)]), y.row(i), width);
      }
    }
  });
  return tape.record("embedding_sum", shape, y, std::span<const Var>(tables), [=, &tape](ConstMatrixView dy) {
    for (Size f = 0; f < columns; ++f) {
      if (!tables[at(f)].needs_grad()) continue;
      const MatrixView into = tape.grad(tables[at(f)]);
      const Choosers choosers = rows_by_id(tape, ids, rows, columns, f, into.rows);
      const auto sums = tape.allocate_array<double>(into.rows * width);
      for_blocks(into.rows, 1, [&](Size k, Size) {
        double* sum = sums.data() + k * width;
        std::fill_n(sum, width, 0.0);
        for (Size p = choosers.start[at(k)]; p < choosers.start[at(k + 1)]; ++p) {
          const Real* row = dy.row(choosers.order[at(p)]);
          for (Size j = 0; j < width; ++j) sum[j] += static_cast<double>(row[j]);
        }
        for (Size j = 0; j < width; ++j) into(k, j) += static_cast<Real>(sum[j]);
      });
    }
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
