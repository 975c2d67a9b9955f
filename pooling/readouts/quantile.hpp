#pragma once

#include "tarn/core/ops/segment_select.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include <array>
#include <vector>

namespace tarn {

inline std::span<const std::string_view> enum_names(Interpolation) {
  static constexpr std::array<std::string_view, 5> names{"linear", "lower", "higher", "nearest", "midpoint"};
  return names;
}

struct MedianOptions {
  double fill_value = 0;
  void fields(Fields& f) { f("fill_value", fill_value, any_finite(), "what an empty set gives"); }
};

struct QuantileOptions {
  std::vector<double> q{0.5};
  Interpolation interpolation = Interpolation::linear;
  double fill_value = 0;
  void fields(Fields& f) {
    f("q", q, between(0, 1), "which quantiles");
    f("interpolation", interpolation, "what stands between two sorted values");
    f("fill_value", fill_value, any_finite(), "what an empty set gives");
  }
};

inline namespace TARN_PRECISION {

/// The lower median per feature, at sorted position floor((n - 1) / 2): x [N, D] -> [B, D]. See `Quantile`.
/// PyTorch Geometric documents floor(n / 2) and computes this.
class Median final : public Readout {
 public:
  using Options = MedianOptions;
  explicit Median(const Options& o) : Readout("median", o), o_(o) {}
  Pooled pool(const SetInput& in) override;

 private:
  Options o_;
};

/// Quantiles per feature at position q (n - 1) of the sorted values: x [N, D] -> [B, |q| D], all columns of
/// the first q, then of the next. See `segment_quantile` for gradient, ties and cost. An empty set gives
/// fill_value. Throws ConfigError for an empty list.
class Quantile final : public Readout {
 public:
  using Options = QuantileOptions;
  explicit Quantile(const Options& options);
  Pooled pool(const SetInput& in) override;
  Size out_dim(Size in_dim) const override { return static_cast<Size>(o_.q.size()) * in_dim; }

 private:
  Options o_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
