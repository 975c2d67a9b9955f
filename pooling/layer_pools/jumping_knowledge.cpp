#include "tarn/pooling/layer_pools/jumping_knowledge.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/segment_pool.hpp"

#include <fmt/format.h>

#include <numeric>

namespace tarn {
inline namespace TARN_PRECISION {

LayerJump::LayerJump(const Options& o) : o_(o), widths_(o.widths("jumping-knowledge")) {
  check_options(o, "jumping-knowledge");
  if (o.mode != KnowledgeMode::cat) {
    const std::string_view mode = enum_names(o.mode)[static_cast<std::size_t>(o.mode)];
    require_equal_widths("jumping-knowledge", widths_, fmt::format(" with mode {}", mode));
  }
  if (o.mode != KnowledgeMode::lstm) return;
  if (hidden_width() < 1) {
    throw ConfigError(
        "jumping-knowledge.mode: got lstm for one layer of width 1; expected layers * width of at least 2");
  }
  lstm_ = &child(
      "lstm", std::make_unique<RecurrentStack>(Cell::lstm, widths_[0], hidden_width(), 1, Directions::both));
  att_ = &child("att", std::make_unique<Linear>(2 * hidden_width(), 1));
}

Size LayerJump::out_dim() const {
  return o_.mode == KnowledgeMode::cat ? std::accumulate(widths_.begin(), widths_.end(), Size{0})
                                       : widths_[0];
}

LayerPooled LayerJump::weigh_by_lstm(const HistoryInput& in) {
  const Size nodes = in.sets.num_rows();
  const Segments layers_of_nodes = Segments::uniform(nodes, o_.layers);
  // Side by side, the layers of a node are a set of L rows.
  const Var rows = reshape(concat_columns(in.layers), {nodes * o_.layers, widths_[0]});  // [N L, D]
  const PooledRows pooled =
      segment_pool(att_->forward(lstm_->forward(rows, layers_of_nodes)), {&rows, 1}, layers_of_nodes);
  return {pooled.y};
}

LayerPooled LayerJump::forward(const HistoryInput& in) {
  require_history("jumping-knowledge", in, widths_);
  switch (o_.mode) {
    case KnowledgeMode::cat:
      return {concat_columns(in.layers)};
    case KnowledgeMode::max:
      return {maximum(in.layers)};
    case KnowledgeMode::mean:
      return {average(in.layers)};
    case KnowledgeMode::sum:
      return {scale(average(in.layers), static_cast<double>(in.layers.size()))};
    case KnowledgeMode::last:
      return {in.layers.back()};
    case KnowledgeMode::lstm:
      break;
  }
  return weigh_by_lstm(in);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
