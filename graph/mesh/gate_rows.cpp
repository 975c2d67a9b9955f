#include "tarn/graph/mesh/gate_rows.hpp"

#include "tarn/core/ops/vector.hpp"

namespace tarn {

namespace {

constexpr Size rows_per_block = 256;

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

template <class F>
void for_clusters(const ContractedEdges& edges, F f) {
  for_blocks(edges.of_cluster.count(), rows_per_block, [&](Size begin, Size end) {
    for (Size c = begin; c < end; ++c) f(c, edges.of_cluster.members(c));
  });
}

}  // namespace

inline namespace TARN_PRECISION {

Var gate_rows(Var x, Var attention, std::shared_ptr<const ContractedEdges> edges, double add_to_each) {
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value(), alpha = attention.value();
  const MatrixView y = tape.allocate(x.shape());
  const auto factors = tape.allocate_array<Real>(in.rows);
  for_clusters(*edges, [&](Size c, std::span<const NodeId> members) {
    double sum = 0;
    for (const NodeId e : members) {
      for (const NodeId row : edges->rows[idx(e)]) {
        for (Size h = 0; h < alpha.cols; ++h) sum += static_cast<double>(alpha(row, h));
      }
    }
    const auto count = static_cast<double>(members.size());
    const double mean =
        members.empty() ? 0 : sum / (2 * count * static_cast<double>(alpha.cols)) + add_to_each;
    factors[idx(c)] = static_cast<Real>(1 + mean);
    for (Size j = 0; j < in.cols; ++j) y(c, j) = factors[idx(c)] * in(c, j);
  });
  return tape.record("gate_rows", x.shape(), y, {x, attention}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dx = x.needs_grad() ? tape.grad(x) : MatrixView{};
    const MatrixView da = attention.needs_grad() ? tape.grad(attention) : MatrixView{};
    for_clusters(*edges, [&](Size c, std::span<const NodeId> members) {
      if (dx.data != nullptr) add_scaled(factors[idx(c)], dy.row(c), dx.row(c), dy.cols);
      if (da.data == nullptr || members.empty()) return;
      const Real share = dot(dy.row(c), in.row(c), dy.cols) /
                         static_cast<Real>(2 * static_cast<Size>(members.size()) * alpha.cols);
      // An edge belongs to one cluster, so nobody else writes these rows.
      for (const NodeId e : members) {
        for (const NodeId row : edges->rows[idx(e)]) {
          for (Size h = 0; h < da.cols; ++h) da(row, h) += share;
        }
      }
    });
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
