#pragma once

#include "tarn/pooling/blocks/recurrent_stack.hpp"
#include "tarn/pooling/readouts/readout.hpp"

namespace tarn {

struct Set2SetOptions : WidthOptions {
  std::optional<Size> processing_steps;
  Size num_layers = 1;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("processing_steps", processing_steps, at_least(1), "rounds of attention; must be given");
    f("num_layers", num_layers, at_least(1), "layers of the LSTM");
  }
};

inline namespace TARN_PRECISION {

/// Rounds of an LSTM that reads what it attended to last: q = LSTM([q, r]), a = softmax_i(<x_i, q>), r = sum
/// a_i x_i, from zeros.
///
/// x [N, D] -> [B, 2 D], [q, r] of the last round; for an empty set r stays 0. Parameters: lstm.*, of input 2
/// D and width D. x is read once per round, for scores and values together. Throws ConfigError without
/// processing_steps. Vinyals et al. 2016, "Order Matters", arXiv 1511.06391.
class Set2Set final : public Readout {
 public:
  using Options = Set2SetOptions;
  explicit Set2Set(const Options& options);
  Pooled pool(const SetInput& in) override;
  Size out_dim(Size in_dim) const override { return 2 * in_dim; }

 private:
  Size steps_;
  RecurrentStack& lstm_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
