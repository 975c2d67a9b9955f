#include "tarn/graph/mesh/mesh_clean.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <numeric>

namespace tarn {

namespace {

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// A set of keys that are tuples of vertex numbers, for at most `capacity` of them.
template <std::size_t N>
class VertexTuples {
 public:
  using Key = std::array<NodeId, N>;

  explicit VertexTuples(std::size_t capacity) : slots_(std::bit_ceil(2 * capacity + 1), -1) {
    keys_.reserve(capacity);
  }

  /// The number of a key, in order of first sight.
  NodeId number(const Key& key) {
    NodeId& slot = slot_of(key);
    if (slot < 0) {
      slot = static_cast<NodeId>(keys_.size());
      keys_.push_back(key);
    }
    return slot;
  }
  [[nodiscard]] bool contains(const Key& key) { return slot_of(key) >= 0; }
  [[nodiscard]] std::size_t size() const { return keys_.size(); }

 private:
  NodeId& slot_of(const Key& key) {
    std::uint64_t h = 0;
    for (const NodeId v : key) {
      h = (h ^ static_cast<std::uint64_t>(v)) * 0x9E3779B97F4A7C15U;
      h ^= h >> 29U;
    }
    std::size_t place = static_cast<std::size_t>(h) & (slots_.size() - 1);
    while (slots_[place] >= 0 && keys_[idx(slots_[place])] != key) place = (place + 1) & (slots_.size() - 1);
    return slots_[place];
  }

  std::vector<NodeId> slots_;
  std::vector<Key> keys_;
};

bool repeats_vertex(const Triangle& t) {
  return t[0] == t[1] || t[1] == t[2] || t[2] == t[0];
}

Triangle sorted(Triangle t) {
  std::sort(t.begin(), t.end());
  return t;
}

/// Whether the corners run round as the ascending order does.
bool ascends(const Triangle& t) {
  return (t[0] < t[1]) + (t[1] < t[2]) + (t[2] < t[0]) == 2;
}

class Cleaner {
 public:
  Cleaner(const TriangleMesh& mesh, const MeshCleanOptions& options)
      : vertices_(mesh.vertices), faces_(mesh.faces) {
    merge(options.merge_tolerance);
    drop_duplicates();
    drop_zero_areas();
    if (options.prevent_nonmanifold_edges) drop_nonmanifold();
  }

  CleanMesh result() {
    CleanMesh clean;
    std::vector<NodeId> number(vertices_.size(), -1);
    for (const NodeId f : kept_) {
      for (const NodeId v : faces_[idx(f)]) number[idx(v)] = 0;
    }
    for (std::size_t v = 0; v < vertices_.size(); ++v) {
      if (number[v] < 0) continue;
      number[v] = static_cast<NodeId>(clean.vertex_source.size());
      clean.vertex_source.push_back(static_cast<NodeId>(v));
      clean.mesh.vertices.push_back(vertices_[v]);
    }
    for (const NodeId f : kept_) {
      Triangle t = faces_[idx(f)];
      for (NodeId& v : t) v = number[idx(v)];
      clean.mesh.faces.push_back(t);
    }
    counts_.unused_vertices =
        static_cast<Size>(vertices_.size() - clean.vertex_source.size()) - counts_.merged_vertices;
    clean.face_source = std::move(kept_);
    clean.counts = counts_;
    return clean;
  }

 private:
  void merge(double tolerance) {
    const std::vector<NodeId> becomes = merge_vertices(vertices_, tolerance);
    for (std::size_t v = 0; v < becomes.size(); ++v)
      counts_.merged_vertices += becomes[v] != static_cast<NodeId>(v);
    for (Triangle& t : faces_) {
      for (NodeId& v : t) v = becomes[idx(v)];
    }
  }

  void drop_duplicates() {
    struct Group {
      NodeId last[2] = {-1, -1};  // face of each orientation
      Size balance = 0;           // ascending ones less the others
      Size count = 0;
    };
    VertexTuples<3> triples(faces_.size());
    std::vector<Group> groups;
    for (std::size_t f = 0; f < faces_.size(); ++f) {
      if (repeats_vertex(faces_[f])) {
        ++counts_.repeated_vertex;
        continue;
      }
      const auto g = idx(triples.number(sorted(faces_[f])));
      if (g == groups.size()) groups.emplace_back();
      const bool ascending = ascends(faces_[f]);
      groups[g].last[ascending ? 1 : 0] = static_cast<NodeId>(f);
      groups[g].balance += ascending ? 1 : -1;
      ++groups[g].count;
    }
    // Groups stand in the order of their first faces.
    for (const Group& group : groups) {
      counts_.duplicate += group.count - (group.balance != 0 ? 1 : 0);
      if (group.balance != 0) kept_.push_back(group.last[group.balance > 0 ? 1 : 0]);
    }
  }

  void drop_zero_areas() {
    counts_.zero_area = static_cast<Size>(std::erase_if(kept_, [this](NodeId f) {
      const Triangle& t = faces_[idx(f)];
      return 0.5 * norm(area_vector(vertices_[idx(t[0])], vertices_[idx(t[1])], vertices_[idx(t[2])])) == 0;
    }));
  }

  void drop_nonmanifold() {
    VertexTuples<2> taken(3 * kept_.size());
    counts_.nonmanifold = static_cast<Size>(std::erase_if(kept_, [&](NodeId f) {
      const Triangle& t = faces_[idx(f)];
      const std::array<VertexTuples<2>::Key, 3> own{{{t[0], t[1]}, {t[1], t[2]}, {t[2], t[0]}}};
      for (const auto& half_edge : own) {
        if (taken.contains(half_edge)) return true;
      }
      for (const auto& half_edge : own) taken.number(half_edge);
      return false;
    }));
  }

  const std::vector<Vec3>& vertices_;
  std::vector<Triangle> faces_;
  std::vector<NodeId> kept_;
  MeshCleanCounts counts_;
};

}  // namespace

std::string MeshCleanCounts::text() const {
  std::string text;
  const auto add = [&text](Size count, const char* what) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
  };
  add(repeated_vertex, "naming a vertex twice");
  add(duplicate, "duplicate");
  add(zero_area, "of zero area");
  add(nonmanifold, "at a half-edge that was taken");
  return text.empty() ? "none" : text;
}

CleanMesh clean_mesh(const TriangleMesh& mesh, const MeshCleanOptions& options) {
  check_options(options, "mesh-clean");
  require_valid_mesh("mesh-clean", mesh);
  CleanMesh clean = Cleaner(mesh, options).result();
  if (options.on_drop == OnDrop::error && clean.counts.dropped_faces() > 0) {
    throw DataError(fmt::format("mesh-clean: {} of {} faces cannot be used ({}); expected none",
                                clean.counts.dropped_faces(), mesh.num_faces(), clean.counts.text()));
  }
  return clean;
}

}  // namespace tarn
