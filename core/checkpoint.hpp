#pragma once

#include "tarn/core/module.hpp"
#include "tarn/core/optimiser.hpp"

#include <filesystem>
#include <string>

namespace tarn {
inline namespace TARN_PRECISION {

/// Writes the parameters and state of a module, and the moments and step count of its optimiser where one is
/// given, into an HDF5 file: /parameters/NAME, /optimiser/NAME, attributes `format` (tarn-checkpoint),
/// `version` and `meta`, a text of the caller's own. The file appears whole or not at all; numbers keep their
/// bits.
void save_checkpoint(const std::filesystem::path& path, Module& module, Optimiser* optimiser,
                     const std::string& meta);

/// The text that was saved beside the parameters. Throws IoError if the file cannot be opened, DataError if
/// it is no checkpoint.
[[nodiscard]] std::string read_checkpoint_meta(const std::filesystem::path& path);

/// Sets a module, and an optimiser where one is given, to what was saved; returns the meta text. Throws
/// DataError, naming the file and the tensor, where a tensor is missing, unknown or of another shape.
std::string load_checkpoint(const std::filesystem::path& path, Module& module, Optimiser* optimiser);

/// Sets a module to what was saved as a part of another: the tensors whose names begin with `prefix`
/// ("readout."). Throws as `load_checkpoint` does.
void load_checkpoint_part(const std::filesystem::path& path, const std::string& prefix, Module& module);

}  // namespace TARN_PRECISION
}  // namespace tarn
