#include "tarn/core/ops/segment_pool_kernels.hpp"

#include "tarn/core/ops/dropout_factors.hpp"
#include "tarn/core/ops/segment_totals.hpp"
#include "tarn/core/ops/vector.hpp"
#include "tarn/core/ops/vector_math.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace tarn {

namespace {

/// Rows at a time: they are read from memory once and used from the nearest cache.
constexpr Size tile_rows = 32;

/// f(tile) for runs of rows of one tile each.
template <class F>
void for_row_tiles(Rows rows, F f) {
  for (Size begin = rows.begin; begin < rows.end; begin += tile_rows)
    f(Rows{begin, std::min(rows.end, begin + tile_rows)});
}

/// f(block, first, cols, column) for tiles of columns of the values: of a block, and of all together.
template <class F>
void for_value_tiles(const PoolPlan& p, F f) {
  Size column = 0;
  for (std::size_t k = 0; k < p.values.size(); ++k) {
    for (Size first = 0; first < p.values[k].cols; first += tile_columns) {
      const Size cols = std::min(tile_columns, p.values[k].cols - first);
      f(k, first, cols, column);
      column += cols;
    }
  }
}

/// Numbers of one tile: a row for each row, a column for each query.
class Tile {
 public:
  Tile(Size num_queries, std::vector<Real>& memory) : width_(num_queries), memory_(memory) {
    memory_.resize(static_cast<std::size_t>(tile_rows * num_queries));
  }
  [[nodiscard]] Real* row(Size t) const { return memory_.data() + t * width_; }
  [[nodiscard]] Real& at(Size t, Size s) const { return memory_[static_cast<std::size_t>(t * width_ + s)]; }

