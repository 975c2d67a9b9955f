#pragma once

#include "tarn/pooling/readouts/readout.hpp"

namespace tarn {

struct GemOptions : WidthOptions {
  double p = 3;
  double eps = 1e-6;
  bool learn = true;
  Size groups = 1;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("p", p, above(0), "exponent, or its start");
    f("eps", eps, above(0), "smallest value that counts");
    f("learn", learn, "learn the exponent");
    f("groups", groups, at_least(1), "exponents, one per run of neighbouring features; divides the width");
  }
};

struct PowerMeanOptions : WidthOptions {
  double p = 1;
  bool learn = false;
  Size channels = 1;
  std::optional<double> clamp_min = 1e-4;
  std::optional<double> clamp_max = 100;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("p", p, above(0), "exponent, or its start");
    f("learn", learn, "learn the exponent");
    f("channels", channels, at_least(1), "exponents: 1, or one per feature");
    f("clamp_min", clamp_min, above(0), "lower bound of x and of the mean of the powers");
    f("clamp_max", clamp_max, above(0), "upper bound of both");
  }
};

inline namespace TARN_PRECISION {

/// Generalised mean: y = (1/n sum max(x_i, eps)^p)^(1/p), with one p per group of features.
///
/// x [N, D] -> [B, D]; an empty set gives zeros. Parameter (learn): p [groups], starts at the option. See
/// `segment_power_mean`: no p overflows. Presets: GeM+ {p 4.6, eps 1e-8, learn false}; GGeM {groups = number
/// of heads}. Throws ConfigError unless groups divide the width. Radenovic et al. 2018, arXiv 1711.02512; Ko
/// et al. 2022, arXiv 2212.04114; Shao et al. 2023, arXiv 2308.06954.
class Gem final : public Readout {
 public:
  using Options = GemOptions;
  explicit Gem(const Options& options);
  Pooled pool(const SetInput& in) override;

 private:
  Options o_;
  Parameter* p_ = nullptr;
};

/// Power mean with bounds: y = clamp(1/n sum clamp(x_i)^p)^(1/p); p = 1 that is not learned gives the plain
/// mean.
///
/// x [N, D] -> [B, D]; an empty set gives zeros. Parameter (learn): p [channels]. The gradient passes where a
/// value lies inside its bounds. Without clamp_min x must not be negative (ValueError naming the row), and a
/// column of mean 0 gives 0 without gradient. Throws ConfigError for channels other than 1 or D, or several
/// that are not learned. Li et al. 2020, "DeeperGCN", arXiv 2006.07739.
class PowerMeanReadout final : public Readout {
 public:
  using Options = PowerMeanOptions;
  explicit PowerMeanReadout(const Options& options);
  Pooled pool(const SetInput& in) override;
  SetNeeds needs() const override { return {.non_negative = checks_sign()}; }

 private:
  [[nodiscard]] bool checks_sign() const { return !o_.clamp_min && (o_.learn || o_.p != 1); }
  Options o_;
  Parameter* p_ = nullptr;
};

/// Throws ConfigError unless there is one channel, or one per feature that is learned.
void require_channels(const std::string& owner, Size channels, bool learn, Size width);

}  // namespace TARN_PRECISION
}  // namespace tarn
