#include "tarn/graph/mesh/augment.hpp"
#include "tarn/graph/mesh/mesh_features.hpp"
#include "tarn/graph/mesh/order.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <unordered_set>

namespace tarn {

namespace {

constexpr double sharpest_corner = 0.02;  // radians
constexpr double length_guard = 1e-15;

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// A mesh whose edges turn one after another. A primal edge keeps its number throughout.
class Flipper {
 public:
  Flipper(const TriangleMesh& mesh, double min_angle)
      : mesh_(mesh),
        min_angle_(min_angle),
        normals_(face_normals(mesh)),
        pair_at_(3 * mesh.faces.size(), -1) {
    const HalfEdges half_edges(mesh);
    require_manifold_edges("mesh-flip-edges", half_edges);
    pairs_ = face_pairs(half_edges);
    for (std::size_t p = 0; p < pairs_.size(); ++p) {
      for (const NodeId h : pairs_[p].half_edges) pair_at_[idx(h)] = static_cast<NodeId>(p);
    }
    for (Size e = 0; e < half_edges.num_edges(); ++e) {
      const auto [a, b] = half_edges.ends(e);
      joined_.insert(key(a, b));
    }
  }

  [[nodiscard]] Size num_pairs() const { return static_cast<Size>(pairs_.size()); }
  [[nodiscard]] std::vector<Triangle> faces() && { return std::move(mesh_.faces); }

  /// False if the edge stays. Neighbours that would share two edges then have o_i and o_j joined already.
  bool flip(NodeId number) {
    const FacePair& pair = pairs_[idx(number)];
    const auto [i, j] = pair.faces;
    const auto [h, g] = pair.half_edges;
    const double angle = dihedral(pair);
    if (!(min_angle_ < angle && angle < 2 * std::numbers::pi - min_angle_)) return false;
    const NodeId a = start(h), b = start(HalfEdges::next(h));
    const NodeId o_i = start(HalfEdges::previous(h)), o_j = start(HalfEdges::previous(g));
    if (joined_.contains(key(o_i, o_j))) return false;
    const Triangle new_i{a, o_j, o_i}, new_j{b, o_i, o_j};
    if (!is_sound(new_i, i) || !is_sound(new_j, j)) return false;
    // The edges around, by the half-edges that leave a and b in the two faces.
    const NodeId from_oi_to_a = pair_at_[idx(HalfEdges::previous(h))],
                 from_b_to_oi = pair_at_[idx(HalfEdges::next(h))];
    const NodeId from_a_to_oj = pair_at_[idx(HalfEdges::next(g))],
                 from_oj_to_b = pair_at_[idx(HalfEdges::previous(g))];
    joined_.erase(key(a, b));
    joined_.insert(key(o_i, o_j));
    replace(i, new_i);
    replace(j, new_j);
    put(from_a_to_oj, 3 * i, j);
    put(number, 3 * i + 1, i);
    put(from_oi_to_a, 3 * i + 2, i);
    put(from_b_to_oi, 3 * j, i);
    put(number, 3 * j + 1, j);
    put(from_oj_to_b, 3 * j + 2, j);
    return true;
  }

 private:
  static std::uint64_t key(NodeId a, NodeId b) {
    const auto [low, high] = std::minmax(a, b);
    return static_cast<std::uint64_t>(low) << 32U | static_cast<std::uint64_t>(high);
  }

  [[nodiscard]] NodeId start(Size h) const { return mesh_.faces[idx(h / 3)][idx(h % 3)]; }
  [[nodiscard]] const Vec3& at(NodeId v) const { return mesh_.vertices[idx(v)]; }

  [[nodiscard]] double dihedral(const FacePair& pair) const {
    const Size h = pair.half_edges[0];
    return dihedral_angle(at(start(h)), at(start(HalfEdges::next(h))), normals_[idx(pair.faces[0])],
                          normals_[idx(pair.faces[1])]);
  }

  /// A face that may take the place of face `old`.
  [[nodiscard]] bool is_sound(const Triangle& t, NodeId old) const {
    const Vec3 along = area_vector(at(t[0]), at(t[1]), at(t[2]));
    if (0.5 * norm(along) == 0) return false;
    std::array<Vec3, 3> directions;
    for (std::size_t c = 0; c < 3; ++c) {
      const Vec3 side = at(t[(c + 1) % 3]) - at(t[c]);
      directions[c] = 1 / (norm(side) + length_guard) * side;
    }
    for (std::size_t c = 0; c < 3; ++c) {
      const double angle = std::acos(std::clamp(dot(directions[c], directions[(c + 1) % 3]), -1.0, 1.0));
      if (angle < sharpest_corner || angle > std::numbers::pi - sharpest_corner) return false;
    }
    const double turned = std::acos(std::clamp(dot(1 / norm(along) * along, normals_[idx(old)]), -1.0, 1.0));
    return turned <= std::numbers::pi / 2;
  }

  void replace(NodeId face, const Triangle& t) {
    mesh_.faces[idx(face)] = t;
    const Vec3 along = area_vector(mesh_, face);
    normals_[idx(face)] = 1 / norm(along) * along;
  }

  /// Half-edge h takes over a primal edge that lay on face `before`; -1 is the boundary.
  void put(NodeId number, Size h, NodeId before) {
    pair_at_[idx(h)] = number;
    if (number < 0) return;
    FacePair& pair = pairs_[idx(number)];
    const std::size_t side = pair.faces[0] == before ? 0 : 1;
    pair.faces[side] = static_cast<NodeId>(h / 3);
    pair.half_edges[side] = static_cast<NodeId>(h);
    if (pair.faces[0] < pair.faces[1]) return;
    std::swap(pair.faces[0], pair.faces[1]);
    std::swap(pair.half_edges[0], pair.half_edges[1]);
  }

  TriangleMesh mesh_;
  double min_angle_;
  std::vector<Vec3> normals_;
  std::vector<FacePair> pairs_;
  std::vector<NodeId> pair_at_;  // [3F] primal edge of each half-edge
  std::unordered_set<std::uint64_t> joined_;
};

}  // namespace

std::vector<Triangle> flip_edges(const TriangleMesh& mesh, const FlipEdgesOptions& o,
                                 std::span<const NodeId> permutation) {
  check_options(o, "mesh-flip-edges");
  require_valid_mesh("mesh-flip-edges", mesh);
  Flipper flipper(mesh, o.min_dihedral_angle);
  require_permutation("mesh-flip-edges", permutation, flipper.num_pairs());
  const auto target = static_cast<Size>(o.fraction * static_cast<double>(flipper.num_pairs()));
  Size done = 0;
  for (const NodeId number : permutation) {
    if (done >= target) break;
    done += flipper.flip(number);
  }
  return std::move(flipper).faces();
}

}  // namespace tarn
