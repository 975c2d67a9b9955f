#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/core/segments.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// Multi-head attention inside sets with projections, as torch.nn.MultiheadAttention has it: see
/// `ragged_attention`. Parameters: in_proj_weight [3D, D] (rows: query, key, value), in_proj_bias [3D],
/// out_proj.weight [D, D], out_proj.bias [D]. Starts: in_proj_weight Glorot on the packed matrix,
/// out_proj.weight as linear layers, biases zero.
class MultiHeadAttention final : public Module {
 public:
  /// Throws ConfigError, naming `where`, if the heads do not divide the width.
  MultiHeadAttention(Size width, Size heads, double dropout = 0, std::string_view where = "attention");
  /// Every row sees the rows of its set: x [N, D] -> [N, D]. An empty set has no rows.
  Var forward(Var x, const Segments& sets);
  /// Rows of q see the rows of x of the same set; either side may be one set for all. Queries without rows to
  /// see give out_proj.bias.
  Var forward(Var q, const Segments& q_sets, Var x, const Segments& x_sets);
  /// The same with keys made of one matrix and values of another.
  Var forward(Var q, const Segments& q_sets, Var keys, Var values, const Segments& sets);
  /// The same rows of q see every set: q [S, D] -> [B S, D], set after set. See `seed_attention`.
  Var pool(Var q, Var x, const Segments& sets);
  /// The same with keys and values [N, D] that were projected elsewhere.
  Var pool_given(Var q, Var keys, Var values, const Segments& sets);

 private:
  struct Map {
    Var weight, bias;
  };
  /// Rows begin D .. end D - 1 of the packed projection.
  Map map(Tape& tape, Size begin, Size end);
  Size width_;
  Size heads_;
  double dropout_;
  Parameter& weight_;
  Parameter& bias_;
  Linear& out_proj_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
