#pragma once

#include "tarn/graph/healpix/hierarchy.hpp"
#include "tarn/graph/healpix/sphere_layer.hpp"

namespace tarn {

struct HealpixStridedConvOptions {
  Size nside_in = 2;
  Size nside_out = 1;
  healpix::Ordering ordering = healpix::Ordering::nest;
  Size in_channels = 0;
  Size out_channels = 0;
  bool bias = false;
  std::optional<std::vector<Size>> pixels;  ///< of a partial sky at nside_in, ascending; not set: all
  void fields(Fields& f);
};

inline namespace TARN_PRECISION {

/// `healpix-strided-conv`: a weight for every descendant of a coarser pixel,
/// y[q] = bias + sum over k < f^2 of W_k x[child(q, k)], f = nside_in / nside_out.
///
/// x [B, P_in, in] -> [B, P_out, out]. Children in the order of the public code, x slow and y fast:
/// k = (x mod f) f + y mod f, which is not NEST order. Children outside a partial sky count as zero.
/// Parameters: weight [out, in, f^2] uniform in +-0.05, bias [out] zero. One product over all descendants; a
/// copy of x for RING order and lists, none otherwise. Krachmalnicoff & Tomasi 2019, arXiv 1902.04083.
class HealpixStridedConv final : public SphereLayer {
 public:
  using Options = HealpixStridedConvOptions;
  /// Throws ValueError for options that do not fit.
  explicit HealpixStridedConv(const Options& options);
  Var forward(Var x) override;
  const healpix::Sky& input_sky() const override { return hierarchy_.fine(); }
  const healpix::Sky& output_sky() const override { return hierarchy_.coarse(); }
  [[nodiscard]] const healpix::Hierarchy& hierarchy() const { return hierarchy_; }
  /// Place among the weights of the child that is k-th in NEST order.
  [[nodiscard]] Size weight_place(Size nest_child) const;

 private:
  healpix::Hierarchy hierarchy_;
  Parameter& weight_;
  Parameter* bias_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
