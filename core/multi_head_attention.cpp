#include "tarn/core/multi_head_attention.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/ragged_attention.hpp"
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

Var MultiHeadAttention::forward(Var q, const Segments& q_sets, Var x, const Segments& x_sets) {
  Tape& tape = x.tape();
  const Var weight = tape.parameter(weight_), bias = reshape(tape.parameter(bias_), {3 * width_, 1});
  const Var queries = linear(q, slice_rows(weight, 0, width_), slice_rows(bias, 0, width_));
  const Var packed = linear(x, slice_rows(weight, width_, 3 * width_), slice_rows(bias, width_, 3 * width_));
  return out_proj_.forward(ragged_attention({.q = {queries, 0},
                                             .k = {packed, 0},
                                             .v = {packed, width_},
                                             .q_sets = q_sets,
                                             .k_sets = x_sets,
                                             .heads = heads_,
                                             .key_width = width_ / heads_,
                                             .dropout = dropout_}));
}

}  // namespace TARN_PRECISION
}  // namespace tarn
