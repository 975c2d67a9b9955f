#include "tarn/graph/mesh/dual_primal_up_conv.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"

#include <array>
#include <string>

namespace tarn {
inline namespace TARN_PRECISION {

namespace {

DualPrimalWidths second_in(const DualPrimalUpConvOptions& o) {
  const Size times = o.concat_data_from_before_pooling ? 2 : 1;
  return {times * o.out_channels_primal, times * o.out_channels_dual};
}

Var beside(Var a, Var b) {
  return concat_columns(std::array{a, b});
}

}  // namespace

DualPrimalUpConv::DualPrimalUpConv(const Options& o)
    : concat_(o.concat_data_from_before_pooling),
      first_(add_stage("1", {o.in_channels_primal, o.in_channels_dual}, o)),
      unpool_(
          child("unpool", std::make_unique<DualPrimalEdgeUnpool>(EdgeUnpoolOptions{o.out_channels_dual}))),
      second_(add_stage("2", second_in(o), o)) {}

DualPrimalUpConv::Stage DualPrimalUpConv::add_stage(const char* number, const DualPrimalWidths& in,
                                                    const Options& o) {
  DualPrimalConvOptions conv;
  conv.configuration = o.configuration;
  conv.in_channels_primal = in.primal;
  conv.in_channels_dual = in.dual;
  conv.out_channels_primal = o.out_channels_primal;
  conv.out_channels_dual = o.out_channels_dual;
  conv.concat_primal = conv.concat_dual = false;
  const std::string n = number;
  const BatchNorm::Settings norm{.single_row = SingleRow::bias_alone};
  return {child("conv" + n, std::make_unique<DualPrimalConv>(conv)),
          child("bn_primal" + n, std::make_unique<BatchNorm>(o.out_channels_primal, norm)),
          child("bn_dual" + n, std::make_unique<BatchNorm>(o.out_channels_dual, norm))};
}

MeshLayerResult DualPrimalUpConv::Stage::forward(const DualPrimal& in) const {
  DualPrimalOutput out = conv.forward(in);
  out.x = primal.forward(out.x, Activation::relu);
  out.x_dual = dual.forward(out.x_dual, Activation::relu);
  return out.on(in.graph);
}

MeshLayerResult DualPrimalUpConv::apply(const MeshLayerInput& in) {
  if (!in.record) throw ShapeError("dual-primal-up-conv: no record given; expected that of a pool");
  DualPrimal unpooled = unpool_.forward(first_.forward(in.features).features, *in.record, in.before.graph);
  if (concat_) {
    unpooled.x = beside(unpooled.x, in.before.x);
    unpooled.x_dual = beside(unpooled.x_dual, in.before.x_dual);
  }
  return second_.forward(unpooled);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
