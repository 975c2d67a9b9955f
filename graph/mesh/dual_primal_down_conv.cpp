#include "tarn/graph/mesh/dual_primal_down_conv.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/group_norm.hpp"
#include "tarn/core/ops/set_norm.hpp"

#include <fmt/format.h>

namespace tarn {

EdgePoolOptions DownBlockOptions::pool() const {
  EdgePoolOptions o;
  static_cast<PoolAmount&>(o) = *this;
  static_cast<EdgePoolRules&>(o) = *this;
  o.configuration = configuration;
  o.aggr_primal_features = aggr_primal_features;
  o.aggr_dual_features = aggr_dual_features;
  o.dual_self_loops = dual_self_loops;
  return o;
}

inline namespace TARN_PRECISION {

DownBlock::DownBlock(const char* name, const DownBlockOptions& options) : options_(options) {
  check_pool_amount(name, options, options, AmountNeeded::no);
}

MeshLayerResult DownBlock::apply(const MeshLayerInput& in) {
  MeshLayerResult result = convolve(in.features).on(in.features.graph);
  result.before = result.features;
  if (options_.given() == 0) return result;
  PooledDualPrimal pooled = pool_edges(result.features, result.attention, options_.pool());
  result.features = pooled.pooled;
  result.record = std::move(pooled.record);
  return result;
}

/// Group norm or batch norm, then relu. Parameters: weight, bias, and running state for batch norm.
class DualPrimalResDownConv::NormRelu final : public Module {
 public:
  NormRelu(const char* name, NormLayer kind, Size channels, Size groups)
      : kind_(kind),
        groups_(groups),
        weight_(parameter("weight", {channels}, constant(1))),
        bias_(parameter("bias", {channels}, constant(0))) {
    if (kind == NormLayer::batch_norm) {
      running_mean_ = &state_tensor("running_mean", {channels}, 0);
      running_var_ = &state_tensor("running_var", {channels}, 1);
    } else if (channels % groups != 0) {
      throw ConfigError(
          fmt::format("dual-primal-res-down-conv.num_groups_norm_layer: got {} for the {} channels of {}; "
                      "expected a divisor",
                      groups, channels, name));
    }
  }

  Var forward(Var x) {
    Tape& tape = x.tape();
    const Var weight = tape.parameter(weight_), bias = tape.parameter(bias_);
    if (kind_ == NormLayer::group_norm) return group_norm(x, weight, bias, groups_, 1e-5, Activation::relu);
    const BatchNormState state{
        .running_mean = *running_mean_, .running_var = *running_var_, .single_row = SingleRow::bias_alone};
    return batch_norm(x, weight, bias, state, Activation::relu);
  }

 private:
  NormLayer kind_;
  Size groups_;
  Parameter& weight_;
  Parameter& bias_;
  Parameter* running_mean_ = nullptr;
  Parameter* running_var_ = nullptr;
};

namespace {

DualPrimalResConvOptions res_options(const DualPrimalResDownConvOptions& o) {
  DualPrimalResConvOptions result;
  static_cast<DualPrimalLayerOptions&>(result) = o;
  result.num_skips = o.num_res_blocks;
  return result;
}

}  // namespace

DualPrimalResDownConv::DualPrimalResDownConv(const Options& o)
    : DownBlock("dual-primal-res-down-conv", o),
      conv_(child("conv", std::make_unique<DualPrimalResConv>(res_options(o)))) {
  if (o.norm_layer_type == NormLayer::none) return;
  const auto add = [&](const char* name, Size channels) {
    return &child(name,
                  std::make_unique<NormRelu>(name, o.norm_layer_type, channels, o.num_groups_norm_layer));
  };
  norm_primal_ = add("norm_primal", o.out().primal);
  norm_dual_ = add("norm_dual", o.out().dual);
}

DualPrimalOutput DualPrimalResDownConv::convolve(const DualPrimal& in) {
  DualPrimalOutput out = conv_.forward(in);
  if (norm_dual_ == nullptr) return out;
  if (out.x.given()) out.x = norm_primal_->forward(out.x);
  out.x_dual = norm_dual_->forward(out.x_dual);
  return out;
}

DualPrimalDownConv::DualPrimalDownConv(const Options& o)
    : DownBlock("dual-primal-down-conv", o), per_mesh_(o.per_mesh) {
  convs_.push_back(&child("conv0", std::make_unique<DualPrimalConv>(o)));
  for (Size k = 1; k <= o.num_skips; ++k) {
    convs_.push_back(&child(fmt::format("conv{}", k), std::make_unique<DualPrimalConv>(next_in_stack(o))));
  }
}

DualPrimalOutput DualPrimalDownConv::convolve(const DualPrimal& in) {
  const auto sets_of = [this](Var x, const Segments& meshes) {
    return per_mesh_ ? meshes : Segments::uniform(1, x.rows());
  };
  const Segments primal = in.x.given() ? sets_of(in.x, in.graph.sets()) : Segments();
  const Segments dual = sets_of(in.x_dual, in.graph.dual_sets());
  DualPrimalOutput out = convs_[0]->forward(in);
  const SetNorm first{.activation = Activation::relu};
  if (out.x.given()) out.x = normalize_sets(out.x, primal, first);
  out.x_dual = normalize_sets(out.x_dual, dual, first);
  for (std::size_t k = 1; k < convs_.size(); ++k) {
    const DualPrimalOutput before = out;
    out = convs_[k]->forward({.x = before.x, .x_dual = before.x_dual, .graph = in.graph});
    if (out.x.given()) out.x = relu(add(normalize_sets(out.x, primal, SetNorm{}), before.x));
    out.x_dual = relu(add(normalize_sets(out.x_dual, dual, SetNorm{}), before.x_dual));
  }
  return out;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
