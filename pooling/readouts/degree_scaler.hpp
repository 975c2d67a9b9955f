#pragma once

#include "tarn/pooling/readouts/multi.hpp"

namespace tarn {

struct DegreeScalerOptions : WidthOptions {
  std::vector<Value> aggrs;
  std::vector<std::string> scaler{"identity"};
  std::vector<Size> deg;
  bool train_norm = false;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("aggrs", aggrs, "readouts: names, or tables of name and options; must be given");
    f("scaler", scaler, "identity, amplification, attenuation, linear, inverse_linear");
    f("deg", deg, at_least(0), "histogram: training sets of 0, 1, 2, ... rows; must be given");
    f("train_norm", train_norm, "learn the mean size and mean log size");
  }
};

inline namespace TARN_PRECISION {

/// Readouts side by side, scaled by the size n of a set in several ways, side by side: 1, ln(n + 1) / L, L /
/// ln(max(n, 1) + 1), n / M, M / max(n, 1), with M = sum k deg_k / sum deg and L = sum ln(k + 1) deg_k / sum
/// deg.
///
/// x [N, D] -> [B, scalers times the members' widths], scaler-major. Parameters: aggrs.K.*, and with
/// train_norm avg_deg_lin [1], avg_deg_log [1], which start at M and L. Throws ConfigError for an empty
/// histogram, an unknown scaler, or a scaler that would divide by 0. Corso et al. 2020, arXiv 2004.05718.
class DegreeScaler final : public Readout {
 public:
  using Options = DegreeScalerOptions;
  explicit DegreeScaler(const Options& options);
  Pooled pool(const SetInput& in) override;
  Size out_dim(Size) const override { return static_cast<Size>(scalers_.size()) * members_.total_width(); }
  RowOrder row_order() const override { return members_.row_order(); }
  SetNeeds needs() const override { return members_.needs(); }
  Size most_rows() const override { return members_.most_rows(); }

 private:
  enum class Scaler { identity, amplification, attenuation, linear, inverse_linear };
  void read_scalers(const Options& options);
  [[nodiscard]] Var scaled(Var y, const Segments& sets, Scaler scaler) const;

  Members& members_;
  std::vector<Scaler> scalers_;
  double mean_size_ = 0, mean_log_ = 0;
  Parameter *learned_size_ = nullptr, *learned_log_ = nullptr;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
