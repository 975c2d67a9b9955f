#pragma once

#include "tarn/graph/healpix/chebyshev.hpp"

namespace tarn {

enum class ChebyshevInit { ds2, ds1 };
inline std::span<const std::string_view> enum_names(ChebyshevInit) {
  static constexpr std::array<std::string_view, 2> names{"ds2", "ds1"};
  return names;
}

struct HealpixChebConvOptions : SphereGraphOptions {
  Size in_channels = 0;
  Size out_channels = 0;
  Size kernel_size = 5;
  double scale = 1;
  Value lambda_max{"estimate"};
  double lambda_margin = 1;
  bool bias = true;
  ChebyshevInit init = ChebyshevInit::ds2;
  ChebyshevMemory memory = ChebyshevMemory::high;
  void fields(Fields& f);
};

inline namespace TARN_PRECISION {

/// `healpix-cheb-conv`: a polynomial of the graph's Laplacian as a filter, the same in every direction.
/// x [B, P, in] -> [B, P, out], y = bias + sum over k < K of T_k(Lt) x W_k, Lt = (2 scale / lambda_max) L -
/// I.
///
/// The graph is healpix-graph's with the options of the same names. lambda_max is a number, or `estimate`:
/// the largest eigenvalue, times lambda_margin. Parameters: weight [K, in, out], bias [out]; `ds2`: normal of
/// deviation sqrt(2 / (in K)) and bias 0.01, `ds1`: truncated normal of deviation 1 / sqrt(in (K + 0.5) / 2)
/// and bias 0. `memory = low` computes the polynomials again for the weight's gradient. See `chebyshev`.
/// Perraudin et al. 2018, arXiv 1810.12186 (scale 0.75); Defferrard et al. 2020, arXiv 2012.15000.
class HealpixChebConv final : public SphereLayer {
 public:
  using Options = HealpixChebConvOptions;
  /// Throws ValueError for options that do not fit, among them `laplacian = none`.
  explicit HealpixChebConv(const Options& options);
  Var forward(Var x) override;
  const healpix::Sky& input_sky() const override { return sky_; }
  const healpix::Sky& output_sky() const override { return sky_; }
  [[nodiscard]] double lambda_max() const { return lambda_max_; }

 private:
  healpix::Sky sky_;
  double lambda_max_ = 0;
  ChebyshevMemory memory_;
  std::shared_ptr<const SparseOperator> l_;
  Parameter& weight_;
  Parameter* bias_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
