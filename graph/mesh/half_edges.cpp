#include "tarn/graph/mesh/half_edges.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace tarn {

namespace {

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// `items` stably rearranged by ascending key(item) in 0 .. num_keys-1.
template <class Key>
std::vector<NodeId> counting_sort(const std::vector<NodeId>& items, Size num_keys, Key key) {
  std::vector<NodeId> place(idx(num_keys) + 1, 0);
  for (const NodeId item : items) ++place[idx(key(item)) + 1];
  std::partial_sum(place.begin(), place.end(), place.begin());
  std::vector<NodeId> sorted(items.size());
  for (const NodeId item : items) sorted[idx(place[idx(key(item))]++)] = item;
  return sorted;
}

}  // namespace

HalfEdges::HalfEdges(const TriangleMesh& mesh) {
  corners_.reserve(3 * mesh.faces.size());
  for (const Triangle& face : mesh.faces) corners_.insert(corners_.end(), face.begin(), face.end());
  std::vector<NodeId> all(corners_.size());
  std::iota(all.begin(), all.end(), 0);
  const auto low = [this](Size h) { return std::min(start(h), end(h)); };
  const auto high = [this](Size h) { return std::max(start(h), end(h)); };
  sorted_ = counting_sort(counting_sort(all, mesh.num_vertices(), high), mesh.num_vertices(), low);
  edge_.resize(corners_.size());
  for (std::size_t i = 0; i < sorted_.size(); ++i) {
    const bool first =
        i == 0 || low(sorted_[i]) != low(sorted_[i - 1]) || high(sorted_[i]) != high(sorted_[i - 1]);
    if (first) offsets_.push_back(static_cast<NodeId>(i));
    edge_[idx(sorted_[i])] = static_cast<NodeId>(offsets_.size()) - 1;
  }
  offsets_.push_back(static_cast<NodeId>(sorted_.size()));
}

std::span<const NodeId> HalfEdges::around(Size edge) const {
  const auto first = idx(offsets_[idx(edge)]), last = idx(offsets_[idx(edge) + 1]);
  return std::span(sorted_).subspan(first, last - first);
}

std::pair<NodeId, NodeId> HalfEdges::ends(Size edge) const {
  const Size h = around(edge)[0];
  return std::minmax(start(h), end(h));
}

Size HalfEdges::twin(Size h) const {
  const auto here = around(edge(h));
  if (here.size() != 2) return -1;
  return here[0] == h ? here[1] : here[0];
}

void require_manifold_edges(std::string_view where, const HalfEdges& half_edges) {
  for (Size e = 0; e < half_edges.num_edges(); ++e) {
    const auto here = half_edges.around(e);
    const auto [a, b] = half_edges.ends(e);
    if (here.size() > 2) {
      throw DataError(fmt::format("{}: {} faces meet at the edge of vertices {} and {}; expected at most two",
                                  where, here.size(), a, b));
    }
    if (here.size() == 2 && half_edges.start(here[0]) == half_edges.start(here[1])) {
      throw DataError(
          fmt::format("{}: faces {} and {} both run from vertex {} to {}; expected opposite directions",
                      where, HalfEdges::face(here[0]), HalfEdges::face(here[1]), half_edges.start(here[0]),
                      half_edges.end(here[0])));
    }
  }
}

}  // namespace tarn
