#pragma once

#include "tarn/pooling/readouts/readout.hpp"

namespace tarn {

struct RegionalGemOptions {
  double pr = 2.5;
  Size size = 5;
  double p = 4.6;
  double eps = 1e-8;
  void fields(Fields& f) {
    f("pr", pr, above(0), "exponent of the mean over a window");
    f("size", size, at_least(1), "cells of a window's side; odd");
    f("p", p, above(0), "exponent of the mean over a set");
    f("eps", eps, above(0), "smallest value that counts in it");
  }
};

struct ScaleGemOptions {
  bool infinity = true;
  double p = 10;
  void fields(Fields& f) {
    f("infinity", infinity, "L2-normalise the rows and take the maximum");
    f("p", p, above(0), "exponent of the mean without");
  }
};

inline namespace TARN_PRECISION {

/// Regional GeM: every cell becomes (x + m) / 2, m = (mean over its window of x^pr)^(1/pr), then `gem` over
/// the set.
///
/// x [N, D] >= 0 (ValueError naming the row), `grid` [B, 2] with height times width rows in each set,
/// row-major, or `neighbours`, where the window of a row is the sources of its edges -> [B, D]; an empty set
/// gives zeros. Windows of a grid reflect at its edges without repeating them; a window of zeros gives m = 0
/// without gradient. Time O(N D size) on a grid, O(E D) on a graph. Throws ConfigError for an even size,
/// ShapeError for a grid that does not fit the sets or is not larger than half a window. Shao et al. 2023,
/// "SuperGlobal", arXiv 2308.06954.
class RegionalGem final : public Readout {
 public:
  using Options = RegionalGemOptions;
  explicit RegionalGem(const Options& options);
  Pooled pool(const SetInput& in) override;
  SetNeeds needs() const override { return {.neighbourhood = true, .non_negative = true}; }

 private:
  Options o_;
};

/// Scale GeM over the descriptors of one image at several scales: the columnwise maximum of L2-normalised
/// rows; or (mean (x - c)^p)^(1/p) + c with c the least number of the set, over rows and columns.
///
/// x [N, D] -> [B, D]; an empty set gives zeros. The gradient of c goes in equal parts to the numbers equal
/// to it. Shao et al. 2023, arXiv 2308.06954, on one image, where its code takes c over the batch.
class ScaleGem final : public Readout {
 public:
  using Options = ScaleGemOptions;
  explicit ScaleGem(const Options& o) : Readout("scale-gem", o), o_(o) {}
  Pooled pool(const SetInput& in) override;

 private:
  Options o_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
