#include "tarn/graph/builders/token_graph_cache.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

namespace tarn {
inline namespace TARN_PRECISION {

namespace {

constexpr Size megabyte = Size{1} << 20;

Size bytes_of(const TokenGraph& text) {
  return text.graph.bytes() + static_cast<Size>(text.cosine.capacity() * sizeof(Real) + sizeof(TokenGraph));
}

}  // namespace

TokenGraphCache::TokenGraphCache(const TokenGraphOptions& options, Size budget_mb)
    : options_(options), budget_bytes_(budget_mb * megabyte) {
  check_options(options, "token-graph");
  if (budget_mb < 0)
    throw ValueError(fmt::format("graph_cache_mb: got {}; expected a whole number of at least 0", budget_mb));
}

const TokenGraph& TokenGraphCache::batch(std::span<const Size> texts, ConstMatrixView x,
                                         const Segments& sets) {
  sets.require_cover("token-graph", x.rows);
  if (static_cast<Size>(texts.size()) != sets.count()) {
    throw ShapeError(
        fmt::format("token-graph: {} texts for {} sets; expected one per set", texts.size(), sets.count()));
  }
  collect_kept(texts, sets);
  if (!missing_.empty()) build_missing(texts, x, sets);

  parts_.clear();
  joined_.cosine.clear();
  for (const TokenGraph* text : found_) {
    parts_.push_back(text->graph);
    joined_.cosine.insert(joined_.cosine.end(), text->cosine.begin(), text->cosine.end());
  }
  joined_.graph = Graph();
  joined_.graph = joiner_.join(parts_);
  built_.clear();
  return joined_;
}

void TokenGraphCache::collect_kept(std::span<const Size> texts, const Segments& sets) {
  found_.assign(texts.size(), nullptr);
  missing_.clear();
  for (std::size_t b = 0; b < texts.size(); ++b) {
    const auto set = static_cast<Size>(b);
    const auto kept = kept_.find(texts[b]);
    if (kept == kept_.end()) {
      missing_.push_back(set);
      continue;
    }
    found_[b] = &kept->second;
    const Size tokens = kept->second.graph.num_nodes();
    if (tokens == sets.size(set)) continue;
    throw ShapeError(
        fmt::format("token-graph: text {} has {} tokens; expected {} as when its graph was built", texts[b],
                    sets.size(set), tokens));
  }
}

void TokenGraphCache::build_missing(std::span<const Size> texts, ConstMatrixView x, const Segments& sets) {
  built_ = token_graph_each(x, sets, missing_, options_);
  for (std::size_t m = 0; m < missing_.size(); ++m) {
    const auto b = static_cast<std::size_t>(missing_[m]);
    // A text that stands twice in a batch is kept once.
    const auto [kept, is_new] = kept_.try_emplace(texts[b]);
    if (is_new) {
      static_cast<void>(built_[m].graph.outgoing());  // joins copy both directions: part of what is kept
      const Size bytes = bytes_of(built_[m]);
      if (kept_bytes_ + bytes > budget_bytes_) {
        kept_.erase(kept);
        found_[b] = &built_[m];
        continue;
      }
      kept_bytes_ += bytes;
      kept->second = std::move(built_[m]);
    }
    found_[b] = &kept->second;
  }
}

}  // namespace TARN_PRECISION
}  // namespace tarn
