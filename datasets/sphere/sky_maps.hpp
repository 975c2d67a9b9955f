#pragma once

#include "tarn/graph/healpix/sky.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace tarn {

/// Maps on the same pixels of the sphere, and numbers that are known of each.
struct SkyMaps {
  healpix::Sky sky{healpix::Grid(1)};
  std::vector<std::string> channels;  ///< names: "T", "Q", "U"
  std::vector<std::string> units;     ///< one per channel, "" where none is known
  std::vector<double> values;         ///< [B, P, C], rows of a map by the sky's pixels
  std::vector<std::string> targets;   ///< names of the numbers, such as "l_p"; may be empty
  std::vector<double> target_values;  ///< [B, T]

  [[nodiscard]] Size num_channels() const { return static_cast<Size>(channels.size()); }
  [[nodiscard]] Size num_targets() const { return static_cast<Size>(targets.size()); }
  /// B; a sky without pixels has no maps.
  [[nodiscard]] Size num_maps() const;
};

// A set of maps as one HDF5 file. Root attributes: `format` (tarn-sky-store), `version` (1), `nside`,
// `ordering` (nest or ring), `channels`, `units`, `targets` (lists of text). Data sets: `maps` [B, P, C],
// float32 where that loses nothing, else float64; `pixels` [P], ascending, of a partial sky; `target_values`
// [B, T] where there are targets.

/// Throws IoError; the file appears whole or not at all.
void write_sky_store(const std::filesystem::path& path, const SkyMaps& maps);
/// Throws IoError if it cannot be opened, DataError naming the data set and what breaks the format.
[[nodiscard]] SkyMaps read_sky_store(const std::filesystem::path& path);
/// True for an HDF5 file whose `format` says that it is one.
[[nodiscard]] bool is_sky_store(const std::filesystem::path& path);

/// Maps of a FITS file, one from each binary table that is a HEALPix map, a channel from each column.
///
/// Full skies (INDXSCHM = IMPLICIT, as healpy and healpix_cxx write them) and lists of pixels (EXPLICIT),
/// both orderings, any numeric type. A pixel that is UNSEEN (-1.6375e30), null or not finite in any channel
/// of any map is left out of the sky. Names and units come from TTYPEn and TUNITn. Throws IoError for a file
/// that is no FITS file, DataError, naming file, table and column, for one without a HEALPix map, an NSIDE
/// that is no power of two, an ORDERING that is neither RING nor NESTED, columns of other lengths, pixels out
/// of range or twice, and tables that do not go together. After the convention of Gorski et al. 2005,
/// astro-ph/0409513.
[[nodiscard]] SkyMaps read_fits_maps(const std::filesystem::path& path);
/// A table for each map, in double precision: a full sky IMPLICIT, a partial one EXPLICIT. Targets are
/// written as keywords TGTNAMn and TGTVALn. Throws IoError; the file appears whole or not at all.
void write_fits_maps(const std::filesystem::path& path, const SkyMaps& maps);
/// True for a file that begins as FITS files do.
[[nodiscard]] bool is_fits_file(const std::filesystem::path& path);

/// What a set holds, many lines: resolution, part of the sky, and for each channel and target its range, mean
/// and deviation.
[[nodiscard]] std::string describe_sky_maps(const SkyMaps& maps);

}  // namespace tarn
