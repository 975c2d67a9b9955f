#include "tarn/graph/mesh/dual_primal_res_conv.hpp"

#include "tarn/core/ops/elementwise.hpp"

#include <fmt/format.h>

namespace tarn {

DualPrimalConvOptions next_in_stack(const DualPrimalLayerOptions& first) {
  DualPrimalConvOptions next = first;
  next.in_channels_primal = first.out().primal;
  next.in_channels_dual = first.out().dual;
  return next;
}

inline namespace TARN_PRECISION {

DualPrimalResConv::DualPrimalResConv(const Options& o) {
  convs_.push_back(&child("conv0", std::make_unique<DualPrimalConv>(o)));
  const BatchNorm::Settings settings{.single_row = SingleRow::bias_alone};
  for (Size k = 1; k <= o.num_skips; ++k) {
    primal_norms_.push_back(
        &child(fmt::format("bn{}_primal", k), std::make_unique<BatchNorm>(o.out().primal, settings)));
    dual_norms_.push_back(
        &child(fmt::format("bn{}_dual", k), std::make_unique<BatchNorm>(o.out().dual, settings)));
    convs_.push_back(&child(fmt::format("conv{}", k), std::make_unique<DualPrimalConv>(next_in_stack(o))));
  }
}

DualPrimalOutput DualPrimalResConv::forward(const DualPrimal& in) {
  const DualPrimalOutput first = convs_[0]->forward(in);
  DualPrimalOutput out = first;
  for (std::size_t k = 1; k < convs_.size(); ++k) {
    const Var x = out.x.given() ? primal_norms_[k - 1]->forward(out.x) : Var{};
    out = convs_[k]->forward({.x = x, .x_dual = dual_norms_[k - 1]->forward(out.x_dual), .graph = in.graph});
  }
  if (convs_.size() == 1) return out;
  if (out.x.given()) out.x = add(out.x, first.x);
  out.x_dual = add(out.x_dual, first.x_dual);
  return out;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
