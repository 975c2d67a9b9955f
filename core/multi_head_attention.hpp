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

 private:
  Size width_;
  Size heads_;
  double dropout_;
  Parameter& weight_;
  Parameter& bias_;
  Linear& out_proj_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
