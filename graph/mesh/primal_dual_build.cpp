#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/mesh/primal_dual_graph.hpp"
#include "tarn/graph/mesh/primal_dual_storage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

namespace tarn {

namespace {

constexpr Size pairs_per_block = 1024;

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// Two ascending runs as one, without `left_out`; returns the end.
template <class First, class Second>
NodeId* merge_runs(Size n1, First first, Size n2, Second second, NodeId left_out, NodeId* out) {
  for (Size a = 0, b = 0; a < n1 || b < n2;) {
    const bool from_first = b == n2 || (a < n1 && first(a) < second(b));
    const NodeId v = from_first ? first(a++) : second(b++);
    if (v != left_out) *out++ = v;
  }
  return out;
}

class Builder {
 public:
  Builder(std::span<const PrimalPairs> meshes, DualConfiguration configuration, DualLoops loops)
      : meshes_(meshes),
        loops_(loops == DualLoops::yes),
        storage_(std::make_shared<PrimalDualGraph::Storage>()) {
    storage_->configuration = configuration;
  }

  std::shared_ptr<const PrimalDualGraph::Storage> build() {
    place_meshes();
    build_primal();
    build_dual();
    storage_->of_dual = Groups(storage_->dual_at, storage_->dual_sets.num_rows());
    return std::move(storage_);
  }

 private:
  [[nodiscard]] bool shared() const { return storage_->configuration == DualConfiguration::A; }
  [[nodiscard]] Size num_pairs(Size mesh) const { return static_cast<Size>(meshes_[idx(mesh)].pairs.size()); }

  void place_meshes() {
    std::vector<Size> nodes{0}, duals{0}, pairs{0};
    for (Size m = 0; m < static_cast<Size>(meshes_.size()); ++m) {
      nodes.push_back(nodes.back() + meshes_[idx(m)].num_nodes);
      pairs.push_back(pairs.back() + num_pairs(m));
      duals.push_back(duals.back() + (shared() ? 1 : 2) * num_pairs(m));
    }
    storage_->sets = Segments(std::move(nodes));
    storage_->dual_sets = Segments(std::move(duals));
    pairs_ = Segments(std::move(pairs));
  }

  /// Compressed rows of the primal graph. Pairs ascend, so every row comes out ascending too.
  void build_primal() {
    const Size num_edges = 2 * pairs_.num_rows();
    if (num_edges > std::numeric_limits<NodeId>::max()) {
      throw ValueError(fmt::format("primal-dual graph: {} primal edges; expected at most {}", num_edges,
                                   std::numeric_limits<NodeId>::max()));
    }
    offsets_.assign(idx(storage_->sets.num_rows()) + 1, 0);
    for_meshes([this](Size m) { count_rows(m); });
    std::partial_sum(offsets_.begin(), offsets_.end(), offsets_.begin());
    nodes_.resize(idx(num_edges));
    storage_->edge_at.resize(idx(num_edges));
    storage_->dual_at.resize(idx(num_edges));
    storage_->opposite_at.resize(idx(num_edges));
    for_meshes([this](Size m) { fill_rows(m); });
  }

  template <class F>
  void for_meshes(F f) {
    for_blocks(static_cast<Size>(meshes_.size()), 1, [&](Size m, Size) { f(m); });
  }

  void count_rows(Size m) {
    Size* counts = offsets_.data() + storage_->sets.rows(m).begin + 1;
    for (const auto& [i, j] : meshes_[idx(m)].pairs) {
      ++counts[i];
      ++counts[j];
    }
  }

  void fill_rows(Size m) {
    const Size first_node = storage_->sets.rows(m).begin, first_dual = storage_->dual_sets.rows(m).begin;
    const Size first_edge = 2 * pairs_.rows(m).begin, count = num_pairs(m);
    std::vector<Size> cursor(offsets_.begin() + first_node, offsets_.begin() + storage_->sets.rows(m).end);
    for (Size r = 0; r < count; ++r) {
      const auto& [i, j] = meshes_[idx(m)].pairs[idx(r)];
      const Size at_i = cursor[idx(i)]++, at_j = cursor[idx(j)]++;
      put(at_j, first_node + i, first_edge + r, first_dual + r, at_i);
      put(at_i, first_node + j, first_edge + count + r, first_dual + r + (shared() ? 0 : count), at_j);
    }
  }

  void put(Size position, Size source, Size edge, Size dual, Size opposite) {
    nodes_[idx(position)] = static_cast<NodeId>(source);
    storage_->edge_at[idx(position)] = static_cast<NodeId>(edge);
    storage_->dual_at[idx(position)] = static_cast<NodeId>(dual);
    storage_->opposite_at[idx(position)] = static_cast<NodeId>(opposite);
  }

