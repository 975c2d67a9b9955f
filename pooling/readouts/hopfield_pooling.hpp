#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/pooling/readouts/readout.hpp"

namespace tarn {

struct HopfieldPoolingOptions : WidthOptions {
  std::optional<Size> hidden_size;
  std::optional<Size> output_size;
  Size num_heads = 1;
  Size quantity = 1;
  std::optional<double> scaling;
  Size update_steps_max = 0;
  double update_steps_eps = 1e-4;
  bool normalize_stored_pattern = true;
  bool normalize_state_pattern = true;
  bool normalize_pattern_projection = true;
  bool input_bias = true;
  bool disable_out_projection = false;
  double dropout = 0;
  void fields(Fields& f);
};

inline namespace TARN_PRECISION {

/// Pooling by a modern Hopfield network: learned states r retrieve from the stored rows; q, k, v projections
/// of LN(r), LN(x), LN'(x), w = softmax(beta q k), per update step q = sum w_i k_i; y = out_proj(sum w_i
/// v_i).
///
/// x [N, C] -> [B, S output_size], state-major (S h d without output projection); an empty set has a zero
/// vector before the projection. A head of a set stops after update_steps_max steps (-1: at most 10000), or
/// when its weights move by no more than update_steps_eps: set by set, where the official code looks at the
/// largest of the batch. The backward pass goes through all steps. Without steps and with few states x is
/// read once, standardised, and neither keys nor values are built.
///
/// Parameters: pooling_weights [1, S, C], hopfield.association_core.in_proj_weight [3 h d, C], .in_proj_bias,
/// .out_proj.*, hopfield.norm_stored_pattern.*, .norm_state_pattern.*, .norm_pattern_projection.*. Throws
/// ConfigError where no hidden_size is given and the heads do not divide the width. Ramsauer et al. 2020,
/// arXiv 2008.02217, and its code.
class HopfieldPooling final : public Readout {
 public:
  using Options = HopfieldPoolingOptions;
  explicit HopfieldPooling(const Options& options);
  Pooled pool(const SetInput& in) override;
  Size out_dim(Size in_dim) const override;

 private:
  /// An affine map, or weight and bias of a norm; nothing is given of a norm that is switched off.
  struct Pair {
    Var weight{}, bias{};
  };
  struct Norm {
    Parameter *weight = nullptr, *bias = nullptr;
    [[nodiscard]] bool given() const { return weight != nullptr; }
  };
  Norm make_norm(const std::string& norm_name, bool wanted);
  [[nodiscard]] static Var normalized(Var x, const Norm& norm);
  /// A third of the packed projection: 0 states, 1 keys, 2 values.
  Pair projection(Tape& tape, Size which);
  Var retrieve_once(const SetInput& in, Var q);
  Var retrieve_in_steps(const SetInput& in, Var q);

  Options o_;
  Size width_;  // of all heads
  double beta_;
  Parameter& states_;
  Parameter& in_weight_;
  Parameter* in_bias_;
  Linear* out_proj_ = nullptr;
  Norm stored_, state_, projection_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
