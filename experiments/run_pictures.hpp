#pragma once

#include "tarn/core/real.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace tarn {

/// A picture that a trial leaves in the folder `pictures` of its run directory, for the report.
struct RunPicture {
  std::string file;                  ///< PNG or SVG inside that folder
  std::string caption;               ///< one sentence
  std::vector<std::string> columns;  ///< titles over equal parts of a PNG's width
};

/// Notes a trial's pictures as FOLDER/TRIAL.json. Throws IoError.
void write_picture_list(const std::filesystem::path& folder, const std::string& trial,
                        const std::vector<RunPicture>& pictures);

/// The pictures of a run directory by trial, none without the folder. Throws DataError for lists that
/// `write_picture_list` did not write.
[[nodiscard]] std::vector<RunPicture> read_pictures(const std::filesystem::path& run);

/// A PNG as SVG that holds its pixels, with the titles above; an SVG as it is. Throws IoError and DataError for a file
/// that cannot be used.
[[nodiscard]] std::string picture_svg(const std::filesystem::path& run, const RunPicture& picture);

}  // namespace tarn
