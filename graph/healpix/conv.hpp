#pragma once

#include "tarn/graph/healpix/nine_point.hpp"
#include "tarn/graph/healpix/sphere_layer.hpp"

namespace tarn {

struct HealpixConvOptions : healpix::SkyOptions {
  Size in_channels = 0;
  Size out_channels = 0;
  bool bias = false;
  healpix::Missing missing = healpix::Missing::zero;
  void fields(Fields& f);
};

inline namespace TARN_PRECISION {

/// `healpix-conv`: weights on a pixel and its eight neighbours; see healpix::NinePoint. x [B, P, in] ->
/// [B, P, out].
///
/// The kernel has a direction, along the axes of the faces, and its compass turns towards the poles: features
/// turn with a turn of the map by 90 degrees about the axis, and with no other rotation.
/// Parameters: weight [out, in, 9] uniform in +-sqrt(6 / (9 in + 9 out)), slot 0 the pixel itself, then SW,
/// W, NW, N, NE, E, SE, S; bias [out] zero. Krachmalnicoff & Tomasi 2019, arXiv 1902.04083, whose code, not
/// whose documentation, has the pixel itself first.
class HealpixConv final : public SphereLayer {
 public:
  using Options = HealpixConvOptions;
  /// Throws ValueError for options that do not fit.
  explicit HealpixConv(const Options& options);
  Var forward(Var x) override { return forward(x, {}); }
  /// With activation and pooling in the same pass.
  [[nodiscard]] Var forward(Var x, const healpix::Epilogue& epilogue);
  const healpix::Sky& input_sky() const override { return stencil_.sky(); }
  const healpix::Sky& output_sky() const override { return stencil_.sky(); }

 private:
  healpix::NinePoint stencil_;
  Parameter& weight_;
  Parameter* bias_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
