#include "tarn/core/ops/segment.hpp"
#include "tarn/core/ops/segment_product.hpp"
#include "tarn/core/ops/segment_totals.hpp"
#include "tarn/core/ops/write_row.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace tarn {

namespace {

constexpr double least_variance = 1e-5;  // of std, as PyTorch Geometric has it

WantedTotals wanted_totals(std::span<const Reduce> statistics) {
  WantedTotals w;
  for (const Reduce s : statistics) {
    const bool squares = s == Reduce::var || s == Reduce::std;
    w.squares = w.squares || squares;
    w.highs = w.highs || s == Reduce::max;
    w.lows = w.lows || s == Reduce::min;
    w.products = w.products || s == Reduce::mul;
    w.sums = w.sums || squares || s == Reduce::sum || s == Reduce::mean || s == Reduce::sum_over_root;
  }
  return w;
}

/// f(first, cols) for every tile of columns.
template <class F>
void for_tiles(Size width, F f) {
  for (Size first = 0; first < width; first += tile_columns) f(first, std::min(tile_columns, width - first));
}

Size tiles_of(Size width) {
  return (width + tile_columns - 1) / tile_columns;
}

double finished(Reduce statistic, const Totals& t, Size j) {
  const double n = t.num_rows;
  switch (statistic) {
    case Reduce::sum:
      return t.sum[j];
    case Reduce::mean:
      return t.sum[j] / n;
    case Reduce::max:
      return static_cast<double>(t.high[j]);
    case Reduce::min:
      return static_cast<double>(t.low[j]);
    case Reduce::mul:
      return t.product[j];
    case Reduce::var:
      return t.squares[j] / n;
    case Reduce::std:
      return t.squares[j] / n <= least_variance ? 0.0 : std::sqrt(t.squares[j] / n);
    case Reduce::sum_over_root:
      return t.sum[j] / std::sqrt(n);
  }
  return 0;
}

/// What forward keeps and backward reads.
struct Reduction {
  Segments sets;
  RowChoice choice;
  SemiGrad semi_grad;
  std::span<const Reduce> statistics;
  ConstMatrixView x;
  MatrixView y;              // [B, K D]
  std::span<double> means;   // [B, D], with var or std
  std::span<Totals> totals;  // of the parts of cut sets, tile by tile

