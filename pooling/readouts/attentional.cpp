#include "tarn/pooling/readouts/attentional.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/segment_pool.hpp"

#include <fmt/format.h>

namespace tarn {
inline namespace TARN_PRECISION {

Attentional::Attentional(const Options& o)
    : Readout("attentional", o),
      pool_(name(), o),
      gate_(child("gate_nn", std::make_unique<Mlp>(o.in_channels, o.gate_channels, o))),
      values_(child("nn", std::make_unique<Mlp>(o.in_channels, o.value_channels, o))),
      linear_gate_(pool_.one_pass() && o.gate_channels == std::vector<Size>{1} && values_.identity()) {
  if (gate_.identity()) throw ConfigError("attentional.gate_channels: got []; expected at least one width");
  if (gate_.out_dim() == 1 || gate_.out_dim() == values_.out_dim()) return;
  throw ConfigError(
      fmt::format("attentional.gate_channels: got {} last; expected 1 or {} (the values' width)",
                  gate_.out_dim(), values_.out_dim()));
}

Pooled Attentional::pool(const SetInput& in) {
  if (linear_gate_) {
    const auto [y, weights] =
        segment_query_pool(in.x, in.x.tape().parameter(gate_.first().weight()), in.sets);
    return {y, weights};
  }
  const Var scores = gate_.forward(in.x), values = values_.forward(in.x);
  if (scores.cols() != 1) return {pool_.pool_features(scores, values, in.sets)};
  const auto [y, weights] = pool_.pool_rows(scores, values, in.sets);
  return {y, weights};
}

MilAttention::MilAttention(const Options& o)
    : Readout("mil-attention", o),
      o_(o),
      pool_(name(), o),
      v_(child("attention_V", std::make_unique<Linear>(o.in_channels, o.hidden))),
      u_(o.gated ? &child("attention_U", std::make_unique<Linear>(o.in_channels, o.hidden)) : nullptr),
      w_(child("attention_w", std::make_unique<Linear>(o.hidden, o.branches))) {}

Pooled MilAttention::pool(const SetInput& in) {
  Var h = v_.forward(in.x, Activation::tanh);  // [N, hidden]
  if (u_ != nullptr) h = multiply_elements(h, u_->forward(in.x, Activation::sigmoid));
  const auto [y, weights] = pool_.pool_rows(w_.forward(h), in.x, in.sets);
  return {y, o_.branches == 1 ? weights : Var()};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
