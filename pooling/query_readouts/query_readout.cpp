#include "tarn/pooling/query_readouts/query_readout.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/gather.hpp"

#include <fmt/format.h>

#include <vector>

namespace tarn {
inline namespace TARN_PRECISION {

Var QueryReadout::forward(const QueryInput& in) {
  require_set_features(name_, in.x, 2, in_channels_);
  in.sets.require_cover(name_, in.x.rows());
  require_filled(name_, in.sets, in.empty);
  if (in.queries.shape().rank() != 2 || in.queries.cols() != in.x.cols()) {
    throw ShapeError(
        fmt::format("{}: queries are {}; expected [Q, {}]", name_, in.queries.shape().text(), in.x.cols()));
  }
  return pool(in);
}

Var query_major(Var rows, Size sets, Size queries) {
  std::vector<NodeId> order;
  order.reserve(static_cast<std::size_t>(sets * queries));
  for (Size q = 0; q < queries; ++q) {
    for (Size b = 0; b < sets; ++b) order.push_back(static_cast<NodeId>(b * queries + q));
  }
  return reshape(gather_rows(rows, order), {queries, sets, rows.cols()});
}

std::unique_ptr<QueryReadout> make_query_readout(std::string_view name, Size in_dim, Value options) {
  const auto& entry = query_readouts().at(name);
  if (entry.has_option("in_channels")) options.set("in_channels", in_dim);
  return entry.make(options);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
