#pragma once

#include "tarn/experiments/text_model.hpp"
#include "tarn/graph/builders/token_graph_cache.hpp"

#include <vector>

namespace tarn {
inline namespace TARN_PRECISION {

/// The token graphs that a readout wants, kept from epoch to epoch. For one thread.
class GraphSupply {
 public:
  /// `readout` may be null or look at no graph; then there are none.
  GraphSupply(const Readout* readout, Size num_texts, Size budget_mb);
  /// Graphs of a batch, valid until the next call. Text r is known by the key first_key + r.
  [[nodiscard]] TextModel::Graphs graphs(const TextBatch& batch, Size first_key);

 private:
  std::vector<TokenGraphCache> caches_;  // one per side
  std::vector<Size> keys_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
