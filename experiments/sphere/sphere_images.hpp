#pragma once

#include "tarn/datasets/idx_files.hpp"
#include "tarn/experiments/sphere/sphere_options.hpp"

#include <filesystem>
#include <string>

namespace tarn {

/// A folder or file of a data set: `path` if it is not empty; else NAME in the folder of TARN_DATA, then in
/// ../shared/data. Throws IoError, saying where it looked, if it is in none.
[[nodiscard]] std::filesystem::path find_sphere_data(const std::string& path, const std::string& name);

/// Images of both parts of a set.
struct ImageSource {
  LabelledImages train, test;
};

/// Throws as `read_labelled_images` does, and DataError for images of different sizes.
[[nodiscard]] ImageSource read_image_source(const SphereImageDataOptions& options);

/// What lies on the sphere of one size of images.
struct SphereImages {
  SphereSplits splits;
  double coverage = 0;  ///< share of the sphere that an image covers
};

/// Projects images onto maps in [0, 1]: training images are the first `train`, validation images the last
/// `validation` of the training file, test images the first `test`. Projection c of image i is turned by a
/// rotation that depends on the seed, the part, i and c alone. Throws ConfigError for more images than there
/// are.
[[nodiscard]] SphereImages project_images(const ImageSource& source, const SphereImageDataOptions& options,
                                          SphereProtocol protocol, double size);

}  // namespace tarn
