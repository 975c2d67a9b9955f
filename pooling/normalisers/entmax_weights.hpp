#pragma once

#include "tarn/core/ops/segment_entmax.hpp"
#include "tarn/pooling/normalisers/normaliser.hpp"

namespace tarn {

struct EntmaxWeightsOwn {
  double alpha = 1.5;
  void fields(Fields& f) { f("alpha", alpha, at_least(1), "1: softmax; 2: sparsemax; larger: fewer rows"); }
};

inline namespace TARN_PRECISION {

/// Sparse weights of alpha-entmax, see `segment_entmax`.
class EntmaxWeights final : public Normaliser {
 public:
  using Options = WithScoreOptions<EntmaxWeightsOwn>;
  explicit EntmaxWeights(const Options& o) : Normaliser("entmax-weights", o), o_(o) {}

 protected:
  Var weigh(const NormaliserInput& in) const override {
    return segment_entmax(in.scores, in.sets, {.temperature = o_.temperature, .alpha = o_.alpha});
  }

 private:
  Options o_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
