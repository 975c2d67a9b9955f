#include "tarn/graph/ops/gather.hpp"

#include "tarn/core/ops/simd.hpp"
#include "tarn/graph/ops/for_nodes.hpp"

namespace tarn {

namespace {

enum class Weighted { no, yes };

/// sums += rows at the other ends of the edges of one node, one block of columns.
template <class Block, Weighted weighted>
[[gnu::always_inline]] inline void add_rows(const RowGather& g, Size begin, Size end, Size column,
                                            typename Block::Vector (&sums)[Block::count]) {
  using V = typename Block::Vector;
  const NodeId* const nodes = g.edges.nodes.data();
  for (Size p = begin; p < end; ++p) {
    const Real* row = g.x.data + nodes[p] * g.x.stride + column;
    if constexpr (weighted == Weighted::yes) {
      Real weight = g.weights != nullptr ? g.weights[g.edges.edges[static_cast<std::size_t>(p)]] : Real{1};
      if (weight == 0) continue;
      if (g.other_factors != nullptr) weight *= g.other_factors[nodes[p]];
#pragma GCC unroll 4
      for (Size v = 0; v < Block::count; ++v) sums[v] += weight * simd::load<V>(row + v * Block::lanes);
    } else {
#pragma GCC unroll 4
      for (Size v = 0; v < Block::count; ++v) sums[v] += simd::load<V>(row + v * Block::lanes);
    }
  }
}

/// One block of columns of nodes begin .. end-1.
template <class Block, Weighted weighted, Write write>
void gather_block(const RowGather& g, Size begin, Size end, Size column, MatrixView y) {
  using V = typename Block::Vector;
  const Size* const offsets = g.edges.offsets.data();
  const bool own = g.own_weights != nullptr || g.own_weight != 0;
  for (Size i = begin; i < end; ++i) {
    V sums[Block::count] = {};
    add_rows<Block, weighted>(g, offsets[i], offsets[i + 1], column, sums);
    if (g.scales != nullptr) {
#pragma GCC unroll 4
      for (Size v = 0; v < Block::count; ++v) sums[v] *= g.scales[i];
    }
    if (own) {
      const Real weight = g.own_weight + (g.own_weights != nullptr ? g.own_weights[i] : Real{0});
      const Real* row = g.x.row(i) + column;
#pragma GCC unroll 4
      for (Size v = 0; v < Block::count; ++v) sums[v] += weight * simd::load<V>(row + v * Block::lanes);
    }
    Real* out = y.row(i) + column;
#pragma GCC unroll 4
    for (Size v = 0; v < Block::count; ++v) {
      if constexpr (write == Write::add) sums[v] += simd::load<V>(out + v * Block::lanes);
      simd::store(out + v * Block::lanes, sums[v]);
    }
  }
}

template <Weighted weighted, Write write>
void gather_as(const RowGather& g, MatrixView y) {
  for_node_blocks(g.edges, [&](Size begin, Size end) {
    simd::for_columns<4>(g.x.cols, [&](auto block, Size column) {
      gather_block<decltype(block), weighted, write>(g, begin, end, column, y);
    });
  });
}

template <Weighted weighted>
void gather_into(const RowGather& g, MatrixView y, Write write) {
  write == Write::assign ? gather_as<weighted, Write::assign>(g, y) : gather_as<weighted, Write::add>(g, y);
}

}  // namespace

inline namespace TARN_PRECISION {

void gather_rows(const RowGather& g, MatrixView y, Write write) {
  const bool weighted = g.weights != nullptr || g.other_factors != nullptr;
  weighted ? gather_into<Weighted::yes>(g, y, write) : gather_into<Weighted::no>(g, y, write);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
