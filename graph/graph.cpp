#include "tarn/graph/graph.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <numeric>
#include <optional>

namespace tarn {

namespace {

constexpr Size max_index = std::numeric_limits<NodeId>::max();

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

Size length(std::span<const NodeId> list) {
  return static_cast<Size>(list.size());
}

void require_countable(Size num_nodes, Size num_edges) {
  if (num_nodes < 0 || num_nodes > max_index)
    throw ValueError(fmt::format("graph: {} nodes; expected a number in [0, {}]", num_nodes, max_index));
  if (num_edges > max_index)
    throw ValueError(fmt::format("graph: {} edges; expected at most {}", num_edges, max_index));
}

void require_ends_in_range(Size num_nodes, std::span<const NodeId> from, std::span<const NodeId> to) {
  if (from.size() != to.size()) {
    throw ShapeError(fmt::format("graph: {} sources but {} targets; expected one of each per edge",
                                 from.size(), to.size()));
  }
  for (std::size_t e = 0; e < from.size(); ++e) {
    const NodeId low = std::min(from[e], to[e]);
    const NodeId high = std::max(from[e], to[e]);
    if (low < 0 || high >= num_nodes) {
      throw ValueError(fmt::format("graph: edge {} runs from node {} to node {}; expected nodes in [0, {})",
                                   e, from[e], to[e], num_nodes));
    }
  }
}

/// One stable pass of counting sort: `order` rearranged by ascending key. `offsets` gets where each key
/// starts.
std::vector<NodeId> sorted_by(std::span<const NodeId> keys, Size num_keys, std::span<const NodeId> order,
                              std::vector<Size>& offsets) {
  offsets.assign(idx(num_keys + 1), 0);
  for (const NodeId key : keys) ++offsets[idx(key) + 1];
  std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
  std::vector<Size> cursor(offsets.begin(), offsets.end() - 1);
  std::vector<NodeId> sorted(order.size());
  for (const NodeId e : order) sorted[idx(cursor[idx(keys[idx(e)])]++)] = e;
  return sorted;
}

}  // namespace

struct Graph::Storage {
  std::vector<Size> offsets = {0};  // by target
  std::vector<NodeId> sources;      // [E]
  std::vector<NodeId> identity;     // at least 0 .. E-1 once asked for
  std::vector<NodeId> given;        // [E] or empty
  bool symmetric = true;            // rows by source equal rows by target
  std::vector<Size> out_offsets;    // empty if symmetric
  std::vector<NodeId> out_targets;  // empty if symmetric
  std::vector<NodeId> out_edges;    // [E]
  std::vector<Size> cursor;         // scratch of build_outgoing, kept by recycled graphs
  std::optional<std::once_flag> identity_once{std::in_place};
  std::optional<std::once_flag> outgoing_once{std::in_place};

  [[nodiscard]] Size num_nodes() const { return static_cast<Size>(offsets.size()) - 1; }
  [[nodiscard]] Size num_edges() const { return static_cast<Size>(sources.size()); }

  void need_identity() {
    std::call_once(*identity_once, [this] {
      // Grows only: the leading part of a longer one is the right one for a recycled, smaller graph.
      const std::size_t known = identity.size();
      if (known >= sources.size()) return;
      identity.resize(sources.size());
      std::iota(identity.begin() + static_cast<std::ptrdiff_t>(known), identity.end(),
                static_cast<NodeId>(known));
    });
  }

  void need_outgoing() {
    std::call_once(*outgoing_once, [this] { build_outgoing(); });
  }

  /// Walks targets upwards, so every row by source comes out sorted by target.
  void build_outgoing() {
    const Size nodes = num_nodes();
    if (!symmetric) {
      out_offsets.assign(idx(nodes + 1), 0);
      for (const NodeId source : sources) ++out_offsets[idx(source) + 1];
      std::partial_sum(out_offsets.begin(), out_offsets.end(), out_offsets.begin());
      out_targets.resize(sources.size());
    }
    const std::vector<Size>& rows = symmetric ? offsets : out_offsets;
    cursor.assign(rows.begin(), rows.end() - 1);
    out_edges.resize(sources.size());
    for (Size target = 0; target < nodes; ++target) {
      for (Size e = offsets[idx(target)]; e < offsets[idx(target + 1)]; ++e) {
        const std::size_t place = idx(cursor[idx(sources[idx(e)])]++);
        out_edges[place] = static_cast<NodeId>(e);
        if (!symmetric) out_targets[place] = static_cast<NodeId>(target);
      }
    }
  }

