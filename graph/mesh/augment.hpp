#pragma once

#include "tarn/core/options.hpp"
#include "tarn/core/rng.hpp"
#include "tarn/graph/mesh/triangle_mesh.hpp"

#include <array>
#include <span>
#include <string_view>
#include <vector>

namespace tarn {

enum class ScaleMode { vertex, axis };
inline std::span<const std::string_view> enum_names(ScaleMode) {
  static constexpr std::array<std::string_view, 2> names{"vertex", "axis"};
  return names;
}

struct ScaleVerticesOptions {
  double mean = 1;
  double std = 0.1;
  ScaleMode mode = ScaleMode::vertex;
  bool allow_nonpositive = false;
  void fields(Fields& f) {
    f("mean", mean, any_finite(), "of the multipliers");
    f("std", std, at_least(0), "standard deviation of the multipliers");
    f("mode", mode, "one multiplier per vertex, or one per axis");
    f("allow_nonpositive", allow_nonpositive, "keep multipliers of 0 and below instead of drawing again");
  }
};

struct FlipEdgesOptions {
  double fraction = 0;
  double min_dihedral_angle = 2.7;
  void fields(Fields& f) {
    f("fraction", fraction, between(0, 1), "share of the primal edges to flip");
    f("min_dihedral_angle", min_dihedral_angle, at_least(0), "flip only edges this flat, in radians");
  }
};

struct SlideVerticesOptions {
  double fraction = 0;
  double min_dihedral_angle = 2.65;
  void fields(Fields& f) {
    f("fraction", fraction, between(0, 1), "share of the vertices to move");
    f("min_dihedral_angle", min_dihedral_angle, at_least(0), "move only vertices this flat, in radians");
  }
};

/// Multipliers for `scale_vertices`: [V] or [3] normal draws, each drawn again while it is not positive
/// unless allowed. Throws ValueError for a mean and deviation that give no positive draw.
[[nodiscard]] std::vector<double> draw_scale_factors(const ScaleVerticesOptions& options, Size num_vertices,
                                                     const Rng& rng);

/// Every vertex times its own factor [V], or every axis times its own [3]. Throws ShapeError for another
/// number.
[[nodiscard]] std::vector<Vec3> scale_vertices(std::span<const Vec3> vertices, std::span<const double> factor,
                                               ScaleMode mode);

/// Turns nearly flat edges: of two faces i < j at an edge a -> b (seen from i) with third corners o_i, o_j
/// they make [a, o_j, o_i] and [b, o_i, o_j]; faces keep their numbers. Tries the primal edges in the order
/// of `permutation` [E] until trunc(fraction E) are turned. An edge stays where the dihedral angle is not
/// within (min, 2 pi - min), where o_i and o_j are joined already, where a new face has area 0 or two sides
/// that meet at less than 0.02 rad, or where its normal turns by more than pi/2.
///
/// Throws DataError for a mesh that is not manifold and ValueError for an order that is no permutation of the
/// primal edges. Hanocka et al. 2019, "MeshCNN", arXiv 1809.05910; rules of Milano et al. 2020.
[[nodiscard]] std::vector<Triangle> flip_edges(const TriangleMesh& mesh, const FlipEdgesOptions& options,
                                               std::span<const NodeId> permutation);

/// Moves vertices along an edge: p_v += (0.2 + 0.3 u_factor[v]) (p_n - p_v), n the neighbour number
/// trunc(u_choice[v] m) of the m ascending ones at edges with two faces. In the order of `permutation` [V]
/// until trunc(fraction V) moved; a vertex stays where the smallest dihedral angle of its edges, all taken
/// from the start positions, is not within (min, 2 pi - min), or where it has no such neighbour. Throws as
/// `flip_edges` does.
[[nodiscard]] std::vector<Vec3> slide_vertices(const TriangleMesh& mesh, const SlideVerticesOptions& options,
                                               std::span<const NodeId> permutation,
                                               std::span<const double> u_choice,
                                               std::span<const double> u_factor);

struct AugmentOptions {
  Size num_augmentations = 1;
  bool scale_vertices = false;
  double scale_mean = 1;
  double scale_std = 0.1;
  ScaleMode scale_mode = ScaleMode::vertex;
  double flip_edges = 0;
  double slide_vertices = 0;
  void fields(Fields& f) {
    f("num_augmentations", num_augmentations, at_least(1), "copies of every training mesh");
    f("scale_vertices", scale_vertices, "multiply positions by normal draws");
    f("scale_mean", scale_mean, any_finite(), "of the multipliers");
    f("scale_std", scale_std, at_least(0), "standard deviation of the multipliers");
    f("scale_mode", scale_mode, "one multiplier per vertex, or one per axis");
    f("flip_edges", flip_edges, between(0, 1), "share of the primal edges to flip");
    f("slide_vertices", slide_vertices, between(0, 1), "share of the vertices to move");
  }
  [[nodiscard]] bool any() const { return scale_vertices || flip_edges > 0 || slide_vertices > 0; }
};

/// Scaled, flipped, slid, in this order; every draw comes from `rng`. Faces keep their numbers. A face that
/// loses its area is left to cleaning.
[[nodiscard]] TriangleMesh augment_mesh(const TriangleMesh& mesh, const AugmentOptions& options,
                                        const Rng& rng);

}  // namespace tarn
