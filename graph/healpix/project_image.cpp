#include "tarn/graph/healpix/project_image.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tarn::healpix {

namespace {

constexpr double pi = std::numbers::pi;
constexpr double degree = pi / 180;

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

void require_size(const char* where, const char* name, double value) {
  if (value > 0 && value <= 180) return;
  throw ValueError(fmt::format("{}.{}: got {}; expected degrees in (0, 180]", where, name, value));
}

void require_image(const char* where, Size height, Size width) {
  if (height >= 1 && width >= 1) return;
  throw ValueError(
      fmt::format("{}: image is [{}, {}]; expected at least one row and one column", where, height, width));
}

void require_numbers(const char* where, std::size_t got, Size height, Size width) {
  if (static_cast<Size>(got) == height * width) return;
  throw ShapeError(fmt::format("{}: image has {} numbers; expected {} x {}", where, got, height, width));
}

/// Value i of n from `first` to `last`, both included; the first for n = 1.
double grid_value(double first, double last, Size i, Size n) {
  if (n == 1) return first;
  return i == n - 1 ? last : first + static_cast<double>(i) * ((last - first) / static_cast<double>(n - 1));
}

/// The nearest of `size` places to ray i of n.
Size image_place(Size i, Size n, Size size) {
  if (n == 1) return 0;
  const double place =
      static_cast<double>(i) * static_cast<double>(size - 1) / static_cast<double>(n - 1) + 0.5;
  return std::min(size - 1, static_cast<Size>(place));
}

/// Nearest of n values from -half to half, compared after rounding to 12 decimals; the first of equals.
Size nearest_value(double offset, double half, Size n) {
  Size best = 0;
  double least = HUGE_VAL;
  for (Size i = 0; i < n; ++i) {
    const double distance = std::nearbyint(std::abs(offset - grid_value(-half, half, i, n)) * 1e12);
    if (!(distance < least)) continue;
    least = distance;
    best = i;
  }
  return best;
}

}  // namespace

ImageProjector::ImageProjector(const Grid& grid, Ordering ordering, Size height, Size width,
                               double delta_theta, double delta_phi)
    : grid_(grid), ordering_(ordering), height_(height), width_(width) {
  const char* where = "healpix-project-image";
  require_size(where, "delta_theta", delta_theta);
  require_size(where, "delta_phi", delta_phi);
  require_image(where, height, width);
  const double theta_size = delta_theta * degree, phi_size = delta_phi * degree;
  const double step = 0.5 * std::sqrt(4 * pi / static_cast<double>(grid.num_pixels()));
  const Size rows = std::max<Size>(1, static_cast<Size>(theta_size / step));
  const Size columns = std::max<Size>(1, static_cast<Size>(phi_size / step));
  rays_.reserve(at(rows * columns));
  for (Size i = 0; i < columns; ++i) {
    const double phi = grid_value(phi_size / 2, -phi_size / 2, i, columns);
    for (Size j = 0; j < rows; ++j) {
      const double theta = grid_value((pi - theta_size) / 2, (pi + theta_size) / 2, j, rows);
      rays_.push_back({{std::sin(theta) * std::cos(phi), std::sin(theta) * std::sin(phi), std::cos(theta)},
                       image_place(j, rows, height) * width + image_place(i, columns, width)});
    }
  }
}

ProjectedImage ImageProjector::operator()(std::span<const double> image, const Rotation& rotation) const {
  require_numbers("healpix-project-image", image.size(), height_, width_);
  ProjectedImage result{std::vector<double>(at(grid_.num_pixels())),
                        std::vector<std::int32_t>(at(grid_.num_pixels()))};
  for (const Ray& ray : rays_) {
    const std::size_t pixel = at(grid_.pixel_at(rotation(ray.direction), ordering_));
    result.map[pixel] += image[at(ray.place)];
    ++result.hits[pixel];
  }
  for (std::size_t p = 0; p < result.map.size(); ++p) {
    if (result.hits[p] > 0) result.map[p] /= result.hits[p];
  }
  return result;
}

ProjectedImage project_planar(const Grid& grid, Ordering ordering, std::span<const double> image, Size height,
                              Size width, const PlanarOptions& o) {
  const char* where = "healpix-project-planar";
  require_size(where, "delta_theta", o.delta_theta);
  require_size(where, "delta_phi", o.delta_phi);
  require_image(where, height, width);
  require_numbers(where, image.size(), height, width);
  if (!std::isfinite(o.theta_c) || !std::isfinite(o.phi_c)) {
    throw ValueError(fmt::format("{}: centre ({}, {}); expected finite degrees", where, o.theta_c, o.phi_c));
  }
  const double theta_half = o.delta_theta * degree / 2, phi_half = o.delta_phi * degree / 2;
  constexpr double slack = 1e-12;
  ProjectedImage result{std::vector<double>(at(grid.num_pixels())),
                        std::vector<std::int32_t>(at(grid.num_pixels()))};
  for_blocks(grid.num_pixels(), 1024, [&](Size begin, Size end) {
    for (Size p = begin; p < end; ++p) {
      const Angles a = grid.angles(p, ordering);
      const double theta = a.theta - o.theta_c * degree;
      const double phi = std::remainder(a.phi - o.phi_c * degree, 2 * pi);
      if (std::abs(theta) > theta_half + slack || std::abs(phi) > phi_half + slack) continue;
      const Size row = nearest_value(theta, theta_half, height);
      // Columns run against phi.
      const Size column = width - 1 - nearest_value(phi, phi_half, width);
      result.map[at(p)] = image[at(row * width + column)];
      result.hits[at(p)] = 1;
    }
  });
  return result;
}

}  // namespace tarn::healpix