  /// Fills this storage with the block-diagonal union; both directions are copied, not built.
  void assign_joined(std::span<const Graph> graphs);
};

namespace {

/// Appends `part` with `shift` added to each number.
template <class T>
void append_shifted(std::vector<T>& all, std::span<const T> part, Size shift) {
  const std::size_t begin = all.size();
  all.resize(begin + part.size());
  for (std::size_t i = 0; i < part.size(); ++i) all[begin + i] = static_cast<T>(part[i] + shift);
}

}  // namespace

void Graph::Storage::assign_joined(std::span<const Graph> graphs) {
  Size nodes = 0;
  Size edges = 0;
  symmetric = true;
  for (const Graph& graph : graphs) {
    nodes += graph.num_nodes();
    edges += graph.num_edges();
    symmetric = symmetric && graph.known_symmetric();
  }
  require_countable(nodes, edges);
  given.clear();
  offsets.assign(1, 0);
  sources.clear();
  out_offsets.clear();
  out_targets.clear();
  out_edges.clear();
  if (!symmetric) out_offsets.assign(1, 0);
  identity_once.emplace();
  outgoing_once.emplace();
  for (const Graph& graph : graphs) {
    const Storage& part = *graph.storage_;
    const Adjacency out = graph.outgoing();
    const Size first_node = num_nodes();
    const Size first_edge = num_edges();
    append_shifted<Size>(offsets, std::span(part.offsets).subspan(1), first_edge);
    append_shifted<NodeId>(sources, part.sources, first_node);
    append_shifted<NodeId>(out_edges, out.edges, first_edge);
    if (symmetric) continue;
    append_shifted<Size>(out_offsets, out.offsets.subspan(1), first_edge);
    append_shifted<NodeId>(out_targets, out.nodes, first_node);
  }
  std::call_once(*outgoing_once, [] {});
}

Graph::Graph() : storage_(std::make_shared<Storage>()) {}

Graph Graph::from_edges(Size num_nodes, std::span<const NodeId> from, std::span<const NodeId> to) {
  require_countable(num_nodes, length(from));
  require_ends_in_range(num_nodes, from, to);
  auto storage = std::make_shared<Storage>();
  storage->symmetric = from.empty();
  std::vector<NodeId> as_given(from.size());
  std::iota(as_given.begin(), as_given.end(), 0);
  const auto by_source = sorted_by(from, num_nodes, as_given, storage->offsets);
  storage->given = sorted_by(to, num_nodes, by_source, storage->offsets);
  storage->sources.resize(from.size());
  for (std::size_t e = 0; e < from.size(); ++e) storage->sources[e] = from[idx(storage->given[e])];
  return Graph(std::move(storage));
}

std::shared_ptr<Graph::Storage> Graph::take_rows(std::vector<Size> offsets, std::vector<NodeId> sources) {
  const Segments rows(std::move(offsets));
  if (rows.num_rows() != length(sources)) {
    throw ShapeError(fmt::format("graph: offsets end at {} but there are {} edges; expected them to be equal",
                                 rows.num_rows(), sources.size()));
  }
  require_countable(rows.count(), length(sources));
  auto storage = std::make_shared<Storage>();
  storage->offsets.assign(rows.offsets().begin(), rows.offsets().end());
  storage->sources = std::move(sources);
  return storage;
}

Graph Graph::from_symmetric_csr(std::vector<Size> offsets, std::vector<NodeId> nodes) {
  return Graph(take_rows(std::move(offsets), std::move(nodes)));
}

Graph Graph::from_csr(std::vector<Size> offsets, std::vector<NodeId> sources) {
  auto storage = take_rows(std::move(offsets), std::move(sources));
  storage->symmetric = storage->sources.empty();
  return Graph(std::move(storage));
}

Graph Graph::join(std::span<const Graph> graphs) {
  auto storage = std::make_shared<Storage>();
  storage->assign_joined(graphs);
  return Graph(std::move(storage));
}

Size Graph::num_nodes() const {
  return storage_->num_nodes();
}

Size Graph::num_edges() const {
  return storage_->num_edges();
}

Adjacency Graph::incoming() const {
  storage_->need_identity();
  return {storage_->offsets, storage_->sources,
          std::span(storage_->identity).first(storage_->sources.size())};
}

Adjacency Graph::outgoing() const {
  storage_->need_outgoing();
  if (storage_->symmetric) return {storage_->offsets, storage_->sources, storage_->out_edges};
  return {storage_->out_offsets, storage_->out_targets, storage_->out_edges};
}

std::span<const NodeId> Graph::sources() const {
  return storage_->sources;
}

std::vector<NodeId> Graph::targets() const {
  std::vector<NodeId> result(storage_->sources.size());
  for (Size target = 0; target < num_nodes(); ++target) {
    std::fill(result.begin() + storage_->offsets[idx(target)],
              result.begin() + storage_->offsets[idx(target + 1)], static_cast<NodeId>(target));
  }
  return result;
}

std::span<const NodeId> Graph::given_order() const {
  return storage_->given;
}

bool Graph::known_symmetric() const {
  return storage_->symmetric;
}

Size Graph::bytes() const {
  const Storage& s = *storage_;
  const std::size_t sizes = s.offsets.size() + s.out_offsets.size() + s.cursor.size();
  const std::size_t ids =
      s.sources.size() + s.identity.size() + s.given.size() + s.out_targets.size() + s.out_edges.size();
  return static_cast<Size>(sizeof(Storage) + sizes * sizeof(Size) + ids * sizeof(NodeId));
}

Graph GraphJoiner::join(std::span<const Graph> graphs) {
  auto free =
      std::find_if(pool_.begin(), pool_.end(), [](const auto& held) { return held.use_count() == 1; });
  if (free == pool_.end()) free = pool_.insert(pool_.end(), std::make_shared<Graph::Storage>());
  (*free)->assign_joined(graphs);
  return Graph(*free);
}

void require_edges_inside(std::string_view where, const Graph& graph, const Segments& sets) {
  sets.require_cover(where, graph.num_nodes());
  const Adjacency in = graph.incoming();
  for (Size set = 0; set < sets.count(); ++set) {
    const Rows rows = sets.rows(set);
    for (Size target = rows.begin; target < rows.end; ++target) {
      const Rows positions = in.positions(target);
      for (Size e = positions.begin; e < positions.end; ++e) {
        const Size source = in.nodes[idx(e)];
        if (source >= rows.begin && source < rows.end) continue;
        throw ValueError(
            fmt::format("{}: edge {} runs from node {} in set {} to node {} in set {}; expected both ends in "
                        "one set",
                        where, e, source, sets.owner(source), target, set));
      }
    }
  }
}

inline namespace TARN_PRECISION {

void to_canonical_order(const Graph& graph, ConstMatrixView given, MatrixView canonical) {
  if (given.rows != graph.num_edges() || canonical.rows != given.rows || canonical.cols != given.cols) {
    throw ShapeError(
        fmt::format("edge data: [{}, {}] to be put in order as [{}, {}]; expected {} rows, one per "
                    "edge, on both sides",
                    given.rows, given.cols, canonical.rows, canonical.cols, graph.num_edges()));
  }
  const auto order = graph.given_order();
  for (Size e = 0; e < given.rows; ++e) {
    const auto from = given.row_span(order.empty() ? e : order[idx(e)]);
    std::copy(from.begin(), from.end(), canonical.row(e));
  }
}

}  // namespace TARN_PRECISION
}  // namespace tarn
