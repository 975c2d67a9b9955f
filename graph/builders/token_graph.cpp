#include "tarn/graph/builders/token_graph.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/builders/cosine_panel.hpp"
#include "tarn/graph/builders/neighbour_lists.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <numeric>

namespace tarn {
inline namespace TARN_PRECISION {

namespace {

/// Sets of more rows are taken one after the other, their row blocks in parallel; smaller ones side by side.
constexpr Size long_set = 1024;
constexpr Size block = CosinePanel::block;
constexpr Size tile_rows = CosinePanel::tile_rows;
constexpr Size tile_cols = CosinePanel::tile_cols;

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

struct Candidate {
  Real cosine;
  NodeId node;
  /// Whether this one is the better neighbour: larger cosine, then lower index.
  [[nodiscard]] bool before(const Candidate& other) const {
    return cosine != other.cosine ? cosine > other.cosine : node < other.node;
  }
};

/// What one thread needs for one row block; kept from set to set.
struct Scratch {
  CosinePanel panel;
  std::array<std::vector<NodeId>, idx(block)> rows;
  std::array<std::vector<Candidate>, idx(block)> heaps;
};

/// Which tiles of the square of all cosines are looked at.
enum class Triangle { upper, both };

/// Calls f(i, first column, cosines [tile_cols]) for rows begin .. end-1 of one block, tile after tile,
/// columns ascending for each row; `upper` leaves out the tiles below the diagonal. Columns past the end of
/// the set are part of the last call.
template <class F>
void for_cosines(const CosinePanel& panel, Size begin, Size end, Triangle triangle, F f) {
  alignas(64) std::array<Real, idx(tile_rows * tile_cols)> tile;
  const bool upper = triangle == Triangle::upper;
  for (Size col = upper ? begin : 0; col < panel.size(); col += tile_cols) {
    const Size row_end = upper ? std::min(end, col + tile_cols) : end;
    for (Size row = begin; row < row_end; row += tile_rows) {
      if (upper)
        panel.upper_tile(row, col, tile.data());
      else
        panel.tile(row, col, tile.data());
      for (Size r = 0; r < std::min(tile_rows, row_end - row); ++r)
        f(row + r, col, tile.data() + r * tile_cols);
    }
  }
}

class ThresholdRule {
 public:
  ThresholdRule(const CosinePanel& panel, double tau)
      : panel_(panel),
        tau_(tau),
        near_(static_cast<Real>(tau)),
        margin_(static_cast<Real>(panel.tolerance())) {}

  /// Whether pair (i, j) is an edge; `cosine` decides unless it is too near to the threshold.
  [[nodiscard]] bool holds(Size i, Size j, Real cosine) const {
    return unsure(cosine) ? panel_.exact(i, j) > tau_ : cosine > near_;
  }

  /// Writes the edges of row i to columns col .. col+tile_cols-1 to `out`, which has room for all of them;
  /// returns how many.
  [[nodiscard]] Size edges(Size i, Size col, const Real* cosines, NodeId* out) const {
    int num_unsure = 0;
    for (Size c = 0; c < tile_cols; ++c) num_unsure += unsure(cosines[c]) ? 1 : 0;
    // A comparison adds to the count instead of branching: edges are frequent and follow no pattern.
    Size count = 0;
    if (num_unsure == 0) {
      for (Size c = 0; c < tile_cols; ++c) {
        out[count] = static_cast<NodeId>(col + c);
        count += cosines[c] > near_ ? 1 : 0;
      }
      return count;
    }
    for (Size c = 0; c < tile_cols; ++c) {
      out[count] = static_cast<NodeId>(col + c);
      count += holds(i, col + c, cosines[c]) ? 1 : 0;
    }
    return count;
  }

 private:
  [[nodiscard]] bool unsure(Real cosine) const { return std::abs(cosine - near_) <= margin_; }

  const CosinePanel& panel_;
  double tau_;
  Real near_;
  Real margin_;
};

/// Upper triangle of the threshold relation for rows begin .. end-1.
void append_upper(const CosinePanel& panel, Size begin, Size end, double tau, Scratch& scratch,
                  NeighbourLists& out) {
  const ThresholdRule rule(panel, tau);
  std::array<Size, idx(block)> counts{};
  const Size room = panel.size() + tile_cols;
  for (auto& row : scratch.rows) row.resize(std::max(row.size(), idx(room)));
  for_cosines(panel, begin, end, Triangle::upper, [&](Size i, Size col, Real* cosines) {
    Size& count = counts[idx(i - begin)];
    NodeId* row = scratch.rows[idx(i - begin)].data();
    // What is no pair of the upper triangle gets a value that no cosine has and no threshold lets through.
    constexpr Real none = -3;
    if (i >= col) {
      std::fill(cosines, cosines + (i - col + 1), none);
      row[count] = static_cast<NodeId>(i);
      count += panel.exact(i, i) > tau ? 1 : 0;
    }
    if (col + tile_cols > panel.size()) std::fill(cosines + (panel.size() - col), cosines + tile_cols, none);
    count += rule.edges(i, col, cosines, row + count);
  });
  for (Size i = begin; i < end; ++i)
    out.append_row(std::span(scratch.rows[idx(i - begin)]).first(idx(counts[idx(i - begin)])));
}

/// Puts a candidate among the `limit` best of a row; the worst of them lies on top of the heap.
void keep_best(std::vector<Candidate>& heap, Size limit, Candidate candidate) {
  const auto better = [](const Candidate& a, const Candidate& b) { return a.before(b); };
  if (static_cast<Size>(heap.size()) == limit) {
    if (!candidate.before(heap.front())) return;
    std::pop_heap(heap.begin(), heap.end(), better);
    heap.pop_back();
  }
  heap.push_back(candidate);
  std::push_heap(heap.begin(), heap.end(), better);
}

/// The cosine by which neighbours are ranked: rows of one direction tie at 1, whatever rounding left of it.
Real ranked(const CosinePanel& panel, Size i, Size j, Real cosine) {
  constexpr double same_direction = 1 - 1e-9;
  if (i != j && cosine < 1 - panel.tolerance()) return std::max<Real>(cosine, -1);
  const double exact = panel.exact(i, j);
  return exact > same_direction ? Real{1} : static_cast<Real>(exact);
}

/// The `limit` best neighbours of rows begin .. end-1 among those that accept(i, j, cosine) lets through.
template <class Accept>
void append_best(const CosinePanel& panel, Size begin, Size end, Size limit, Scratch& scratch,
                 NeighbourLists& out, Accept accept) {
  for (auto& heap : scratch.heaps) heap.clear();
  for_cosines(panel, begin, end, Triangle::both, [&](Size i, Size col, const Real* cosines) {
    auto& heap = scratch.heaps[idx(i - begin)];
    const Size last = std::min(tile_cols, panel.size() - col);
    for (Size c = 0; c < last; ++c) {
      const Size j = col + c;
      const Real cosine = ranked(panel, i, j, cosines[c]);
      // The cheap test first: columns ascend, so an equal cosine never replaces one that is kept.
      if (static_cast<Size>(heap.size()) == limit && cosine <= heap.front().cosine) continue;
      if (accept(i, j, cosine)) keep_best(heap, limit, {cosine, static_cast<NodeId>(j)});
    }
  });
  for (Size i = begin; i < end; ++i) {
    auto& row = scratch.rows[idx(i - begin)];
    row.clear();
    for (const Candidate& candidate : scratch.heaps[idx(i - begin)]) row.push_back(candidate.node);
    std::sort(row.begin(), row.end());
    out.append_row(row);
  }
}

/// Directed or half relation of rows begin .. end-1, as the rule makes it.
void append_rows(const CosinePanel& panel, Size begin, Size end, const TokenGraphOptions& options,
                 Scratch& scratch, NeighbourLists& out) {
  if (options.graph == TokenRule::cosine_knn) {
    append_best(panel, begin, end, options.k, scratch, out, [](Size i, Size j, Real) { return i != j; });
  } else if (options.max_degree > 0) {
    const ThresholdRule rule(panel, options.tau);
    append_best(panel, begin, end, options.max_degree, scratch, out,
                [&](Size i, Size j, Real cosine) { return rule.holds(i, j, cosine); });
  } else {
    append_upper(panel, begin, end, options.tau, scratch, out);
  }
}

NeighbourLists completed(std::span<const NeighbourLists> runs, const TokenGraphOptions& options) {
  const bool knn = options.graph == TokenRule::cosine_knn;
  if (!knn && options.max_degree == 0) return mirrored(runs);
  NeighbourLists lists = symmetrised(runs, knn && options.mutual ? Symmetrise::both : Symmetrise::either);
  if (knn && options.self_loops) add_loops(lists);
  return lists;
}

/// The rule with the cases in which no cosine decides anything replaced by a rule without cosines.
TokenGraphOptions simplified(TokenGraphOptions options) {
  if (options.graph == TokenRule::cosine_threshold) {
    if (options.tau >= 1) options.graph = TokenRule::none;
    if (options.tau < -1 && options.max_degree == 0) options.graph = TokenRule::fully_connected;
  }
  return options;
}

bool needs_cosines(TokenRule rule) {
  return rule == TokenRule::cosine_threshold || rule == TokenRule::cosine_knn;
}

NeighbourLists by_position(Size n, const TokenGraphOptions& options) {
  NeighbourLists lists;
  if (options.graph == TokenRule::none)
    lists.sizes.assign(idx(n), 0);
  else
    lists = banded(n, options.graph == TokenRule::window ? options.window : n);
  return lists;
}

/// Finds the first NaN or infinity, which is known to be there, and names it.
[[noreturn]] void throw_not_finite(std::string_view where, ConstMatrixView x, const Segments& sets) {
  Size row = 0;
  while (row + 1 < x.rows && row_is_finite(x, row)) ++row;
  const Size set = sets.owner(row);
  throw ValueError(
      fmt::format("{}: row {} of x, token {} of set {}, holds a NaN or an infinity; expected "
                  "finite numbers",
                  where, row, row - sets.rows(set).begin, set));
}

class Builder {
 public:
  Builder(ConstMatrixView x, const Segments& sets, const TokenGraphOptions& options, std::string_view where)
      : x_(x), sets_(sets), options_(simplified(options)), where_(where) {
    check_options(options, where);
    sets.require_cover(where, x.rows);
  }

  /// The neighbour lists of the given sets, nodes counted from 0 in each.
  [[nodiscard]] std::vector<NeighbourLists> build(std::span<const Size> which) {
    std::vector<NeighbourLists> lists(which.size());
    for_blocks(static_cast<Size>(which.size()), 1, [&](Size w, Size) {
      if (sets_.size(which[idx(w)]) <= long_set) lists[idx(w)] = build_short(which[idx(w)]);
    });
    for (std::size_t w = 0; w < which.size(); ++w)
      if (sets_.size(which[w]) > long_set) lists[w] = build_long(which[w]);
    if (!finite_) throw_not_finite(where_, x_, sets_);
    return lists;
  }

 private:
  [[nodiscard]] ConstMatrixView rows_of(Size set) const {
    return x_.row_block(sets_.rows(set).begin, sets_.rows(set).end);
  }

  void require_finite(ConstMatrixView rows) {
    for (Size i = 0; i < rows.rows; ++i)
      if (!row_is_finite(rows, i)) finite_ = false;
  }

  [[nodiscard]] NeighbourLists finished(NeighbourLists lists) const {
    if (!options_.self_loops) remove_loops(lists);
    return lists;
  }

  [[nodiscard]] NeighbourLists build_short(Size set) {
    thread_local Scratch scratch;
    const ConstMatrixView rows = rows_of(set);
    if (!needs_cosines(options_.graph)) {
      require_finite(rows);
      return finished(by_position(rows.rows, options_));
    }
    NeighbourLists half;
    scratch.panel.assign(rows);
    if (!scratch.panel.pack(0, rows.rows)) {
      finite_ = false;
      return half;
    }
    for (Size begin = 0; begin < rows.rows; begin += block)
      append_rows(scratch.panel, begin, std::min(rows.rows, begin + block), options_, scratch, half);
    return finished(completed({&half, 1}, options_));
  }

  [[nodiscard]] NeighbourLists build_long(Size set) {
    const ConstMatrixView rows = rows_of(set);
    if (!needs_cosines(options_.graph)) {
      for_blocks(rows.rows, long_set,
                 [&](Size begin, Size end) { require_finite(rows.row_block(begin, end)); });
      return finished(by_position(rows.rows, options_));
    }
    CosinePanel panel;
    panel.assign(rows);
    for_blocks(rows.rows, block, [&](Size begin, Size end) {
      if (!panel.pack(begin, end)) finite_ = false;
    });
    if (!finite_) return {};
    std::vector<NeighbourLists> runs(idx((rows.rows + block - 1) / block));
    for_blocks(rows.rows, block, [&](Size begin, Size end) {
      thread_local Scratch scratch;
      append_rows(panel, begin, end, options_, scratch, runs[idx(begin / block)]);
    });
    return finished(completed(runs, options_));
  }

  ConstMatrixView x_;
  const Segments& sets_;
  TokenGraphOptions options_;
  std::string_view where_;
  std::atomic<bool> finite_ = true;
};

/// One graph out of lists per set, freeing none before all are copied.
Graph joined_lists(std::span<const NeighbourLists> lists, const Segments& sets) {
  std::vector<Size> offsets{0};
  offsets.reserve(idx(sets.num_rows() + 1));
  for (const NeighbourLists& set : lists)
    for (const NodeId size : set.sizes) offsets.push_back(offsets.back() + size);
  std::vector<NodeId> nodes(idx(offsets.back()));
  for_blocks(sets.count(), 16, [&](Size begin, Size end) {
    for (Size set = begin; set < end; ++set) {
      const auto first = static_cast<NodeId>(sets.rows(set).begin);
      const auto out = nodes.begin() + offsets[idx(first)];
      std::ranges::transform(lists[idx(set)].nodes, out, [first](NodeId j) { return j + first; });
    }
  });
  return Graph::from_symmetric_csr(std::move(offsets), std::move(nodes));
}

/// Cosines of a symmetric graph's edges: each pair is computed once, at its larger end.
std::vector<Real> edge_cosines(ConstMatrixView x, const Graph& graph) {
  constexpr Size grain = 256;
  std::vector<double> norms(idx(x.rows));
  for_blocks(x.rows, grain, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) norms[idx(i)] = row_norm(x, i);
  });
  std::vector<Real> cosines(idx(graph.num_edges()));
  const Adjacency in = graph.incoming();
  const Adjacency out = graph.outgoing();
  for_blocks(x.rows, grain, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) {
      const Rows positions = in.positions(i);
      for (Size e = positions.begin; e < positions.end && in.nodes[idx(e)] <= i; ++e) {
        const Size j = in.nodes[idx(e)];
        const auto cosine = static_cast<Real>(cosine_of_rows(x, j, i, norms[idx(j)], norms[idx(i)]));
        cosines[idx(e)] = cosine;
        cosines[idx(out.edges[idx(e)])] = cosine;
      }
    }
  });
  return cosines;
}

}  // namespace

TokenGraph token_graph(ConstMatrixView x, const Segments& sets, const TokenGraphOptions& options,
                       KeepCosines keep, std::string_view where) {
  std::vector<Size> all(idx(sets.count()));
  std::iota(all.begin(), all.end(), 0);
  TokenGraph result{joined_lists(Builder(x, sets, options, where).build(all), sets), {}};
  if (keep == KeepCosines::always || options.edge_attr == TokenEdgeAttr::cosine)
    result.cosine = edge_cosines(x, result.graph);
  return result;
}

std::vector<TokenGraph> token_graph_each(ConstMatrixView x, const Segments& sets, std::span<const Size> which,
                                         const TokenGraphOptions& options, std::string_view where) {
  const auto lists = Builder(x, sets, options, where).build(which);
  std::vector<TokenGraph> graphs(which.size());
  for (std::size_t w = 0; w < which.size(); ++w) {
    const Rows rows = sets.rows(which[w]);
    graphs[w].graph = joined_lists({&lists[w], 1}, Segments({0, rows.size()}));
    if (options.edge_attr == TokenEdgeAttr::cosine)
      graphs[w].cosine = edge_cosines(x.row_block(rows.begin, rows.end), graphs[w].graph);
  }
  return graphs;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
