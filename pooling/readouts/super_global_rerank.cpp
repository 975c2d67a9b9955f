#include "tarn/pooling/readouts/super_global_rerank.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/vector.hpp"
#include "tarn/core/product.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <span>

namespace tarn {

namespace {

/// The places of the `count` largest numbers, descending, the lower place among equal ones.
std::vector<Size> descending(std::span<const Real> scores, Size count) {
  std::vector<Size> order(scores.size());
  std::iota(order.begin(), order.end(), Size{0});
  std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](Size a, Size b) {
    const Real u = scores[static_cast<std::size_t>(a)], v = scores[static_cast<std::size_t>(b)];
    return u != v ? u > v : a < b;
  });
  order.resize(static_cast<std::size_t>(count));
  return order;
}

/// Inner products of all rows with q.
std::vector<Real> similarities(ConstMatrixView rows, const Real* q) {
  std::vector<Real> result(static_cast<std::size_t>(rows.rows));
  for (Size i = 0; i < rows.rows; ++i) result[static_cast<std::size_t>(i)] = dot(rows.row(i), q, rows.cols);
  return result;
}

/// Every row as the weighted mean of its nearest: itself first, then `neighbours` others.
void refine(ConstMatrixView rows, Size neighbours, double beta, MatrixView refined) {
  const Size count = rows.rows, nearest = std::min(neighbours + 1, count);
  Tensor inner({count, count});
  multiply_serial(rows, Transpose::no, rows, Transpose::yes, inner.matrix());
  for (Size i = 0; i < count; ++i) {
    const auto similar = inner.matrix().row_span(i);
    const std::vector<Size> order = descending(similar, nearest);
    double total = 0;
    std::vector<double> sum(static_cast<std::size_t>(rows.cols), 0.0);
    for (std::size_t k = 0; k < order.size(); ++k) {
      const double weight =
          k == 0 ? 1 : beta * static_cast<double>(similar[static_cast<std::size_t>(order[k])]);
      total += weight;
      for (Size j = 0; j < rows.cols; ++j)
        sum[static_cast<std::size_t>(j)] += weight * static_cast<double>(rows(order[k], j));
    }
    for (Size j = 0; j < rows.cols; ++j)
      refined(i, j) = static_cast<Real>(sum[static_cast<std::size_t>(j)] / total);
  }
}

/// The order of the refined rows by (S1 + S2) / 2.
std::vector<Size> second_order(ConstMatrixView refined, const Real* q, Size neighbours) {
  const Size count = refined.rows, nearest = std::min(neighbours + 1, count);
  const std::vector<Real> first = similarities(refined, q);
  const std::vector<Size> by_first = descending(first, count);
  std::vector<Real> expanded(refined.row(by_first[0]), refined.row(by_first[0]) + refined.cols);
  for (Size k = 1; k < nearest; ++k) {
    const Real* row = refined.row(by_first[static_cast<std::size_t>(k)]);
    for (std::size_t j = 0; j < expanded.size(); ++j) expanded[j] = std::max(expanded[j], row[j]);
  }
  // In the order of S1, so that ties go to the place there.
  const std::vector<Real> second = similarities(refined, expanded.data());
  std::vector<Real> both(first.size());
  for (std::size_t k = 0; k < both.size(); ++k) {
    const auto at = static_cast<std::size_t>(by_first[k]);
    both[k] = (first[at] + second[at]) / 2;
  }
  std::vector<Size> order = descending(both, count);
  for (Size& place : order) place = by_first[static_cast<std::size_t>(place)];
  return order;
}

}  // namespace

inline namespace TARN_PRECISION {

Reranked super_global_rerank(ConstMatrixView x, ConstMatrixView queries, const RerankOptions& o) {
  check_options(o, "super-global-rerank");
  if (x.cols != queries.cols || x.cols == 0) {
    throw ShapeError(
        fmt::format("super-global-rerank: x has width {}, queries {}; expected the same, at least 1", x.cols,
                    queries.cols));
  }
  const Size database = x.rows, best = std::min(o.M, database);
  Reranked result{best, {}, {}, Tensor({queries.rows, best, x.cols})};
  result.initial_ranks.resize(static_cast<std::size_t>(queries.rows * database));
  result.ranks.resize(result.initial_ranks.size());
  for_blocks(queries.rows, 1, [&](Size q, Size) {
    if (database == 0) return;
    const Real* query = queries.row(q);
    const std::vector<Size> initial = descending(similarities(x, query), database);
    Tensor chosen({best, x.cols});
    for (Size i = 0; i < best; ++i)
      std::copy_n(x.row(initial[static_cast<std::size_t>(i)]), x.cols, chosen.matrix().row(i));
    const MatrixView refined = result.refined.matrix().row_block(q * best, (q + 1) * best);
    refine(chosen.matrix(), o.K, o.beta, refined);
    const auto first = static_cast<std::ptrdiff_t>(q * database);
    std::ranges::copy(initial, result.initial_ranks.begin() + first);
    const auto ranks = std::ranges::copy(initial, result.ranks.begin() + first).out - database;
    const std::vector<Size> order = second_order(refined, query, o.K);
    for (std::size_t k = 0; k < order.size(); ++k)
      ranks[static_cast<std::ptrdiff_t>(k)] = initial[static_cast<std::size_t>(order[k])];
  });
  return result;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
