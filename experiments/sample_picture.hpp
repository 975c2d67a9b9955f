#pragma once

#include "tarn/core/tensor.hpp"
#include "tarn/core/value.hpp"
#include "tarn/datasets/token_store.hpp"

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace tarn {

/// A trained readout to be drawn: its name and its checkpoint, which need not be there.
struct SampleReadout {
  std::string name;
  std::filesystem::path checkpoint;
};

inline namespace TARN_PRECISION {

/// One text with its states, as the report draws it.
struct SampleText {
  Tensor x;                         ///< [n, D]
  std::vector<std::string> tokens;  ///< n names
  std::vector<Size> marked;         ///< rows to be marked: the clause of a stress text
  double label = 0;
};

/// A row of a store; tokens without a vocabulary are "?", and what the exporter marked is marked.
[[nodiscard]] SampleText read_sample(const TokenSplit& split, Size row, const LayerSelection& layers);

/// What sample.json holds of a text: the weights that trained readouts give its tokens, and the cosines of
/// its tokens and of what readouts make of them ([MEAN], [MAX] and each trained one). A readout stands there
/// as the mean of the tokens by its weights: its own vector may have another width.
[[nodiscard]] Value sample_picture(const SampleText& text, std::span<const SampleReadout> readouts,
                                   const std::string& title);

}  // namespace TARN_PRECISION
}  // namespace tarn
