#pragma once

#include "tarn/graph/healpix/rotation.hpp"

#include <cstdint>

namespace tarn::healpix {

/// A map made from an image.
struct ProjectedImage {
  std::vector<double> map;         ///< [P]
  std::vector<std::int32_t> hits;  ///< [P] rays that met each pixel, or 1 where the image lies
};

/// `healpix-project-image`: casts rays from the centre of the sphere through an image and takes for each
/// pixel the mean over the rays that meet it, 0 where none does.
///
/// Rows of the image run along theta, the first one northmost; columns along phi, the first one at
/// +delta_phi / 2: upright as seen from the centre. The image is centred at theta = 90, phi = 0 degrees and
/// then turned. Rays lie half a pixel's width apart, ends included; each takes the nearest number of the
/// image. Directions are made once; may be used by several threads at once. Krachmalnicoff & Tomasi 2019,
/// arXiv 1902.04083; as their code for square images, where that leaves out no row.
class ImageProjector {
 public:
  /// Angles in degrees. Throws ValueError unless 0 < delta <= 180 and the image has numbers.
  ImageProjector(const Grid& grid, Ordering ordering, Size height, Size width, double delta_theta,
                 double delta_phi);

  [[nodiscard]] Size num_rays() const { return static_cast<Size>(rays_.size()); }
  /// image [height, width]. Throws ShapeError for another size.
  [[nodiscard]] ProjectedImage operator()(std::span<const double> image, const Rotation& rotation) const;

 private:
  struct Ray {
    Vector direction;
    Size place;  ///< of its number in the image
  };
  Grid grid_;
  Ordering ordering_;
  Size height_, width_;
  std::vector<Ray> rays_;
};

struct PlanarOptions {
  double theta_c = 90;  ///< centre, degrees
  double phi_c = 0;
  double delta_theta = 100;  ///< size, degrees
  double delta_phi = 100;
};

/// `healpix-project-planar`: pixels inside a rectangle in theta and phi take the nearest number of an image
/// [height, width] spread over it, all others 0. The same way round as ImageProjector. `hits` is 1 inside.
/// Throws ShapeError for an image of another size, ValueError for an empty one, sizes outside (0, 180] and
/// centres that are not finite.
[[nodiscard]] ProjectedImage project_planar(const Grid& grid, Ordering ordering,
                                            std::span<const double> image, Size height, Size width,
                                            const PlanarOptions& options);

}  // namespace tarn::healpix
