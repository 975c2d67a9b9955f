#pragma once

#include "tarn/pooling/readouts/readout.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace tarn {

/// What a checkpoint says of the readout in it, so that it can be used without the run it came from: the
/// entry `model` of its meta text, a JSON object.
struct ReadoutRecord {
  std::string readout;         ///< its name
  Value options;               ///< its options, a table
  Size dim = 0;                ///< width of the states
  std::string layer = "last";  ///< which layers of a store, as LayerSelection::parse takes it

  [[nodiscard]] Value value() const;
};

/// Throws IoError if the file cannot be opened, DataError if it is no checkpoint or tells of no readout.
[[nodiscard]] ReadoutRecord read_readout_record(const std::filesystem::path& checkpoint);

inline namespace TARN_PRECISION {

/// The readout of a model whose child `readout` it is, with the parameters that were saved. Throws as above,
/// and ConfigError if this program knows no readout of that name.
[[nodiscard]] std::unique_ptr<Readout> load_readout(const std::filesystem::path& checkpoint);

}  // namespace TARN_PRECISION
}  // namespace tarn
