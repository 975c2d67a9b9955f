#pragma once

#include "tarn/pooling/readouts/readout.hpp"

namespace tarn {

struct SortOptions {
  std::optional<Size> k;
  void fields(Fields& f) { f("k", k, at_least(1), "rows that are kept; must be given"); }
};

inline namespace TARN_PRECISION {

/// SortPool: the rows of a set in descending order of their last column (ties: the lower row first), the
/// first k side by side, zeros where a set has fewer. x [N, D] -> [B, k D]. The gradient goes to the chosen
/// rows. Throws ConfigError without k. Zhang et al. 2018, "An End-to-End Deep Learning Architecture for Graph
/// Classification", AAAI.
class Sort final : public Readout {
 public:
  using Options = SortOptions;
  explicit Sort(const Options& o) : Readout("sort", o), k_(required_option("sort", "k", o.k)) {}
  Pooled pool(const SetInput& in) override;
  Size out_dim(Size in_dim) const override { return k_ * in_dim; }

 private:
  Size k_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
