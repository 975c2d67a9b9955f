#include "tarn/graph/mesh/mesh_report.hpp"

#include "tarn/graph/mesh/disjoint_sets.hpp"
#include "tarn/graph/mesh/half_edges.hpp"
#include "tarn/graph/mesh/mesh_clean.hpp"

#include <algorithm>
#include <map>

namespace tarn {

namespace {

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

TriangleMesh with_merged_vertices(const TriangleMesh& mesh) {
  TriangleMesh merged = mesh;
  const std::vector<NodeId> becomes = merge_vertices(mesh.vertices, 0);
  for (Triangle& face : merged.faces) {
    for (NodeId& v : face) v = becomes[idx(v)];
  }
  return merged;
}

class Reporter {
 public:
  explicit Reporter(const TriangleMesh& given)
      : mesh_(with_merged_vertices(given)), half_edges_(mesh_), fans_(half_edges_.count()) {
    report_.vertices = mesh_.num_vertices();
    report_.faces = mesh_.num_faces();
  }

  MeshReport report() {
    count_vertices();
    count_faces();
    count_edges();
    count_fans();
    count_boundary_loops();
    report_.euler_number =
        report_.distinct_vertices - report_.unused_vertices - report_.edges + report_.faces;
    const bool sound = report_.components == 1 && report_.boundary_edges == 0 &&
                       report_.nonmanifold_vertices == 0 && report_.degenerate_faces == 0 &&
                       report_.misoriented_edges == 0;
    if (sound) report_.genus = (2 - report_.euler_number) / 2;
    return report_;
  }

 private:
  /// A half-edge of a face that names one vertex twice runs nowhere and is no edge.
  [[nodiscard]] bool is_loop(Size edge) const {
    const auto [a, b] = half_edges_.ends(edge);
    return a == b;
  }
  [[nodiscard]] bool used(Size vertex) const { return used_[idx(vertex)]; }

  void count_vertices() {
    std::vector<bool> distinct(idx(mesh_.num_vertices()), false);
    for (const NodeId v : merge_vertices(mesh_.vertices, 0)) distinct[idx(v)] = true;
    report_.distinct_vertices = std::count(distinct.begin(), distinct.end(), true);
    used_.assign(idx(mesh_.num_vertices()), false);
    DisjointSets pieces(mesh_.num_vertices());
    for (const Triangle& face : mesh_.faces) {
      for (const NodeId v : face) {
        used_[idx(v)] = true;
        pieces.unite(face[0], v);
      }
    }
    for (NodeId v = 0; v < mesh_.num_vertices(); ++v) report_.components += used(v) && pieces.find(v) == v;
    report_.unused_vertices = report_.distinct_vertices - std::count(used_.begin(), used_.end(), true);
  }

  void count_faces() {
    std::vector<Triangle> seen;
    for (Size f = 0; f < mesh_.num_faces(); ++f) {
      report_.degenerate_faces += face_area(mesh_, f) == 0;
      Triangle t = mesh_.faces[idx(f)];
      std::sort(t.begin(), t.end());
      if (t[0] != t[1] && t[1] != t[2]) seen.push_back(t);
    }
    std::sort(seen.begin(), seen.end());
    report_.duplicate_faces = seen.end() - std::unique(seen.begin(), seen.end());
  }

  void count_edges() {
    on_nonmanifold_edge_.assign(idx(mesh_.num_vertices()), false);
    for (Size e = 0; e < half_edges_.num_edges(); ++e) {
      if (is_loop(e)) continue;
      ++report_.edges;
      const auto here = half_edges_.around(e);
      const auto [a, b] = half_edges_.ends(e);
      report_.boundary_edges += here.size() == 1;
      if (here.size() > 2) {
        ++report_.nonmanifold_edges;
        on_nonmanifold_edge_[idx(a)] = on_nonmanifold_edge_[idx(b)] = true;
      }
      report_.misoriented_edges +=
          here.size() == 2 && half_edges_.start(here[0]) == half_edges_.start(here[1]);
    }
  }

  /// The corner of a half-edge's face at one of its two ends.
  [[nodiscard]] NodeId corner_at(Size h, NodeId vertex) const {
    return static_cast<NodeId>(half_edges_.start(h) == vertex ? h : HalfEdges::next(h));
  }

  /// Corners around a vertex that are joined through edges form a fan.
  void count_fans() {
    for (Size e = 0; e < half_edges_.num_edges(); ++e) {
      if (is_loop(e)) continue;
      const auto here = half_edges_.around(e);
      const auto [a, b] = half_edges_.ends(e);
      for (const NodeId h : here.subspan(1)) {
        fans_.unite(corner_at(here[0], a), corner_at(h, a));
        fans_.unite(corner_at(here[0], b), corner_at(h, b));
      }
    }
    std::vector<Size> fans_at(idx(mesh_.num_vertices()), 0);
    for (NodeId corner = 0; corner < half_edges_.count(); ++corner) {
      if (fans_.find(corner) == corner) ++fans_at[idx(half_edges_.start(corner))];
    }
    for (Size v = 0; v < mesh_.num_vertices(); ++v) {
      report_.nonmanifold_vertices += fans_at[idx(v)] > 1 || on_nonmanifold_edge_[idx(v)];
    }
  }

  /// An open fan has two boundary edges, which follow each other along the boundary.
  void count_boundary_loops() {
    DisjointSets loops(half_edges_.num_edges());
    std::map<NodeId, NodeId> first_of_fan;
    std::vector<NodeId> boundary;
    for (Size e = 0; e < half_edges_.num_edges(); ++e) {
      const auto here = half_edges_.around(e);
      if (is_loop(e) || here.size() != 1) continue;
      boundary.push_back(static_cast<NodeId>(e));
      for (const NodeId corner : {here[0], static_cast<NodeId>(HalfEdges::next(here[0]))}) {
        const auto [other, is_new] = first_of_fan.emplace(fans_.find(corner), boundary.back());
        if (!is_new) loops.unite(other->second, boundary.back());
      }
    }
    for (const NodeId e : boundary) report_.boundary_loops += loops.find(e) == e;
  }

  TriangleMesh mesh_;
  HalfEdges half_edges_;
  DisjointSets fans_;  // over corners
  std::vector<bool> used_;
  std::vector<bool> on_nonmanifold_edge_;
  MeshReport report_;
};

}  // namespace

MeshReport report_mesh(const TriangleMesh& mesh) {
  require_valid_mesh("mesh", mesh);
  return Reporter(mesh).report();
}

}  // namespace tarn
