#pragma once

#include "tarn/experiments/plot/image.hpp"
#include "tarn/graph/mesh/triangle_mesh.hpp"

#include <span>

namespace tarn::plot {

/// From where a mesh is seen, in radians: turned around y, then tilted around x.
struct MeshView {
  double azimuth = 0.6;
  double elevation = 0.35;
  Size size = 300;  ///< of the square picture, in pixels
};

/// A mesh by parallel projection, filling the picture, nearer faces before farther ones (z-buffer), each face
/// in its colour [F] and shaded by its slope, edges as thin lines and borders between colours as dark ones.
/// Throws ShapeError unless there is a colour per face. Time O(F + pixels drawn).
[[nodiscard]] Image draw_mesh(const TriangleMesh& mesh, std::span<const Colour> colours,
                              const MeshView& view = {});

}  // namespace tarn::plot