 private:
  Size width_;
  std::vector<Real>& memory_;
};

Real whole_dot(const Real* a, const Real* b, Size width) {
  return with_columns(width, [&](auto n) { return dot(a, b, n); });
}

void copy_rows(ConstMatrixView from, Rows rows, const Tile& to) {
  for (Size i = rows.begin; i < rows.end; ++i) std::copy_n(from.row(i), from.cols, to.row(i - rows.begin));
}

void copy_rows(const Tile& from, Rows rows, MatrixView to) {
  for (Size i = rows.begin; i < rows.end; ++i) std::copy_n(from.row(i - rows.begin), to.cols, to.row(i));
}

void raw_scores(const PoolPlan& p, Size set, Rows rows, const Tile& e) {
  if (!p.by_queries()) return copy_rows(p.scores, rows, e);
  const ConstMatrixView q = p.queries_of(set), x = p.values[0];
  for (Size i = rows.begin; i < rows.end; ++i) {
    for (Size s = 0; s < p.num_queries; ++s) e.at(i - rows.begin, s) = whole_dot(x.row(i), q.row(s), x.cols);
  }
}

/// exp(score - highest), where minus infinity stands for no weight at all.
void exponentials(const Tile& e, Size rows, Size num_queries, const double* highest) {
  for (Size s = 0; s < num_queries; ++s) {
    const Real shift = std::isinf(highest[s]) ? Real{0} : static_cast<Real>(highest[s]);
    for (Size t = 0; t < rows; ++t) e.at(t, s) -= shift;
  }
  exp_in_place(e.row(0), rows * num_queries);
}

/// Raises the largest scores to those of a tile; what was summed before is scaled down.
void raise_highest(const PoolPlan& p, const Tile& e, Size rows, const PoolTotals& totals) {
  for (Size s = 0; s < p.num_queries; ++s) {
    double best = totals.highest[static_cast<std::size_t>(s)];
    const double before = best;
    for (Size t = 0; t < rows; ++t) best = std::max(best, static_cast<double>(e.at(t, s)));
    if (!(best > before)) continue;
    totals.highest[static_cast<std::size_t>(s)] = best;
    const double factor = std::exp(before - best);
    totals.sum[static_cast<std::size_t>(s)] *= factor;
    double* const pooled = totals.pooled.data() + s * p.out_width();
    for (Size j = 0; j < p.out_width(); ++j) pooled[j] *= factor;
  }
}

/// Multiplies weights by 0 or 1/(1-p), drawn by row and query.
void drop(const PoolPlan& p, Rows rows, const Tile& e) {
  if (p.options.dropout == 0) return;
  const DropoutFactors factors(p.rng, p.options.dropout);
  for (Size i = rows.begin; i < rows.end; ++i) {
    for (Size s = 0; s < p.num_queries; ++s) e.at(i - rows.begin, s) *= factors(i * p.num_queries + s);
  }
}

void add_values(const PoolPlan& p, Rows rows, const Tile& e, std::span<double> pooled) {
  alignas(64) Real part[tile_columns];
  for (Size s = 0; s < p.num_queries; ++s) {
    double* const total = pooled.data() + s * p.out_width();
    for_value_tiles(p, [&](std::size_t block, Size first, Size width, Size column) {
      with_columns(width, [&](auto cols) {
        std::fill_n(part, cols, Real{0});
        for (Size i = rows.begin; i < rows.end; ++i)
          add_scaled(e.at(i - rows.begin, s), p.values[block].row(i) + first, part, cols);
        for (Size j = 0; j < cols; ++j) total[column + j] += static_cast<double>(part[j]);
      });
    });
    if (!p.options.keep_sums) continue;
    for (Size t = 0; t < rows.size(); ++t) total[p.width] += static_cast<double>(e.at(t, s));
  }
}

/// Raw scores of a tile of a finished set become its weights.
void normalise(const PoolPlan& p, Size set, Size rows, const Tile& a) {
  if (p.options.weighing == Weighing::given) return;
  const double* const inverse = p.inverse.data() + set * p.num_queries;
  if (p.options.weighing == Weighing::softmax)
    exponentials(a, rows, p.num_queries, p.highest.data() + set * p.num_queries);
  for (Size t = 0; t < rows; ++t) {
    for (Size s = 0; s < p.num_queries; ++s) a.at(t, s) *= static_cast<Real>(inverse[s]);
  }
}

/// Weights of a tile of a finished set, before dropout.
void tile_weights(const PoolPlan& p, Size set, Rows rows, const Tile& a) {
  if (p.weights.data != nullptr) return copy_rows(p.weights, rows, a);
  raw_scores(p, set, rows, a);
  normalise(p, set, rows.size(), a);
}

/// ds from dL/da of a tile: d becomes ds. `along` is the sum of a dL/da over the set.
void score_gradient(const PoolPlan& p, Size set, Size rows, const Tile& a, const double* along,
                    const Tile& d) {
  if (p.options.weighing == Weighing::given) return;
  const double* const inverse = p.inverse.data() + set * p.num_queries;
  for (Size t = 0; t < rows; ++t) {
    for (Size s = 0; s < p.num_queries; ++s) {
      const double slope =
          p.options.weighing == Weighing::softmax ? static_cast<double>(a.at(t, s)) : inverse[s];
      d.at(t, s) = static_cast<Real>(slope * (static_cast<double>(d.at(t, s)) - along[s]));
    }
  }
}

void pass_to_scores(const PoolPlan& p, Rows rows, const Tile& ds, const PoolGradients& into) {
  if (into.scores.data != nullptr) {
    for (Size i = rows.begin; i < rows.end; ++i) {
      for (Size s = 0; s < p.num_queries; ++s) into.scores(i, s) += ds.at(i - rows.begin, s);
    }
  }
  if (into.queries == nullptr) return;
  alignas(64) Real part[tile_columns];
  for (Size s = 0; s < p.num_queries; ++s) {
    double* const total = into.queries + s * p.width;
    for_value_tiles(p, [&](std::size_t, Size first, Size width, Size) {
      with_columns(width, [&](auto cols) {
        std::fill_n(part, cols, Real{0});
        for (Size i = rows.begin; i < rows.end; ++i)
          add_scaled(ds.at(i - rows.begin, s), p.values[0].row(i) + first, part, cols);
        for (Size j = 0; j < cols; ++j) total[first + j] += static_cast<double>(part[j]);
      });
    });
  }
}

/// dv_i = sum_s a_is g_s, and what the scores pass on: sum_s ds_is q_s. `a` or `g` may be left out.
void pass_to_values(const PoolPlan& p, Size set, Rows rows, const Tile* a, const Real* g, const Tile& ds,
                    const PoolGradients& into) {
  alignas(64) Real buffer[tile_columns];
  const ConstMatrixView q = p.by_queries() ? p.queries_of(set) : ConstMatrixView();
  for_value_tiles(p, [&](std::size_t block, Size first, Size width, Size column) {
    const RowWriter& dx = into.values[block];
    if (dx.view().data == nullptr) return;
    with_columns(width, [&](auto cols) {
      for (Size i = rows.begin; i < rows.end; ++i) {
        std::fill_n(buffer, cols, Real{0});
        const Size t = i - rows.begin;
        for (Size s = 0; s < p.num_queries; ++s) {
          if (a != nullptr) add_scaled(a->at(t, s), g + s * p.out_width() + column, buffer, cols);
          if (q.data != nullptr) add_scaled(ds.at(t, s), q.row(s) + first, buffer, cols);
        }
        dx.write(i, first, cols, buffer);
      }
    });
  });
}

struct Scratch {
  std::vector<Real> a, b, c;
  std::vector<double> along;
};

Scratch& scratch() {
  thread_local Scratch one;
  return one;
}

}  // namespace

