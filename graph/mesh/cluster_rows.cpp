#include "tarn/graph/mesh/cluster_rows.hpp"

#include "tarn/core/ops/vector.hpp"

#include <algorithm>

namespace tarn {

namespace {

constexpr Size rows_per_block = 256;

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

template <class F>
void for_rows(Size rows, F f) {
  for_blocks(rows, rows_per_block, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) f(i);
  });
}

/// y_g (+)= sum of the members' rows, times factor(g).
template <class Factor>
void sum_members(const Groups& groups, ConstMatrixView x, MatrixView y, Write write, Factor factor) {
  for_rows(groups.count(), [&](Size g) {
    if (write == Write::assign) std::fill_n(y.row(g), y.cols, Real{0});
    const Real scale = factor(g);
    for (const NodeId i : groups.members(g)) add_scaled(scale, x.row(i), y.row(g), y.cols);
  });
}

/// x_i (+)= factor(group) times the group's row; rows without a group are left to `other`.
template <class Factor, class Other>
void spread_groups(const RowClusters& clusters, ConstMatrixView y, MatrixView x, Write write, Factor factor,
                   Other other) {
  for_rows(clusters.num_rows(), [&](Size i) {
    const NodeId g = clusters.group_of[idx(i)];
    if (g < 0) return other(i);
    if (write == Write::assign) std::fill_n(x.row(i), x.cols, Real{0});
    add_scaled(factor(g), y.row(g), x.row(i), x.cols);
  });
}

}  // namespace

inline namespace TARN_PRECISION {

Var merge_rows(Var x, std::shared_ptr<const RowClusters> clusters, ClusterAggregation how) {
  Tape& tape = x.tape();
  const Shape shape{clusters->groups.count(), x.cols()};
  const MatrixView y = tape.allocate(shape);
  const auto share = [how, clusters](Size g) {
    const auto count = static_cast<Real>(clusters->groups.members(g).size());
    return how == ClusterAggregation::add ? Real{1} : 1 / count;
  };
  sum_members(clusters->groups, x.value(), y, Write::assign, share);
  return tape.record("merge_rows", shape, y, {x}, [=, &tape](ConstMatrixView dy) {
    const GradSink dx = tape.sink(x);
    spread_groups(*clusters, dy, dx.view, dx.write, share, [&](Size i) {
      if (dx.write == Write::assign) std::fill_n(dx.view.row(i), dx.view.cols, Real{0});
    });
  });
}

Var spread_rows(Var x, Var rest, std::shared_ptr<const RowClusters> clusters) {
  Tape& tape = x.tape();
  const Shape shape{clusters->num_rows(), x.cols()};
  const MatrixView y = tape.allocate(shape);
  const auto one = [](Size) { return Real{1}; };
  spread_groups(*clusters, x.value(), y, Write::assign, one,
                [&](Size i) { std::copy_n(rest.value().data, y.cols, y.row(i)); });
  return tape.record("spread_rows", shape, y, {x, rest}, [=, &tape](ConstMatrixView dy) {
    if (x.needs_grad()) {
      const GradSink dx = tape.sink(x);
      sum_members(clusters->groups, dy, dx.view, dx.write, one);
    }
    if (!rest.given() || !rest.needs_grad()) return;
    std::vector<double> sum(idx(dy.cols), 0);
    for (Size i = 0; i < dy.rows; ++i) {
      if (clusters->group_of[idx(i)] >= 0) continue;
      for (Size j = 0; j < dy.cols; ++j) sum[idx(j)] += static_cast<double>(dy(i, j));
    }
    const MatrixView into = tape.grad(rest);
    for (Size j = 0; j < dy.cols; ++j) into.data[j] += static_cast<Real>(sum[idx(j)]);
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
