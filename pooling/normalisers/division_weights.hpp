#pragma once

#include "tarn/core/ops/segment_division.hpp"
#include "tarn/pooling/normalisers/normaliser.hpp"

namespace tarn {

struct DivisionWeightsOwn {
  ScoreMap activation = ScoreMap::softplus;
  double eps = 1e-12;
  void fields(Fields& f) {
    f("activation", activation, "what becomes of a score before the division by the sum");
    f("eps", eps, at_least(0), "a sum of at most this gives weights of 0");
  }
};

inline namespace TARN_PRECISION {

/// Mapped scores over their sum, see `segment_division`. Time O(N H).
class DivisionWeights final : public Normaliser {
 public:
  using Options = WithScoreOptions<DivisionWeightsOwn>;
  explicit DivisionWeights(const Options& o) : Normaliser("division-weights", o), o_(o) {}

 protected:
  Var weigh(const NormaliserInput& in) const override {
    return segment_division(in.scores, in.sets,
                            {.temperature = o_.temperature, .activation = o_.activation, .eps = o_.eps});
  }

 private:
  Options o_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
