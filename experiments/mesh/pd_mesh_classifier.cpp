#include "tarn/experiments/mesh/pd_mesh_classifier.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/segment.hpp"
#include "tarn/experiments/mesh/network_blocks.hpp"

#include <fmt/format.h>

namespace tarn {
inline namespace TARN_PRECISION {

PdMeshClassifier::PdMeshClassifier(const Options& o)
    : MeshNetwork(o.weight_initialization_type, o.weight_initialization_gain),
      readout_(o.readout),
      dropout_fc_(o.dropout_fc) {
  check_widths(o, "pd-mesh-classifier");
  const std::vector<PoolAmount> amounts = pool_amounts(o, o.conv_dual_out_res.size(), "pd-mesh-classifier");
  DualPrimalWidths width{o.in_channels_primal, o.in_channels_dual};
  for (std::size_t i = 0; i < amounts.size(); ++i) {
    const auto block = res_down_options(o, {.i = i, .heads = o.heads, .in = width}, amounts[i], {});
    blocks_.push_back(&child(fmt::format("block{}", i), std::make_unique<DualPrimalResDownConv>(block)));
    width = blocks_.back()->out();
  }
  const Size read = o.readout == MeshReadout::dual     ? width.dual
                    : o.readout == MeshReadout::primal ? width.primal
                                                       : width.primal + width.dual;
  fc1_ = &child("fc1", std::make_unique<Linear>(read, o.num_output_units_fc));
  fc2_ = &child("fc2", std::make_unique<Linear>(o.num_output_units_fc, o.num_classes));
}

Var PdMeshClassifier::forward(const DualPrimal& in) {
  start_pass();
  DualPrimal features = in;
  if (readout_ == MeshReadout::dual) features.x = {};
  for (DualPrimalResDownConv* block : blocks_) {
    const MeshLayerResult result = block->apply({.features = features});
    note_pool(result);
    features = result.features;
  }
  std::vector<Var> read;
  if (readout_ != MeshReadout::dual)
    read.push_back(segment_reduce(features.x, features.graph.sets(), Reduce::mean));
  if (readout_ != MeshReadout::primal) {
    read.push_back(segment_reduce(features.x_dual, features.graph.dual_sets(), Reduce::mean));
  }
  return fc2_->forward(dropout(fc1_->forward(read, Activation::relu), dropout_fc_));
}

}  // namespace TARN_PRECISION
}  // namespace tarn
