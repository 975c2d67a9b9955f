#pragma once

#include "tarn/core/ops/segment_sigmoid.hpp"
#include "tarn/pooling/normalisers/normaliser.hpp"

namespace tarn {

struct SigmoidWeightsOwn {
  Value bias{"neg-log-n"};
  LengthNorm length_norm = LengthNorm::none;
  /// `bias_name`: an operator that has a bias of its own calls this one `score_bias`.
  void fields(Fields& f, std::string_view bias_name = "bias") {
    f(bias_name, bias, std::vector<std::string>{"neg-log-n"},
      "added to a score; neg-log-n: -ln of the number of rows");
    f("length_norm", length_norm, "what weights are divided by: the number of rows, its root, nothing");
  }
};

inline namespace TARN_PRECISION {

/// A sigmoid of every score by itself, see `segment_sigmoid`. Time O(N H).
class SigmoidWeights final : public Normaliser {
 public:
  using Options = WithScoreOptions<SigmoidWeightsOwn>;
  explicit SigmoidWeights(const Options& o) : Normaliser("sigmoid-weights", o), o_(o) {}

 protected:
  Var weigh(const NormaliserInput& in) const override {
    return segment_sigmoid(
        in.scores, in.sets,
        {.temperature = o_.temperature, .bias = o_.bias.number(), .length_norm = o_.length_norm});
  }

 private:
  Options o_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