  [[nodiscard]] Totals& part_totals(Size part, Size first) const {
    return totals[static_cast<std::size_t>(part * tiles_of(x.cols) + first / tile_columns)];
  }
  [[nodiscard]] double* mean(Size set) const { return means.data() + set * x.cols; }
};

void finish_tile(const Reduction& r, Size set, Size first, Size cols, const Totals& t) {
  for (std::size_t k = 0; k < r.statistics.size(); ++k) {
    Real* const out = r.y.row(set) + static_cast<Size>(k) * r.x.cols + first;
    for (Size j = 0; j < cols; ++j) out[j] = static_cast<Real>(finished(r.statistics[k], t, j));
  }
  if (r.means.empty()) return;
  for (Size j = 0; j < cols; ++j) r.mean(set)[first + j] = t.sum[j] / t.num_rows;
}

void finish_empty(const Reduction& r, Size set) {
  for (std::size_t k = 0; k < r.statistics.size(); ++k) {
    std::fill_n(r.y.row(set) + static_cast<Size>(k) * r.x.cols, r.x.cols,
                r.statistics[k] == Reduce::mul ? Real{1} : Real{0});
  }
}

void reduce_forward(const Reduction& r, const SegmentChunks& chunks) {
  const WantedTotals wanted = wanted_totals(r.statistics);
  chunks.for_each([&](const SegmentChunk& chunk) {
    if (chunk.rows.size() == 0) return finish_empty(r, chunk.set);
    for_tiles(r.x.cols, [&](Size first, Size cols) {
      Totals own;
      Totals& t = chunk.whole() ? own : r.part_totals(chunk.part, first);
      compute_totals(wanted, r.x, chunk.rows, first, cols, t);
      if (chunk.whole()) finish_tile(r, chunk.set, first, cols, t);
    });
  });
  chunks.for_each_cut([&](Size set, Rows parts) {
    for_tiles(r.x.cols, [&](Size first, Size cols) {
      Totals& t = r.part_totals(parts.begin, first);
      for (Size p = parts.begin + 1; p < parts.end; ++p)
        join_totals(wanted, cols, r.part_totals(p, first), t);
      finish_tile(r, set, first, cols, t);
    });
  });
}

/// The gradient of every statistic but the product at one set and tile, as a function of a row:
/// constant + slope (x - centre) + [x = high] high_share + [x = low] low_share.
struct alignas(64) RowGradient {
  double constant[tile_columns] = {};
  Real slope[tile_columns] = {}, centre[tile_columns] = {};
  Real high[tile_columns] = {}, high_share[tile_columns] = {};
  Real low[tile_columns] = {}, low_share[tile_columns] = {};
  bool centred = false, highs = false, lows = false;
};

/// Rows that attain the extrema of their set.
struct alignas(64) TieCounts {
  std::int32_t high[tile_columns];
  std::int32_t low[tile_columns];
};

void add_linear(const Reduction& r, Reduce statistic, Size set, Size first, Size cols, const Real* g,
                const Real* y, RowGradient& into) {
  const double n = static_cast<double>(r.choice.of(r.sets.rows(set)).size());
  if (statistic == Reduce::sum || statistic == Reduce::mean || statistic == Reduce::sum_over_root) {
    const double share = statistic == Reduce::sum ? 1 : statistic == Reduce::mean ? 1 / n : 1 / std::sqrt(n);
    for (Size j = 0; j < cols; ++j) into.constant[j] += share * static_cast<double>(g[j]);
    return;
  }
  const double* mean = r.mean(set) + first;
  for (Size j = 0; j < cols; ++j) {
    const double s = static_cast<double>(y[j]);
    const double dvar = static_cast<double>(g[j]) * (statistic == Reduce::var ? 2 : s > 0 ? 1 / s : 0) / n;
    if (r.semi_grad == SemiGrad::yes) {
      into.constant[j] -= dvar * mean[j];
    } else {
      // The centre is the nearest Real, whose differences to x lose nothing; what it is off goes to the
      // constant.
      into.centre[j] = static_cast<Real>(mean[j]);
      into.slope[j] += static_cast<Real>(dvar);
      into.constant[j] -= dvar * (mean[j] - static_cast<double>(into.centre[j]));
    }
  }
  into.centred = into.centred || r.semi_grad == SemiGrad::no;
}

void share_extremum(Size cols, const Real* g, const Real* y, const std::int32_t* ties, Real* extremum,
                    Real* share) {
  for (Size j = 0; j < cols; ++j) {
    extremum[j] = y[j];
    if (ties[j] > 0) share[j] += g[j] / static_cast<Real>(ties[j]);
  }
}

RowGradient row_gradient(const Reduction& r, ConstMatrixView dy, Size set, Size first, Size cols,
                         const TieCounts& ties) {
  RowGradient into;
  for (std::size_t k = 0; k < r.statistics.size(); ++k) {
    const Reduce s = r.statistics[k];
    const Size column = static_cast<Size>(k) * r.x.cols + first;
    const Real *const g = dy.row(set) + column, *const y = r.y.row(set) + column;
    if (s == Reduce::max) {
      into.highs = true;
      share_extremum(cols, g, y, ties.high, into.high, into.high_share);
    } else if (s == Reduce::min) {
      into.lows = true;
      share_extremum(cols, g, y, ties.low, into.low, into.low_share);
    } else if (s != Reduce::mul) {
      add_linear(r, s, set, first, cols, g, y, into);
    }
  }
  return into;
}

template <bool centred, bool highs, bool lows, class Columns>
void write_rows(const RowGradient& g, ConstMatrixView x, Rows rows, Size first, Columns cols,
                const RowWriter& dx) {
  alignas(64) Real constant[tile_columns], buffer[tile_columns];
  for (Size j = 0; j < cols; ++j) constant[j] = static_cast<Real>(g.constant[j]);
  constexpr bool reads = centred || highs || lows;
  for (Size i = rows.begin; i < rows.end; ++i) {
    const Real* const row = x.row(i) + first;
    for (Size j = 0; reads && j < cols; ++j) {
      Real d = constant[j];
      if constexpr (centred) d += g.slope[j] * (row[j] - g.centre[j]);
      if constexpr (highs) d += row[j] == g.high[j] ? g.high_share[j] : Real{0};
      if constexpr (lows) d += row[j] == g.low[j] ? g.low_share[j] : Real{0};
      buffer[j] = d;
    }
    dx.write(i, first, cols, reads ? buffer : constant);
  }
}

void write_gradient(const RowGradient& g, ConstMatrixView x, Rows rows, Size first, Size width,
                    const RowWriter& dx) {
  with_columns(width, [&](auto cols) {
    const auto write = [&](auto centred, auto highs, auto lows) {
      write_rows<centred, highs, lows>(g, x, rows, first, cols, dx);
    };
    constexpr std::true_type yes;
    constexpr std::false_type no;
    const auto with_extrema = [&](auto centred) {
      if (g.highs && g.lows) return write(centred, yes, yes);
      if (g.highs) return write(centred, yes, no);
      if (g.lows) return write(centred, no, yes);
      write(centred, no, no);
    };
    g.centred ? with_extrema(yes) : with_extrema(no);
  });
}

/// The column of y where a statistic stands, or null if nobody asked for it.
const Real* column_of(const Reduction& r, Reduce statistic, Size set) {
  const auto it = std::find(r.statistics.begin(), r.statistics.end(), statistic);
  if (it == r.statistics.end()) return nullptr;
  return r.y.row(set) + (it - r.statistics.begin()) * r.x.cols;
}

void count_equal(ConstMatrixView x, Rows rows, Size first, Size width, const Real* extremum,
                 std::int32_t* __restrict count) {
  if (extremum == nullptr) return;
  with_columns(width, [&](auto cols) {
    const Real* const best = extremum + first;
    for (Size i = rows.begin; i < rows.end; ++i) {
      const Real* const row = x.row(i) + first;
      for (Size j = 0; j < cols; ++j) count[j] += row[j] == best[j] ? 1 : 0;
    }
  });
}

void count_ties(const Reduction& r, Size set, Rows rows, Size first, Size cols, TieCounts& ties) {
  std::fill_n(ties.high, cols, 0);
  std::fill_n(ties.low, cols, 0);
  count_equal(r.x, rows, first, cols, column_of(r, Reduce::max, set), ties.high);
  count_equal(r.x, rows, first, cols, column_of(r, Reduce::min, set), ties.low);
}

/// Ties of the cut sets; those of a set stand at its first part.
std::span<TieCounts> count_cut_ties(Tape& tape, const Reduction& r, const SegmentChunks& chunks) {
  const Size tiles = tiles_of(r.x.cols);
  const auto counts = tape.allocate_array<TieCounts>(chunks.num_parts() * tiles);
  const auto at = [&](Size part, Size first) -> TieCounts& {
    return counts[static_cast<std::size_t>(part * tiles + first / tile_columns)];
  };
  if (counts.empty()) return counts;
  chunks.for_each([&](const SegmentChunk& chunk) {
    if (chunk.whole()) return;
    for_tiles(r.x.cols, [&](Size first, Size cols) {
      count_ties(r, chunk.set, chunk.rows, first, cols, at(chunk.part, first));
    });
  });
  chunks.for_each_cut([&](Size, Rows parts) {
    for_tiles(r.x.cols, [&](Size first, Size cols) {
      TieCounts& total = at(parts.begin, first);
      for (Size p = parts.begin + 1; p < parts.end; ++p) {
        for (Size j = 0; j < cols; ++j) {
          total.high[j] += at(p, first).high[j];
          total.low[j] += at(p, first).low[j];
        }
      }
    });
  });
  return counts;
}

/// All statistics but the product.
void write_pointwise(Tape& tape, const Reduction& r, const SegmentChunks& chunks, ConstMatrixView dy,
                     const RowWriter& dx) {
  const WantedTotals wanted = wanted_totals(r.statistics);
  const bool ties = wanted.highs || wanted.lows;
  const std::span<TieCounts> cut_ties = ties ? count_cut_ties(tape, r, chunks) : std::span<TieCounts>{};
  chunks.for_each([&](const SegmentChunk& chunk) {
    if (chunk.rows.size() == 0) return;
    for_tiles(r.x.cols, [&](Size first, Size cols) {
      TieCounts own;
      const Size at = chunk.first_part * tiles_of(r.x.cols) + first / tile_columns;
      const TieCounts& counts = !ties || chunk.whole() ? own : cut_ties[static_cast<std::size_t>(at)];
      if (ties && chunk.whole()) count_ties(r, chunk.set, chunk.rows, first, cols, own);
      const RowGradient g = row_gradient(r, dy, chunk.set, first, cols, counts);
      write_gradient(g, r.x, chunk.rows, first, cols, dx);
    });
    dx.settle();
  });
}

void reduce_backward(Tape& tape, const Reduction& r, const SegmentChunks& chunks, ConstMatrixView dy,
                     GradSink sink) {
  for (std::size_t k = 0; k < r.statistics.size(); ++k) {
    if (r.statistics[k] != Reduce::mul) continue;
    const Size column = static_cast<Size>(k) * r.x.cols;
    write_product_gradient(tape, r.x, chunks, dy.column_block(column, column + r.x.cols), RowWriter(sink));
    sink.write = Write::add;
  }
  const bool only_products =
      std::all_of(r.statistics.begin(), r.statistics.end(), [](Reduce s) { return s == Reduce::mul; });
  if (!only_products) write_pointwise(tape, r, chunks, dy, RowWriter(sink));
}

}  // namespace

