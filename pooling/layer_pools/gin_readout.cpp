#include "tarn/pooling/layer_pools/gin_readout.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/segment.hpp"
#include "tarn/core/ops/segment_first_max.hpp"

#include <fmt/format.h>

#include <numeric>

namespace tarn {
inline namespace TARN_PRECISION {

GinReadout::GinReadout(const Options& o) : o_(o), widths_(o.widths("gin-readout")) {
  check_options(o, "gin-readout");
  const Size side_by_side = std::accumulate(widths_.begin(), widths_.end(), Size{0});
  if (o.combine == LayerCombine::concat) {
    if (o.out_channels.value_or(side_by_side) != side_by_side) {
      throw ConfigError(
          fmt::format("gin-readout.out_channels: got {} with combine concat; expected {} or null",
                      *o.out_channels, side_by_side));
    }
    out_dim_ = side_by_side;
    return;
  }
  if (!o.out_channels)
    throw ConfigError("gin-readout.out_channels: got none with combine sum; expected a number");
  out_dim_ = *o.out_channels;
  for (std::size_t l = 0; l < widths_.size(); ++l) {
    predictions_.push_back(
        &child(fmt::format("prediction.{}", l), std::make_unique<Linear>(widths_[l], out_dim_)));
  }
}

LayerPooled GinReadout::forward(const HistoryInput& in) {
  require_history("gin-readout", in, widths_);
  std::vector<Var> pooled;
  for (const Var& x : in.layers) {
    pooled.push_back(
        o_.readout == LayerReadout::max
            ? segment_first_max(x, in.sets)
            : segment_reduce(x, in.sets, o_.readout == LayerReadout::sum ? Reduce::sum : Reduce::mean));
  }
  if (o_.combine == LayerCombine::concat) return {concat_columns(pooled)};
  Var y;
  for (std::size_t l = 0; l < pooled.size(); ++l) {
    const Var part = dropout(predictions_[l]->forward(pooled[l]), o_.dropout);  // [B, C]
    y = l == 0 ? part : add(y, part);
  }
  return {y};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
