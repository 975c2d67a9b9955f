#include "tarn/experiments/graph_supply.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

GraphSupply::GraphSupply(const Readout* readout, Size num_texts, Size budget_mb) {
  const TokenGraphOptions* options = readout == nullptr ? nullptr : readout->token_graph_options();
  if (options == nullptr) return;
  for (Size s = 0; s < num_texts; ++s) caches_.emplace_back(*options, budget_mb / num_texts);
}

TextModel::Graphs GraphSupply::graphs(const TextBatch& batch, Size first_key) {
  TextModel::Graphs result{};
  if (caches_.empty()) return result;
  keys_.clear();
  for (const Size row : batch.rows) keys_.push_back(first_key + row);
  for (std::size_t s = 0; s < caches_.size(); ++s) {
    result[s] = &caches_[s].batch(keys_, batch.x[s], batch.sets[s]);
  }
  return result;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
