#pragma once

#include "tarn/pooling/blocks/attention_block.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// Pooling by multi-head attention: seeds [S, C] attend to the rows of every set -> [B S, C], set after set.
///
/// pyg: block(seed, relu(lin(x))); parameters lin.*, seed [1, S, C], mab.*. original: block(S, x); parameters
/// S [1, S, C], mab.*: the paper has a feed-forward map before, its code none. Lee et al. 2019, arXiv
/// 1810.00825.
class SeedPooling final : public Module {
 public:
  SeedPooling(Size width, Size num_seeds, const AttentionBlockOptions& options, std::string_view where);
  Var forward(Var x, const Segments& sets);
  /// With keys and values [N, C] in place of projections of x, after `lin`.
  Var forward_given(Var keys, Var values, const Segments& sets);

 private:
  [[nodiscard]] Var seeds(Tape& tape);

  Linear* lin_;
  Parameter& seed_;
  AttentionBlock& mab_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
