#pragma once

#include "tarn/pooling/readouts/readout.hpp"

namespace tarn {

struct WeightedMeanOptions {
  bool normalize = false;
  void fields(Fields& f) { f("normalize", normalize, "L2-normalise the result"); }
};

inline namespace TARN_PRECISION {

/// y_b = sum w_i x_i / sum w_i with given weights: instruction or padding tokens are left out by 0.
///
/// x [N, D], weight [N] >= 0 -> [B, D]; weights that sum to 0, and an empty set, give zeros without gradient.
/// Throws ShapeError without weights, ValueError for a negative one. Time O(N D).
class WeightedMean final : public Readout {
 public:
  using Options = WeightedMeanOptions;
  explicit WeightedMean(const Options& o) : Readout("weighted-mean", o), o_(o) {}
  Pooled pool(const SetInput& in) override;
  SetNeeds needs() const override { return {.weight = true}; }

 private:
  Options o_;
};

/// y_b = sum i x_i / (n (n + 1) / 2), i = 1 .. n in the order of the rows; an empty set gives zeros.
///
/// x [N, D] -> [B, D]. Time O(N D). Muennighoff 2022, "SGPT", arXiv 2202.08904; Ivison et al. 2025 for the
/// selection of data, whose code numbers padding too.
class PositionWeightedMean final : public Readout {
 public:
  using Options = WeightedMeanOptions;
  explicit PositionWeightedMean(const Options& o) : Readout("position-weighted-mean", o), o_(o) {}
  Pooled pool(const SetInput& in) override;
  RowOrder row_order() const override { return RowOrder::read; }

 private:
  Options o_;
};

/// The mean of rows by weights [N] that are shares of their sum over the set. What latent attention ends with
/// too.
Var share_mean(Var x, Var weight, const Segments& sets);

}  // namespace TARN_PRECISION
}  // namespace tarn
