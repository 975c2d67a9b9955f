#pragma once

#include "tarn/experiments/sphere/sphere_run.hpp"

#include <string>
#include <vector>

namespace tarn {

struct SpherePicture {
  std::string file;     ///< "maps-1.svg"
  std::string caption;  ///< one sentence
  std::string svg;
};

/// Mollweide maps of test maps, for the first seed of the first readout of each column: images with what they
/// were read as; fields with the field that the same random numbers give at the parameter that was read, and
/// what is left between both. For fields also the error against the parameter, beside the Fisher bound; for
/// rotated images the validation accuracy beside the released log's. Trials that are not finished are left
/// out.
[[nodiscard]] std::vector<SpherePicture> sphere_pictures(const SphereRun& run);

/// Keeps them in the run directory's folder `pictures`, where the report finds them. Throws IoError.
void keep_pictures(const std::filesystem::path& run, const std::vector<SpherePicture>& pictures);

}  // namespace tarn
