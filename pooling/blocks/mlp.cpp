#include "tarn/pooling/blocks/mlp.hpp"

#include "tarn/core/ops/elementwise.hpp"

#include <fmt/format.h>

namespace tarn {
inline namespace TARN_PRECISION {

Mlp::Mlp(Size in, const std::vector<Size>& channels, const MlpOptions& options)
    : o_(options), out_dim_(channels.empty() ? in : channels.back()) {
  for (std::size_t k = 0; k < channels.size(); ++k) {
    linears_.push_back(&child(fmt::format("lins.{}", k),
                              std::make_unique<Linear>(k == 0 ? in : channels[k - 1], channels[k])));
  }
}

Var Mlp::forward(Var x) {
  if (identity()) return x;
  return forward_behind_first(first().forward(x, first_activation()));
}

Var Mlp::forward_behind_first(Var h) {
  for (std::size_t k = 1; k < linears_.size(); ++k) {
    const bool last = k + 1 == linears_.size();
    h = linears_[k]->forward(tarn::dropout(h, o_.dropout), last ? Activation::none : o_.act);
  }
  return h;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
