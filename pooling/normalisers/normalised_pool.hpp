#pragma once

#include "tarn/core/ops/segment_pool.hpp"
#include "tarn/pooling/normalisers/division_weights.hpp"
#include "tarn/pooling/normalisers/entmax_weights.hpp"
#include "tarn/pooling/normalisers/sigmoid_weights.hpp"
#include "tarn/pooling/normalisers/softmax_weights.hpp"

#include <memory>
#include <string>
#include <vector>

namespace tarn {

/// What an operator that takes any normaliser is told: which one, and flat beside its own options those of
/// all of them, of which the chosen one's may differ from their defaults. The bias of `sigmoid` is
/// `score_bias`.
struct NormaliserOptions : ScoreOptions,
                           SoftmaxWeightsOwn,
                           DivisionWeightsOwn,
                           SigmoidWeightsOwn,
                           EntmaxWeightsOwn,
                           GumbelSoftmaxWeightsOwn {
  std::string normaliser = "softmax";
  NormaliserOptions() { check_finite = false; }  // features of NaN give NaN
  void fields(Fields& f);
};

/// Values of the option `normaliser`: names of the registry without `-weights`.
[[nodiscard]] std::vector<std::string> normaliser_names();

inline namespace TARN_PRECISION {

/// The chosen normaliser. Throws ConfigError, naming `owner`, for an option that is not the chosen one's and
/// not at its default.
[[nodiscard]] std::unique_ptr<Normaliser> make_normaliser(std::string_view owner,
                                                          const NormaliserOptions& options);

/// Weighted sums over sets with the weights of a chosen normaliser; y_b = sum_{i in b} w_i v_i.
///
/// A softmax with all options at their defaults is pooled in one pass over the values and its weights are
/// never stored for more than a few columns; any other normaliser makes weights [N, S] first.
class NormalisedPool {
 public:
  /// Throws as `make_normaliser`.
  NormalisedPool(std::string_view owner, const NormaliserOptions& options);

  /// True for the softmax that is pooled in one pass.
  [[nodiscard]] bool one_pass() const { return normaliser_ == nullptr; }
  /// A weight per column of scores and row: scores [N, S], values [N, V] -> y [B, S V], s-major.
  [[nodiscard]] PooledRows pool_rows(Var scores, Var values, const Segments& sets) const;
  /// A weight per row and feature: scores and values [N, V] -> [B, V].
  [[nodiscard]] Var pool_features(Var scores, Var values, const Segments& sets) const;

 private:
  std::unique_ptr<Normaliser> normaliser_;  // null: the softmax in one pass
};

}  // namespace TARN_PRECISION
}  // namespace tarn
