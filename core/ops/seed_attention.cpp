#include "tarn/core/ops/seed_attention.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/linear.hpp"
#include "tarn/core/ops/ragged_attention.hpp"
#include "tarn/core/ops/segment_pool.hpp"
#include "tarn/core/ops/slice.hpp"

#include <array>
#include <cmath>
#include <vector>

namespace tarn {

namespace {

Var attend_to_keys(const SeedAttention& in, double scale) {
  const Var k = linear(in.x, in.key_map);                   // [N, heads key width]
  const Var v = linear(in.x, in.value_map, in.value_bias);  // [N, heads value width]
  return ragged_attention({.q = {in.q, 0},
                           .k = {k, 0},
                           .v = {v, 0},
                           .q_sets = Segments::uniform(1, in.q.rows()),
                           .k_sets = in.sets,
                           .heads = in.heads,
                           .key_width = in.key_map.rows() / in.heads,
                           .value_width = in.value_map.rows() / in.heads,
                           .scale = scale,
                           .dropout = in.dropout});
}

/// The map of a head's values with its bias as one more column, for the sum of the weights.
Var value_map_of(const SeedAttention& in, Size head) {
  const Size width = in.value_map.rows() / in.heads, begin = head * width, end = begin + width;
  const Var map = slice_rows(in.value_map, begin, end);
  if (!in.value_bias.given()) return map;
  const Var bias = reshape(in.value_bias, {in.value_map.rows(), 1});
  return concat_columns(std::array{map, slice_rows(bias, begin, end)});
}

Var attend_folded(const SeedAttention& in, double factor) {
  const Size width = in.key_map.rows() / in.heads, columns = in.x.cols(), seeds = in.q.rows();
  std::vector<Var> folded, pooled;
  for (Size h = 0; h < in.heads; ++h) {
    const Var q = slice_columns(in.q, h * width, (h + 1) * width);                         // [S, d]
    folded.push_back(multiply_by(q, slice_rows(in.key_map, h * width, (h + 1) * width)));  // [S, C]
  }
  const Var queries = reshape(scale(concat_columns(folded), factor), {seeds * in.heads, columns});
  const bool biased = in.value_bias.given();
  const Var sums = segment_query_pool(in.x, queries, in.sets, {.dropout = in.dropout, .keep_sums = biased}).y;
  const Size block = columns + (biased ? 1 : 0);
  const Var by_seed = reshape(sums, {in.sets.count() * seeds, in.heads * block});
  for (Size h = 0; h < in.heads; ++h)
    pooled.push_back(linear(slice_columns(by_seed, h * block, (h + 1) * block), value_map_of(in, h)));
  return in.heads == 1 ? pooled.front() : concat_columns(pooled);
}

}  // namespace

inline namespace TARN_PRECISION {

Var seed_attention(const SeedAttention& in) {
  const double width = static_cast<double>(in.key_map.rows() / in.heads);
  const double scale = in.scale.value_or(1 / std::sqrt(width));
  return in.q.rows() * in.heads < in.x.cols() ? attend_folded(in, scale) : attend_to_keys(in, scale);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