inline namespace TARN_PRECISION {

PoolTotals PoolTotals::over(const PoolPlan& p, double* memory) {
  const auto s = static_cast<std::size_t>(p.num_queries);
  return {{memory, s}, {memory + s, s}, {memory + 2 * s, s * static_cast<std::size_t>(p.out_width())}};
}

void pool_rows(const PoolPlan& p, Size set, Rows rows, const PoolTotals& totals) {
  std::fill(totals.highest.begin(), totals.highest.end(), -std::numeric_limits<double>::infinity());
  std::fill(totals.sum.begin(), totals.sum.end(), 0.0);
  std::fill(totals.pooled.begin(), totals.pooled.end(), 0.0);
  const Tile e(p.num_queries, scratch().a);
  for_row_tiles(rows, [&](Rows tile) {
    raw_scores(p, set, tile, e);
    if (p.weights.data != nullptr) copy_rows(e, tile, p.weights);  // until the set is finished
    if (p.options.weighing == Weighing::softmax) {
      raise_highest(p, e, tile.size(), totals);
      exponentials(e, tile.size(), p.num_queries, totals.highest.data());
    }
    for (Size s = 0; s < p.num_queries; ++s) {
      for (Size t = 0; t < tile.size(); ++t)
        totals.sum[static_cast<std::size_t>(s)] += static_cast<double>(e.at(t, s));
    }
    drop(p, tile, e);
    add_values(p, tile, e, totals.pooled);
  });
}

void join_pooled(const PoolPlan& p, const PoolTotals& later, const PoolTotals& totals) {
  for (std::size_t s = 0; s < totals.highest.size(); ++s) {
    double old_factor = 1, new_factor = 1;
    if (p.options.weighing == Weighing::softmax) {
      const double best = std::max(totals.highest[s], later.highest[s]);
      const double shift = std::isinf(best) ? 0 : best;
      old_factor = std::exp(totals.highest[s] - shift);
      new_factor = std::exp(later.highest[s] - shift);
      totals.highest[s] = best;
    }
    totals.sum[s] = totals.sum[s] * old_factor + later.sum[s] * new_factor;
    const std::size_t width = static_cast<std::size_t>(p.out_width());
    for (std::size_t j = s * width; j < (s + 1) * width; ++j)
      totals.pooled[j] = totals.pooled[j] * old_factor + later.pooled[j] * new_factor;
  }
}

void finish_pooled(const PoolPlan& p, Size set, const PoolTotals& totals) {
  for (Size s = 0; s < p.num_queries; ++s) {
    const auto at = static_cast<std::size_t>(s);
    const double sum = totals.sum[at];
    const double inverse = p.options.weighing == Weighing::given ? 1 : sum == 0 ? 0 : 1 / sum;
    p.highest[static_cast<std::size_t>(set * p.num_queries + s)] = totals.highest[at];
    p.inverse[static_cast<std::size_t>(set * p.num_queries + s)] = inverse;
    const double* const pooled = totals.pooled.data() + s * p.out_width();
    Real* const out = p.y.row(set) + s * p.out_width();
    for (Size j = 0; j < p.out_width(); ++j) out[j] = static_cast<Real>(pooled[j] * inverse);
  }
}

void finish_weights(const PoolPlan& p, Size set, Rows rows) {
  if (p.weights.data == nullptr) return;
  const Tile a(p.num_queries, scratch().a);
  for_row_tiles(rows, [&](Rows tile) {
    copy_rows(p.weights, tile, a);
    normalise(p, set, tile.size(), a);
    copy_rows(a, tile, p.weights);
  });
}

void pool_rows_backward(const PoolPlan& p, Size set, Rows rows, ConstMatrixView dy,
                        const PoolGradients& into) {
  const Real* const g = dy.row(set);
  std::vector<double>& along = scratch().along;
  along.assign(static_cast<std::size_t>(p.num_queries), 0.0);
  for (Size s = 0; s < p.num_queries; ++s) {
    for (Size j = s * p.out_width(); j < (s + 1) * p.out_width(); ++j)
      along[static_cast<std::size_t>(s)] += static_cast<double>(g[j]) * static_cast<double>(p.y(set, j));
  }
  const Tile a(p.num_queries, scratch().a), kept(p.num_queries, scratch().b), d(p.num_queries, scratch().c);
  for_row_tiles(rows, [&](Rows tile) {
    tile_weights(p, set, tile, a);
    for (Size t = 0; t < tile.size(); ++t) {
      for (Size s = 0; s < p.num_queries; ++s) {
        d.at(t, s) = p.options.keep_sums ? g[s * p.out_width() + p.width] : Real{0};
      }
    }
    for_value_tiles(p, [&](std::size_t block, Size first, Size cols, Size column) {
      for (Size i = tile.begin; i < tile.end; ++i) {
        const Real* const v = p.values[block].row(i) + first;
        for (Size s = 0; s < p.num_queries; ++s)
          d.at(i - tile.begin, s) += whole_dot(v, g + s * p.out_width() + column, cols);
      }
    });
    drop(p, tile, d);
    score_gradient(p, set, tile.size(), a, along.data(), d);
    for (Size t = 0; t < tile.size(); ++t) std::copy_n(a.row(t), p.num_queries, kept.row(t));
    drop(p, tile, kept);
    pass_to_values(p, set, tile, &kept, g, d, into);
    pass_to_scores(p, tile, d, into);
  });
}

void weights_backward(const PoolPlan& p, Size set, ConstMatrixView da, const PoolGradients& into) {
  const Rows rows = p.sets.rows(set);
  std::vector<double>& along = scratch().along;
  along.assign(static_cast<std::size_t>(p.num_queries), 0.0);
  const Tile a(p.num_queries, scratch().a), d(p.num_queries, scratch().b);
  for_row_tiles(rows, [&](Rows tile) {
    tile_weights(p, set, tile, a);
    for (Size i = tile.begin; i < tile.end; ++i) {
      for (Size s = 0; s < p.num_queries; ++s) {
        along[static_cast<std::size_t>(s)] +=
            static_cast<double>(a.at(i - tile.begin, s)) * static_cast<double>(da(i, s));
      }
    }
  });
  for_row_tiles(rows, [&](Rows tile) {
    tile_weights(p, set, tile, a);
    copy_rows(da, tile, d);
    score_gradient(p, set, tile.size(), a, along.data(), d);
    if (p.by_queries()) pass_to_values(p, set, tile, nullptr, nullptr, d, into);
    pass_to_scores(p, tile, d, into);
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
