#include "tarn/pooling/readouts/mlp_pool.hpp"

#include "tarn/core/ops/segment.hpp"

namespace tarn {

namespace {

std::vector<Size> chain_widths(const MlpPoolOptions& o) {
  std::vector<Size> widths{o.in_channels};
  widths.insert(widths.end(), static_cast<std::size_t>(o.num_layers), o.hidden_channels);
  return widths;
}

}  // namespace

inline namespace TARN_PRECISION {

MlpPool::MlpPool(const Options& o)
    : Readout("mlp-pool", o),
      o_(o),
      mlp_(child("mlp", std::make_unique<Chain>(chain_widths(o), ChainNorm::batch_norm))) {}

Pooled MlpPool::pool(const SetInput& in) {
  return {segment_reduce(mlp_.forward(in.x, name().c_str()), in.sets, Reduce::mean)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
