#include "tarn/pooling/readouts/append_tokens.hpp"

#include "tarn/core/ops/gather.hpp"
#include "tarn/pooling/blocks/attention_block.hpp"

#include <array>
#include <vector>

namespace tarn {

namespace {

const AppendTokensOptions& checked(const AppendTokensOptions& o) {
  check_options(o, "append-tokens");
  return o;
}

}  // namespace

inline namespace TARN_PRECISION {

AppendTokens::AppendTokens(const Options& o)
    : o_(checked(o)), tokens_(parameter("tokens", {o.count, o.in_channels}, normal(0.02))) {}

Appended AppendTokens::forward(Var x, const Segments& sets) {
  require_set_features("append-tokens", x, 2, o_.in_channels);
  sets.require_cover("append-tokens", x.rows());
  const Size rows = x.rows(), count = sets.count();
  const Var tokens = repeat_block(x.tape().parameter(tokens_), count);
  std::vector<NodeId> order;
  std::vector<Size> offsets{0};
  for (Size b = 0; b < count; ++b) {
    for (Size i = sets.rows(b).begin; i < sets.rows(b).end; ++i) order.push_back(static_cast<NodeId>(i));
    for (Size k = 0; k < o_.count; ++k) order.push_back(static_cast<NodeId>(rows + b * o_.count + k));
    offsets.push_back(static_cast<Size>(order.size()));
  }
  return {gather_rows(concat_rows(std::array{x, tokens}), order), Segments(std::move(offsets))};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
