#include "tarn/graph/mesh/mesh_clean.hpp"

#include <bit>
#include <cmath>
#include <cstdint>

namespace tarn {

namespace {

/// Cells are this many tolerances wide: few vertices lie near a side, and few share a cell.
constexpr double tolerances_per_cell = 8;

std::uint64_t mix(std::uint64_t h, double value) {
  // -0 equals 0, so both must hash alike.
  h ^= std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value);
  h *= 0x9E3779B97F4A7C15U;
  return h ^ (h >> 29U);
}

/// Kept vertices by the cell they lie in; cells are named by whole numbers in double, which never overflow.
class VertexGrid {
 public:
  VertexGrid(std::span<const Vec3> vertices, double tolerance)
      : vertices_(vertices),
        tolerance_(tolerance),
        width_(tolerances_per_cell * tolerance),
        heads_(std::bit_ceil(2 * vertices.size() + 1), -1),
        next_(vertices.size(), -1) {}

  void insert(NodeId v) {
    NodeId& head = head_of(cell_of(at(v)));
    next_[static_cast<std::size_t>(v)] = head;
    head = v;
  }

  /// The nearest kept vertex within the tolerance, the lowest of equally near ones; -1 if there is none.
  [[nodiscard]] NodeId nearest(NodeId v) {
    Best best;
    const Vec3 p = at(v), home = cell_of(p);
    if (tolerance_ == 0) {
      search(home, p, best);
      return best.vertex;
    }
    const Range x = cells_near(p.x, home.x), y = cells_near(p.y, home.y), z = cells_near(p.z, home.z);
    for (double i = x.first; i <= x.last; ++i) {
      for (double j = y.first; j <= y.last; ++j) {
        for (double k = z.first; k <= z.last; ++k) search({home.x + i, home.y + j, home.z + k}, p, best);
      }
    }
    return best.vertex;
  }

 private:
  struct Best {
    NodeId vertex = -1;
    double distance = 0;
  };
  /// Steps from the home cell, between -1 and 1.
  struct Range {
    double first, last;
  };

  [[nodiscard]] const Vec3& at(NodeId v) const { return vertices_[static_cast<std::size_t>(v)]; }

  [[nodiscard]] Vec3 cell_of(const Vec3& p) const {
    if (tolerance_ == 0) return p;
    return {std::floor(p.x / width_), std::floor(p.y / width_), std::floor(p.z / width_)};
  }

  /// The cells that reach within the tolerance of a coordinate; twice as far, for rounding.
  [[nodiscard]] Range cells_near(double coordinate, double home) const {
    const double inside = coordinate / width_ - home;
    constexpr double margin = 2 / tolerances_per_cell;
    return {inside < margin ? -1.0 : 0.0, inside > 1 - margin ? 1.0 : 0.0};
  }

  NodeId& head_of(const Vec3& cell) {
    const std::uint64_t h = mix(mix(mix(0, cell.x), cell.y), cell.z);
    return heads_[static_cast<std::size_t>(h) & (heads_.size() - 1)];
  }

  void search(const Vec3& cell, const Vec3& p, Best& best) {
    for (NodeId v = head_of(cell); v >= 0; v = next_[static_cast<std::size_t>(v)]) {
      const double distance = norm(at(v) - p);
      const bool near = tolerance_ == 0 ? at(v) == p : distance < tolerance_;
      if (!near) continue;
      const bool better =
          best.vertex < 0 || distance < best.distance || (distance == best.distance && v < best.vertex);
      if (better) best = {v, distance};
    }
  }

  std::span<const Vec3> vertices_;
  double tolerance_;
  double width_;
  std::vector<NodeId> heads_;
  std::vector<NodeId> next_;
};

}  // namespace

std::vector<NodeId> merge_vertices(std::span<const Vec3> vertices, double tolerance) {
  VertexGrid grid(vertices, tolerance);
  std::vector<NodeId> becomes(vertices.size());
  for (std::size_t i = 0; i < vertices.size(); ++i) {
    const auto v = static_cast<NodeId>(i);
    const NodeId kept = grid.nearest(v);
    becomes[i] = kept >= 0 ? kept : v;
    if (kept < 0) grid.insert(v);
  }
  return becomes;
}

}  // namespace tarn