inline namespace TARN_PRECISION {

Var segment_reduce(Var x, const Segments& sets, std::span<const Reduce> statistics, SemiGrad semi_grad,
                   RowChoice rows) {
  sets.require_cover("segment_reduce", x.rows());
  Tape& tape = x.tape();
  const SegmentChunks chunks(sets, rows);
  const Size width = x.cols();
  const Shape shape{sets.count(), static_cast<Size>(statistics.size()) * width};
  const auto own_statistics = tape.allocate_array<Reduce>(static_cast<Size>(statistics.size()));
  std::copy(statistics.begin(), statistics.end(), own_statistics.begin());
  const bool means = wanted_totals(statistics).squares && x.needs_grad();
  const Reduction r{.sets = sets,
                    .choice = rows,
                    .semi_grad = semi_grad,
                    .statistics = own_statistics,
                    .x = x.value(),
                    .y = tape.allocate(shape),
                    .means = tape.allocate_array<double>(means ? sets.count() * width : 0),
                    .totals = tape.allocate_array<Totals>(chunks.num_parts() * tiles_of(width))};
  reduce_forward(r, chunks);
  return tape.record("segment_reduce", shape, r.y, {x}, [=, &tape](ConstMatrixView dy) {
    // Rows that do not count get zeros.
    const GradSink sink = r.choice.all() ? tape.sink(x) : GradSink{tape.grad(x), Write::add};
    reduce_backward(tape, r, SegmentChunks(r.sets, r.choice), dy, sink);
  });
}

Var segment_end_mean(Var x, const Segments& sets, SetEnd end, Size k) {
  static constexpr Reduce mean = Reduce::mean;
  return segment_reduce(x, sets, {&mean, 1}, SemiGrad::no, {end, k});
}

}  // namespace TARN_PRECISION
}  // namespace tarn