  void build_dual() {
    std::vector<Size> rows = count_dual_rows();
    std::vector<NodeId> sources(idx(rows.back()));
    for_dual_nodes([&](Size k, NodeId from, NodeId to) {
      NodeId* begin = sources.data() + rows[idx(k)];
      NodeId* end =
          shared() ? fill_pair(static_cast<NodeId>(k), from, to, begin) : fill_direction(from, to, begin);
      if (!loops_) return;
      const auto own = static_cast<NodeId>(k);
      NodeId* place = std::lower_bound(begin, end, own);
      std::move_backward(place, end, end + 1);
      *place = own;
    });
    if (storage_->configuration == DualConfiguration::C) {
      storage_->dual = Graph::from_csr(std::move(rows), std::move(sources));
    } else {
      storage_->dual = Graph::from_symmetric_csr(std::move(rows), std::move(sources));
    }
    storage_->primal = Graph::from_symmetric_csr(std::move(offsets_), std::move(nodes_));
  }

  [[nodiscard]] Size degree(NodeId node) const { return offsets_[idx(node) + 1] - offsets_[idx(node)]; }

  std::vector<Size> count_dual_rows() const {
    std::vector<Size> rows(idx(storage_->dual_sets.num_rows()) + 1, 0);
    const bool both_ends = storage_->configuration != DualConfiguration::C;
    for_dual_nodes([&](Size k, NodeId from, NodeId to) {
      rows[idx(k) + 1] = degree(from) - 1 + (both_ends ? degree(to) - 1 : 0) + (loops_ ? 1 : 0);
    });
    std::partial_sum(rows.begin(), rows.end(), rows.begin());
    if (rows.back() > std::numeric_limits<NodeId>::max()) {
      throw ValueError(
          fmt::format("primal-dual graph: {} dual edges; expected at most {} (they are quadratic in "
                      "the neighbours of a cluster: contract fewer edges, or use smaller batches)",
                      rows.back(), std::numeric_limits<NodeId>::max()));
    }
    return rows;
  }

  /// f(dual node, from, to) for every dual node; `from` < `to` for pairs.
  template <class F>
  void for_dual_nodes(F f) const {
    for_blocks(pairs_.num_rows(), pairs_per_block, [&](Size begin, Size end) {
      Size m = begin < end ? pairs_.owner(begin) : 0;
      for (Size g = begin; g < end; ++g) {
        while (g >= pairs_.rows(m).end) ++m;
        const Size r = g - pairs_.rows(m).begin;
        const auto& [i, j] = meshes_[idx(m)].pairs[idx(r)];
        const auto first = static_cast<NodeId>(storage_->sets.rows(m).begin);
        const Size dual = storage_->dual_sets.rows(m).begin + r;
        f(dual, first + i, first + j);
        if (!shared()) f(dual + num_pairs(m), first + j, first + i);
      }
    });
  }

  /// Dual nodes of a row's pairs ascend with the neighbour.
  NodeId* fill_pair(NodeId own, NodeId i, NodeId j, NodeId* out) const {
    const auto pairs_of = [&](NodeId node) {
      return [this, first = offsets_[idx(node)]](Size a) { return storage_->dual_at[idx(first + a)]; };
    };
    return merge_runs(degree(i), pairs_of(i), degree(j), pairs_of(j), own, out);
  }

  /// What enters `from`, and in B what leaves `to`, but for the opposite edge. Entering edges ascend with the
  /// neighbour; of the leaving ones those to larger nodes come first.
  NodeId* fill_direction(NodeId from, NodeId to, NodeId* out) const {
    const Size first_in = offsets_[idx(from)], first_out = offsets_[idx(to)];
    const auto begin = nodes_.begin() + first_out;
    const Size larger = std::lower_bound(begin, begin + degree(to), to) - begin;
    const Size num_out = storage_->configuration == DualConfiguration::B ? degree(to) : 0;
    const auto entering = [&](Size a) { return storage_->dual_at[idx(first_in + a)]; };
    const auto leaving = [&](Size a) {
      const Size turned = a + larger < num_out ? a + larger : a + larger - num_out;
      return storage_->dual_at[idx(storage_->opposite_at[idx(first_out + turned)])];
    };
    // The opposite edge enters `from` from `to`.
    const auto own = nodes_.begin() + first_in;
    const Size opposite = std::lower_bound(own, own + degree(from), to) - own;
    return merge_runs(degree(from), entering, num_out, leaving, entering(opposite), out);
  }

  std::span<const PrimalPairs> meshes_;
  bool loops_;
  std::shared_ptr<PrimalDualGraph::Storage> storage_;
  Segments pairs_;             // pairs of each mesh
  std::vector<Size> offsets_;  // [N+1] primal rows by target
  std::vector<NodeId> nodes_;  // [P] their sources
};

}  // namespace

PrimalDualGraph PrimalDualGraph::build(std::span<const PrimalPairs> meshes, DualConfiguration configuration,
                                       DualLoops loops) {
  return PrimalDualGraph(Builder(meshes, configuration, loops).build());
}

}  // namespace tarn
