#include "tarn/graph/mesh/primal_dual_graph.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/graph/mesh/primal_dual_storage.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

namespace {

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

Segments checked_segments(std::string_view where, std::string_view array, const std::vector<Size>& offsets) {
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    const Size least = i == 0 ? 0 : offsets[i - 1];
    if (offsets[i] >= least && (i > 0 || offsets[i] == 0)) continue;
    throw ShapeError(fmt::format("{}: {}[{}] is {}; expected {}", where, array, i, offsets[i],
                                 i == 0 ? "0" : fmt::format("at least {}", least)));
  }
  if (offsets.empty())
    throw ShapeError(fmt::format("{}: {} is empty; expected it to begin with 0", where, array));
  return Segments(offsets);
}

/// Both rows of an edge list inside 0 .. n-1 and inside one set each.
void check_edges(std::string_view where, std::string_view array, std::span<const NodeId> edges,
                 const Segments& sets) {
  const std::size_t count = edges.size() / 2;
  for (std::size_t e = 0; e < count; ++e) {
    for (const std::size_t row : {std::size_t{0}, std::size_t{1}}) {
      const NodeId v = edges[row * count + e];
      if (v >= 0 && v < sets.num_rows()) continue;
      throw ValueError(fmt::format("{}: {}[{}, {}] is {}; expected a node from 0 to {}", where, array, row, e,
                                   v, sets.num_rows() - 1));
    }
    const Size from = sets.owner(edges[e]), to = sets.owner(edges[count + e]);
    if (from == to) continue;
    throw ValueError(
        fmt::format("{}: {}[:, {}] runs from node {} of mesh {} to node {} of mesh {}; expected both in one",
                    where, array, e, edges[e], from, edges[count + e], to));
  }
}

void check_lengths(std::string_view where, const PrimalDualArrays& a) {
  if (a.offsets.size() != a.dual_offsets.size()) {
    throw ShapeError(fmt::format("{}: offsets has {} entries, dual_offsets {}; expected the same number",
                                 where, a.offsets.size(), a.dual_offsets.size()));
  }
  if (2 * a.edge_to_dual.size() != a.edges.size()) {
    throw ShapeError(fmt::format("{}: edge_to_dual has {} entries for {} edges; expected one per edge", where,
                                 a.edge_to_dual.size(), a.edges.size() / 2));
  }
}

void check_duals(std::string_view where, const PrimalDualArrays& a, const Segments& sets,
                 const Segments& dual_sets) {
  for (std::size_t e = 0; e < a.edge_to_dual.size(); ++e) {
    const NodeId k = a.edge_to_dual[e];
    if (k < 0 || k >= dual_sets.num_rows()) {
      throw ValueError(fmt::format("{}: edge_to_dual[{}] is {}; expected a dual node from 0 to {}", where, e,
                                   k, dual_sets.num_rows() - 1));
    }
    const Size mesh = sets.owner(a.edges[e]);
    if (dual_sets.owner(k) == mesh) continue;
    throw ValueError(fmt::format("{}: edge_to_dual[{}] is {}, in mesh {}; expected a dual node of mesh {}",
                                 where, e, k, dual_sets.owner(k), mesh));
  }
}

/// The position of each edge's opposite, or nothing.
std::vector<NodeId> find_opposites(const Graph& primal) {
  const Adjacency in = primal.incoming(), out = primal.outgoing();
  // Without repeats, every edge has its opposite exactly where the two directions list the same nodes.
  for (Size i = 0; i < primal.num_nodes(); ++i) {
    const Rows own = in.positions(i), other = out.positions(i);
    if (own.begin != other.begin || own.end != other.end) return {};
    for (Size p = own.begin; p < own.end; ++p) {
      const NodeId j = in.nodes[idx(p)];
      const bool repeated = p > own.begin && j == in.nodes[idx(p - 1)];
      if (j != out.nodes[idx(p)] || j == i || repeated) return {};
    }
  }
  return {out.edges.begin(), out.edges.end()};
}

/// One dual node for both directions in A, one for each in B and C.
void check_configuration(std::string_view where, const PrimalDualGraph::Storage& s) {
  const bool shared = s.configuration == DualConfiguration::A;
  for (std::size_t p = 0; p < s.opposite_at.size(); ++p) {
    const NodeId own = s.dual_at[p], other = s.dual_at[idx(s.opposite_at[p])];
    if ((own == other) == shared) continue;
    throw ValueError(fmt::format(
        "{}: edge_to_dual[{}] is {}, that of the opposite edge {} is {}; expected {} in "
        "configuration {}",
        where, s.edge_at[p], own, s.edge_at[idx(s.opposite_at[p])], other, shared ? "the same" : "another",
        enum_names(s.configuration)[idx(static_cast<Size>(s.configuration))]));
  }
}

}  // namespace

