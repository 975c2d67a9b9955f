#pragma once

#include "tarn/core/ops/segment_chunks.hpp"
#include "tarn/core/ops/segment_totals.hpp"
#include "tarn/core/ops/vector_math.hpp"
#include "tarn/core/tape.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace tarn {
inline namespace TARN_PRECISION {

/// Rows and columns of the tile that a softmax of columns works on: its exponentials stay in the nearest
/// cache.
constexpr Size softmax_tile_rows = 32;

/// Totals of a run of rows over a tile of columns: largest score, sum of exponentials, weighted sum of
/// values.
struct alignas(64) ColumnTotals {
  Real highest[tile_columns];
  double sum[tile_columns];
  double pooled[tile_columns];
};

void start_columns(Size cols, ColumnTotals& t);
/// Adds a tile: scores e [rows, cols], packed, become exponentials. value(i) points to the values of row i of
/// the tile; null for no values.
void add_tile(Size rows, Size cols, Real* e, FunctionRef<const Real*(Size row)> value, ColumnTotals& t);
void join_columns(Size cols, const ColumnTotals& later, ColumnTotals& t);
/// Scores e [rows, cols] become weights exp(e - highest) inverse.
void tile_weights(Size rows, Size cols, Real* e, const Real* highest, const Real* inverse);

/// Columns in tiles of at most `tile_columns`, none of which lies over a multiple of `period`.
class ColumnTiles {
 public:
  ColumnTiles(Size columns, Size period) : columns_(columns), period_(std::max<Size>(period, 1)) {}
  [[nodiscard]] Size count() const { return columns_ / period_ * per_period(); }
  /// f(tile, first, cols)
  template <class F>
  void for_each(F f) const {
    Size tile = 0;
    for (Size start = 0; start < columns_; start += period_) {
      for (Size at = 0; at < period_; at += tile_columns)
        f(tile++, start + at, std::min(tile_columns, period_ - at));
    }
  }

 private:
  [[nodiscard]] Size per_period() const { return (period_ + tile_columns - 1) / tile_columns; }
  Size columns_, period_;
};

/// A softmax of every column of scores inside every set, scores made tile by tile: `scores(set, rows, first,
/// cols, out)` writes those of some rows and columns, packed. What is kept is the largest score and 1 / sum
/// of each set and column; never the weights.
template <class Scores>
class ColumnSoftmax {
 public:
  ColumnSoftmax(Tape& tape, Segments sets, Size columns, Size period, Scores scores)
      : sets_(std::move(sets)),
        tiles_(columns, period),
        scores_(scores),
        highest_(tape.allocate({sets_.count(), columns})),
        inverse_(tape.allocate({sets_.count(), columns})) {}

  [[nodiscard]] const Segments& sets() const { return sets_; }
  /// f(first, cols) for tiles of columns, `cols` a constant of the compiler for the usual widths.
  template <class F>
  void for_columns(F f) const {
    tiles_.for_each(
        [&](Size, Size first, Size width) { with_columns(width, [&](auto cols) { f(first, cols); }); });
  }

  /// One pass over all rows: value(i, column) points to the values of row i from a column on, or is null;
  /// finish(set, first, cols, totals) takes what a tile of columns comes to, unless the set is empty.
  template <class Value, class Finish>
  void run(Tape& tape, Value value, Finish finish) const {
    const SegmentChunks chunks(sets_);
    const auto parts = tape.allocate_array<ColumnTotals>(chunks.num_parts() * tiles_.count());
    const auto part = [&](Size k, Size tile) -> ColumnTotals& {
      return parts[static_cast<std::size_t>(k * tiles_.count() + tile)];
    };
    const auto settle = [&](Size set, Size first, Size cols, const ColumnTotals& t) {
      for (Size j = 0; j < cols; ++j) {
        highest_(set, first + j) = t.highest[j];
        inverse_(set, first + j) = t.sum[j] > 0 ? static_cast<Real>(1 / t.sum[j]) : Real{0};
      }
      finish(set, first, cols, t);
    };
    chunks.for_each([&](const SegmentChunk& chunk) {
      if (chunk.rows.size() == 0) return;
      tiles_.for_each([&](Size tile, Size first, Size cols) {
        ColumnTotals own;
        ColumnTotals& t = chunk.whole() ? own : part(chunk.part, tile);
        start_columns(cols, t);
        for_row_tiles(chunk.rows, [&](Rows rows, Real* e) {
          scores_(chunk.set, rows, first, cols, e);
          add_tile(
              rows.size(), cols, e, [&](Size i) { return value(rows.begin + i, first); }, t);
        });
        if (chunk.whole()) settle(chunk.set, first, cols, t);
      });
    });
    chunks.for_each_cut([&](Size set, Rows of_set) {
      tiles_.for_each([&](Size tile, Size first, Size cols) {
        ColumnTotals& t = part(of_set.begin, tile);
        for (Size k = of_set.begin + 1; k < of_set.end; ++k) join_columns(cols, part(k, tile), t);
        settle(set, first, cols, t);
      });
    });
  }

  /// The weight that a score of zero has.
  [[nodiscard]] Real weight_at_score_zero(Size set, Size column) const {
    const Real highest = highest_(set, column);
    return std::isinf(highest) ? Real{0} : std::exp(-highest) * inverse_(set, column);
  }
  /// f(rows, a), or f(rows, a, s), for the tiles of a run of rows of a set: a [rows, cols] the weights of
  /// columns first .. first+cols-1, s their scores, packed.
  template <class F>
  void for_weights(Size set, Rows run, Size first, Size cols, F f) const {
    for_row_tiles(run, [&](Rows rows, Real* e) {
      scores_(set, rows, first, cols, e);
      if constexpr (std::is_invocable_v<F, Rows, Real*, const Real*>) {
        alignas(64) Real scores[softmax_tile_rows * tile_columns];
        std::copy_n(e, rows.size() * cols, scores);
        tile_weights(rows.size(), cols, e, highest_.row(set) + first, inverse_.row(set) + first);
        f(rows, e, scores);
      } else {
        tile_weights(rows.size(), cols, e, highest_.row(set) + first, inverse_.row(set) + first);
        f(rows, e);
      }
    });
  }

 private:
  template <class F>
  static void for_row_tiles(Rows run, F f) {
    alignas(64) Real e[softmax_tile_rows * tile_columns];
    for (Size begin = run.begin; begin < run.end; begin += softmax_tile_rows)
      f(Rows{begin, std::min(run.end, begin + softmax_tile_rows)}, static_cast<Real*>(e));
  }

  Segments sets_;
  ColumnTiles tiles_;
  Scores scores_;
  MatrixView highest_, inverse_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
