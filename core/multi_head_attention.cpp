#include "tarn/core/multi_head_attention.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/ragged_attention.hpp"
#include "tarn/core/ops/seed_attention.hpp"
#include "tarn/core/ops/slice.hpp"

#include <fmt/format.h>

namespace tarn {
inline namespace TARN_PRECISION {

MultiHeadAttention::MultiHeadAttention(Size width, Size heads, double dropout, std::string_view where)
    : width_(width),
      heads_(heads),
      dropout_(dropout),
      weight_(parameter("in_proj_weight", {3 * width, width}, glorot(3 * width, width))),
      bias_(parameter("in_proj_bias", {3 * width}, constant(0))),
      out_proj_(child("out_proj", std::make_unique<Linear>(width, width, Bias::yes, fan_in_uniform(width),
                                                           constant(0)))) {
  if (heads >= 1 && width % heads == 0) return;
  throw ConfigError(fmt::format("{}.heads: got {} for width {}; expected a number that divides the width",
                                where, heads, width));
}

Var MultiHeadAttention::forward(Var x, const Segments& sets) {
  Tape& tape = x.tape();
  const Var packed = linear(x, tape.parameter(weight_), tape.parameter(bias_));  // [N, 3D]
  return out_proj_.forward(ragged_attention({.q = {packed, 0},
                                             .k = {packed, width_},
                                             .v = {packed, 2 * width_},
                                             .q_sets = sets,
                                             .k_sets = sets,
                                             .heads = heads_,
                                             .key_width = width_ / heads_,
                                             .dropout = dropout_}));
}

MultiHeadAttention::Map MultiHeadAttention::map(Tape& tape, Size begin, Size end) {
  const Var bias = reshape(tape.parameter(bias_), {3 * width_, 1});
  return {slice_rows(tape.parameter(weight_), begin * width_, end * width_),
          slice_rows(bias, begin * width_, end * width_)};
}

Var MultiHeadAttention::forward(Var q, const Segments& q_sets, Var x, const Segments& x_sets) {
  const Map query = map(x.tape(), 0, 1), key_value = map(x.tape(), 1, 3);
  const Var queries = linear(q, query.weight, query.bias);
  const Var packed = linear(x, key_value.weight, key_value.bias);
  return out_proj_.forward(ragged_attention({.q = {queries, 0},
                                             .k = {packed, 0},
                                             .v = {packed, width_},
                                             .q_sets = q_sets,
                                             .k_sets = x_sets,
                                             .heads = heads_,
                                             .key_width = width_ / heads_,
                                             .dropout = dropout_}));
}

Var MultiHeadAttention::forward(Var q, const Segments& q_sets, Var keys, Var values, const Segments& sets) {
  Tape& tape = keys.tape();
  const Map query = map(tape, 0, 1), key = map(tape, 1, 2), value = map(tape, 2, 3);
  return out_proj_.forward(ragged_attention({.q = {linear(q, query.weight, query.bias), 0},
                                             .k = {linear(keys, key.weight, key.bias), 0},
                                             .v = {linear(values, value.weight, value.bias), 0},
                                             .q_sets = q_sets,
                                             .k_sets = sets,
                                             .heads = heads_,
                                             .key_width = width_ / heads_,
                                             .dropout = dropout_}));
}

Var MultiHeadAttention::pool(Var q, Var x, const Segments& sets) {
  Tape& tape = x.tape();
  const Map query = map(tape, 0, 1), value = map(tape, 2, 3);
  return out_proj_.forward(seed_attention({.q = linear(q, query.weight, query.bias),
                                           .x = x,
                                           .sets = sets,
                                           .key_map = map(tape, 1, 2).weight,
                                           .value_map = value.weight,
                                           .value_bias = value.bias,
                                           .heads = heads_,
                                           .dropout = dropout_}));
}

Var MultiHeadAttention::pool_given(Var q, Var keys, Var values, const Segments& sets) {
  const Map query = map(q.tape(), 0, 1);
  return out_proj_.forward(ragged_attention({.q = {linear(q, query.weight, query.bias), 0},
                                             .k = {keys, 0},
                                             .v = {values, 0},
                                             .q_sets = Segments::uniform(1, q.rows()),
                                             .k_sets = sets,
                                             .heads = heads_,
                                             .key_width = width_ / heads_,
                                             .dropout = dropout_}));
}

}  // namespace TARN_PRECISION
}  // namespace tarn
