#include "tarn/pooling/query_readouts/query_softmax.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/segment_pool.hpp"
#include "tarn/core/ops/segment_select.hpp"
#include "tarn/core/ops/vector.hpp"

#include <algorithm>

namespace tarn {
inline namespace TARN_PRECISION {

Var QuerySoftmax::pool(const QueryInput& in) {
  const Size sets = in.sets.count(), queries = in.queries.rows();
  const Var y = segment_query_pool(in.x, scale(in.queries, 1 / o_.temperature), in.sets).y;  // [B, Q D]
  return query_major(reshape(y, {sets * queries, in.x.cols()}), sets, queries);
}

Var QueryTopK::pool(const QueryInput& in) {
  Tape& tape = in.x.tape();
  const ConstMatrixView x = in.x.value(), q = in.queries.value();
  const Size sets = in.sets.count(), queries = q.rows;
  const auto chosen = tape.allocate_array<NodeId>(sets * queries * k_);
  const auto factors = tape.allocate_array<Real>(sets * queries);
  const auto keys = tape.allocate_array<Real>(x.rows);
  for (Size j = 0; j < queries; ++j) {
    for_blocks(x.rows, 256, [&](Size begin, Size end) {
      for (Size i = begin; i < end; ++i) keys[static_cast<std::size_t>(i)] = dot(x.row(i), q.row(j), x.cols);
    });
    const auto top = segment_top_rows(tape, keys, in.sets, k_);  // [B, k]
    for (Size b = 0; b < sets; ++b) {
      std::copy_n(top.data() + b * k_, k_, chosen.data() + (b * queries + j) * k_);
      const Size count = std::clamp<Size>(in.sets.size(b), 1, k_);
      factors[static_cast<std::size_t>(b * queries + j)] =
          o_.reduce == TopReduce::mean ? Real(1) / static_cast<Real>(count) : Real(1);
    }
  }
  const Var y = segment_pick(in.x, in.sets, chosen, queries, k_, factors);  // [B, Q D]
  return query_major(reshape(y, {sets * queries, x.cols}), sets, queries);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