PrimalDualGraph::PrimalDualGraph() : storage_(std::make_shared<Storage>()) {}

PrimalDualGraph PrimalDualGraph::from_arrays(std::string_view where, const PrimalDualArrays& a,
                                             DualConfiguration configuration) {
  auto s = std::make_shared<Storage>();
  s->configuration = configuration;
  check_lengths(where, a);
  s->sets = checked_segments(where, "offsets", a.offsets);
  s->dual_sets = checked_segments(where, "dual_offsets", a.dual_offsets);
  check_edges(where, "edges", a.edges, s->sets);
  check_edges(where, "dual_edges", a.dual_edges, s->dual_sets);
  check_duals(where, a, s->sets, s->dual_sets);
  const std::span<const NodeId> edges(a.edges), dual_edges(a.dual_edges);
  const std::size_t count = edges.size() / 2, dual_count = dual_edges.size() / 2;
  s->primal = Graph::from_edges(s->sets.num_rows(), edges.first(count), edges.subspan(count));
  s->dual = Graph::from_edges(s->dual_sets.num_rows(), dual_edges.first(dual_count),
                              dual_edges.subspan(dual_count));
  const auto order = s->primal.given_order();
  s->edge_at.assign(order.begin(), order.end());
  for (const NodeId e : order) s->dual_at.push_back(a.edge_to_dual[idx(e)]);
  s->opposite_at = find_opposites(s->primal);
  s->of_dual = Groups(s->dual_at, s->dual_sets.num_rows());
  check_configuration(where, *s);
  return PrimalDualGraph(std::move(s));
}

DualConfiguration PrimalDualGraph::configuration() const {
  return storage_->configuration;
}
const Segments& PrimalDualGraph::sets() const {
  return storage_->sets;
}
const Segments& PrimalDualGraph::dual_sets() const {
  return storage_->dual_sets;
}
const Graph& PrimalDualGraph::primal() const {
  return storage_->primal;
}
const Graph& PrimalDualGraph::dual() const {
  return storage_->dual;
}
std::span<const NodeId> PrimalDualGraph::edge_at() const {
  return storage_->edge_at;
}
std::span<const NodeId> PrimalDualGraph::dual_at() const {
  return storage_->dual_at;
}
std::span<const NodeId> PrimalDualGraph::opposite_at() const {
  return storage_->opposite_at;
}

std::span<const NodeId> PrimalDualGraph::positions_of_dual(Size dual) const {
  return storage_->of_dual.members(dual);
}

void PrimalDualGraph::require_opposites(std::string_view where) const {
  if (storage_->opposite_at.size() == storage_->edge_at.size()) return;
  const Adjacency in = primal().incoming(), out = primal().outgoing();
  for (Size i = 0; i < num_nodes(); ++i) {
    const Rows rows = in.positions(i);
    for (Size p = rows.begin; p < rows.end; ++p) {
      const NodeId j = in.nodes[idx(p)];
      const Rows back = out.positions(i);
      const auto targets = out.nodes.subspan(idx(back.begin), idx(back.size()));
      const char* defect = j == i                                                   ? "is a loop"
                           : p > rows.begin && j == in.nodes[idx(p - 1)]            ? "is there twice"
                           : !std::binary_search(targets.begin(), targets.end(), j) ? "has no opposite"
                                                                                    : nullptr;
      if (defect == nullptr) continue;
      throw ValueError(
          fmt::format("{}: edges[:, {}] from {} to {} {}; expected every edge once, with its opposite", where,
                      edge_at()[idx(p)], j, i, defect));
    }
  }
}

PrimalDualArrays PrimalDualGraph::arrays() const {
  PrimalDualArrays a;
  a.offsets.assign(sets().offsets().begin(), sets().offsets().end());
  a.dual_offsets.assign(dual_sets().offsets().begin(), dual_sets().offsets().end());
  const std::size_t count = edge_at().size();
  a.edges.resize(2 * count);
  a.edge_to_dual.resize(count);
  const std::vector<NodeId> targets = primal().targets();
  for (std::size_t p = 0; p < count; ++p) {
    const auto e = idx(edge_at()[p]);
    a.edges[e] = primal().sources()[p];
    a.edges[count + e] = targets[p];
    a.edge_to_dual[e] = dual_at()[p];
  }
  const auto dual_sources = dual().sources();
  const std::vector<NodeId> dual_targets = dual().targets();
  a.dual_edges.assign(dual_sources.begin(), dual_sources.end());
  a.dual_edges.insert(a.dual_edges.end(), dual_targets.begin(), dual_targets.end());
  return a;
}

}  // namespace tarn
