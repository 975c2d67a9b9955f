#include "tarn/experiments/plot/mesh_view.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/graph/mesh/half_edges.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace tarn::plot {

namespace {

constexpr Size samples = 3;           // along each side of a pixel
constexpr double line_width = 0.8;    // of borders, in pixels
constexpr double inner_share = 0.82;  // of a face's colour along edges between like faces
constexpr double border_share = 0.25;
constexpr double margin = 0.04;  // of the picture's side

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// A face on the screen: corners in samples, nearness in z.
struct ScreenFace {
  std::array<Vec3, 3> corner;
  double shade = 1;
  std::array<bool, 3> border{};  // side c runs from corner c to the next
};

class Painter {
 public:
  Painter(const TriangleMesh& mesh, std::span<const Colour> colours, const MeshView& view)
      : mesh_(mesh),
        colours_(colours),
        half_edges_(mesh),
        side_(view.size * samples),
        fine_(side_, side_),
        nearest_(idx(side_ * side_), -std::numeric_limits<double>::infinity()) {
    place_vertices(view);
  }

  Image draw() {
    for (Size f = 0; f < mesh_.num_faces(); ++f) draw_face(screen_face(f), colours_[idx(f)]);
    return averaged();
  }

 private:
  void place_vertices(const MeshView& view) {
    const double ca = std::cos(view.azimuth), sa = std::sin(view.azimuth);
    const double ce = std::cos(view.elevation), se = std::sin(view.elevation);
    Vec3 low{1e300, 1e300, 1e300}, high{-1e300, -1e300, -1e300};
    for (const Vec3& v : mesh_.vertices) {
      const double x = ca * v.x + sa * v.z, depth = ca * v.z - sa * v.x;
      const Vec3 p{x, ce * v.y - se * depth, se * v.y + ce * depth};
      placed_.push_back(p);
      low = {std::min(low.x, p.x), std::min(low.y, p.y), std::min(low.z, p.z)};
      high = {std::max(high.x, p.x), std::max(high.y, p.y), std::max(high.z, p.z)};
    }
    const auto side = static_cast<double>(side_);
    const double extent = std::max({high.x - low.x, high.y - low.y, 1e-300});
    const double scale = side * (1 - 2 * margin) / extent;
    for (Vec3& p : placed_) {
      p = {side / 2 + scale * (p.x - (low.x + high.x) / 2), side / 2 - scale * (p.y - (low.y + high.y) / 2),
           scale * p.z};
    }
  }

  [[nodiscard]] ScreenFace screen_face(Size f) const {
    ScreenFace face;
    for (Size c = 0; c < 3; ++c) {
      face.corner[idx(c)] = placed_[idx(mesh_.faces[idx(f)][idx(c)])];
      const Size twin = half_edges_.twin(3 * f + c);
      face.border[idx(c)] = twin < 0 || colours_[idx(HalfEdges::face(twin))] != colours_[idx(f)];
    }
    const Vec3 normal = area_vector(face.corner[0], face.corner[1], face.corner[2]);
    const double length = norm(normal);
    // Light from above the viewer's left shoulder; both sides of a face are lit, open surfaces show both.
    const Vec3 light{-0.35, -0.5, 0.79};
    face.shade = length > 0 ? 0.45 + 0.55 * std::abs(dot(normal, light)) / length : 1;
    return face;
  }

  void draw_face(const ScreenFace& face, const Colour& colour) {
    const auto& [a, b, c] = face.corner;
    const double area = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
    if (area == 0) return;
    std::array<double, 3> per_pixel{};  // distance from a side, in pixels, where its weight is 1
    for (std::size_t k = 0; k < 3; ++k) {
      const Vec3 &from = face.corner[k], &to = face.corner[(k + 1) % 3];
      per_pixel[k] = std::abs(area) / std::hypot(to.x - from.x, to.y - from.y) / static_cast<double>(samples);
    }
    const auto [x0, x1] = range(a.x, b.x, c.x);
    const auto [y0, y1] = range(a.y, b.y, c.y);
    for (Size y = y0; y <= y1; ++y) {
      for (Size x = x0; x <= x1; ++x) {
        const double px = static_cast<double>(x) + 0.5, py = static_cast<double>(y) + 0.5;
        // Weight k is that of the corner opposite to side k.
        const std::array<double, 3> weight{((b.x - a.x) * (py - a.y) - (b.y - a.y) * (px - a.x)) / area,
                                           ((c.x - b.x) * (py - b.y) - (c.y - b.y) * (px - b.x)) / area,
                                           ((a.x - c.x) * (py - c.y) - (a.y - c.y) * (px - c.x)) / area};
        if (weight[0] < 0 || weight[1] < 0 || weight[2] < 0) continue;
        const double z = weight[1] * a.z + weight[2] * b.z + weight[0] * c.z;
        double& nearest = nearest_[idx(y * side_ + x)];
        if (z <= nearest) continue;
        nearest = z;
        double share = face.shade;
        for (std::size_t k = 0; k < 3; ++k) {
          const double distance = weight[k] * per_pixel[k];
          if (distance < (face.border[k] ? line_width : line_width / 2))
            share = std::min(share, face.shade * (face.border[k] ? border_share : inner_share));
        }
        Colour& pixel = fine_.at(x, y);
        for (std::size_t k = 0; k < 3; ++k)
          pixel[k] = static_cast<std::uint8_t>(std::lround(share * static_cast<double>(colour[k])));
      }
    }
  }

  [[nodiscard]] std::pair<Size, Size> range(double a, double b, double c) const {
    const auto low = static_cast<Size>(std::floor(std::min({a, b, c})));
    const auto high = static_cast<Size>(std::ceil(std::max({a, b, c})));
    return {std::max<Size>(low, 0), std::min<Size>(high, side_ - 1)};
  }

  [[nodiscard]] Image averaged() const {
    const Size size = side_ / samples;
    Image image(size, size);
    for (Size y = 0; y < size; ++y) {
      for (Size x = 0; x < size; ++x) {
        std::array<Size, 3> sum{};
        for (Size k = 0; k < samples * samples; ++k) {
          const Colour& part = fine_.at(samples * x + k % samples, samples * y + k / samples);
          for (std::size_t c = 0; c < 3; ++c) sum[c] += part[c];
        }
        for (std::size_t c = 0; c < 3; ++c)
          image.at(x, y)[c] = static_cast<std::uint8_t>(sum[c] / (samples * samples));
      }
    }
    return image;
  }

  const TriangleMesh& mesh_;
  std::span<const Colour> colours_;
  HalfEdges half_edges_;
  Size side_;
  Image fine_;
  std::vector<double> nearest_;
  std::vector<Vec3> placed_;
};

}  // namespace

Image draw_mesh(const TriangleMesh& mesh, std::span<const Colour> colours, const MeshView& view) {
  if (static_cast<Size>(colours.size()) != mesh.num_faces()) {
    throw ShapeError(fmt::format("mesh view: {} colours for {} faces; expected one each", colours.size(),
                                 mesh.num_faces()));
  }
  return Painter(mesh, colours, view).draw();
}

}  // namespace tarn::plot
