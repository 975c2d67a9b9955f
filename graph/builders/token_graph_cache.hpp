#pragma once

#include "tarn/graph/builders/token_graph.hpp"

#include <unordered_map>

namespace tarn {
inline namespace TARN_PRECISION {

/// Token graphs of texts whose hidden states are frozen: the graph of a text is built the first time the text
/// is met and kept while all kept graphs fit a budget; further texts are built whenever they are met. The
/// result never depends on the budget. In a steady state within the budget a batch allocates nothing. For one
/// thread.
class TokenGraphCache {
 public:
  static constexpr Size default_budget_mb = 512;

  /// Throws ValueError for options out of range or a budget below 0.
  explicit TokenGraphCache(const TokenGraphOptions& options, Size budget_mb = default_budget_mb);

  /// The joined graph of a batch: set b of x is the text texts[b]. Valid until the next call; the graph
  /// itself is a handle and may be kept. Throws as token_graph does, and ShapeError if there is not one text
  /// per set or a text comes back with another number of tokens.
  [[nodiscard]] const TokenGraph& batch(std::span<const Size> texts, ConstMatrixView x, const Segments& sets);

  [[nodiscard]] Size num_kept() const { return static_cast<Size>(kept_.size()); }
  [[nodiscard]] Size kept_bytes() const { return kept_bytes_; }

 private:
  void collect_kept(std::span<const Size> texts, const Segments& sets);
  void build_missing(std::span<const Size> texts, ConstMatrixView x, const Segments& sets);

  TokenGraphOptions options_;
  Size budget_bytes_;
  Size kept_bytes_ = 0;
  std::unordered_map<Size, TokenGraph> kept_;
  std::vector<Size> missing_;             // sets of the batch without a kept graph
  std::vector<TokenGraph> built_;         // their graphs
  std::vector<const TokenGraph*> found_;  // [B]
  std::vector<Graph> parts_;              // [B], as the joiner takes them
  GraphJoiner joiner_;
  TokenGraph joined_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
