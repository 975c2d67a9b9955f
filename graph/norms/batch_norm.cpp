#include "tarn/graph/norms/batch_norm.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

NodeBatchNorm::NodeBatchNorm(const Options& o)
    : Norm("batch-norm", o.channels),
      norm_(child("", std::make_unique<BatchNorm>(
                          o.channels,
                          BatchNorm::Settings{.eps = o.eps,
                                              .momentum = o.momentum,
                                              .affine = o.affine ? Affine::yes : Affine::no,
                                              .single_row = o.allow_single_element ? SingleRow::use_running
                                                                                   : SingleRow::refuse}))) {
  check_options(o, name());
}

Var NodeBatchNorm::normalize(Var x, const Segments&, Activation activation) {
  return norm_.forward(x, activation, name());
}

}  // namespace TARN_PRECISION
}  // namespace tarn
