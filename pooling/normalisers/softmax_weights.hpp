#pragma once

#include "tarn/core/ops/segment_softmax.hpp"
#include "tarn/pooling/normalisers/normaliser.hpp"

namespace tarn {

struct SoftmaxWeightsOwn {
  SoftmaxAlgorithm algorithm = SoftmaxAlgorithm::automatic;
  void fields(Fields& f) { f("algorithm", algorithm, "passes over memory; all give the same weights"); }
};

struct GumbelSoftmaxWeightsOwn {
  bool hard = false;
  void fields(Fields& f) { f("hard", hard, "one-hot weights with the gradient of the soft ones"); }
};

inline namespace TARN_PRECISION {

/// Softmax over a set, see `segment_softmax`. Time O(N H).
class SoftmaxWeights final : public Normaliser {
 public:
  using Options = WithScoreOptions<SoftmaxWeightsOwn>;
  explicit SoftmaxWeights(const Options& o) : Normaliser("softmax-weights", o), o_(o) {}

 protected:
  Var weigh(const NormaliserInput& in) const override {
    return segment_softmax(in.scores, in.sets, {.temperature = o_.temperature, .algorithm = o_.algorithm});
  }

 private:
  Options o_;
};

/// Softmax of scores with Gumbel noise, given or in training drawn, see `segment_gumbel_softmax`. Draws come
/// from the tape's streams, which are split by the number of the draw in its pass; so a trainer that numbers
/// its passes and keeps that number in checkpoints draws the same after a restart.
class GumbelSoftmaxWeights final : public Normaliser {
 public:
  using Options = WithScoreOptions<GumbelSoftmaxWeightsOwn>;
  explicit GumbelSoftmaxWeights(const Options& o) : Normaliser("gumbel-softmax-weights", o), o_(o) {}
  bool takes_noise() const override { return true; }

 protected:
  Var weigh(const NormaliserInput& in) const override {
    return segment_gumbel_softmax(
        in.scores, in.sets, in.noise,
        {.temperature = o_.temperature, .choice = o_.hard ? Choice::hard : Choice::soft});
  }

 private:
  Options o_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
