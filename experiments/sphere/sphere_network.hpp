#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/graph/healpix/block.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include <memory>
#include <string>
#include <vector>

namespace tarn {
inline namespace TARN_PRECISION {

/// Maps with the ordering of their pixels, which a network compares with its own.
struct SphereMaps {
  Var x;  ///< [B, P, C]
  healpix::Ordering ordering = healpix::Ordering::nest;
};

/// One vector per map: [B, P, in_channels] -> [B, out_features].
class SphereNetwork : public Module {
 public:
  /// Throws ValueError for maps in another ordering than the network's, ShapeError for other shapes.
  [[nodiscard]] virtual Var forward(const SphereMaps& maps) = 0;
  /// Called once, behind `init` and before training, with some training maps: networks whose start hangs on
  /// the data set it here. It becomes part of their state.
  virtual void calibrate(const SphereMaps&) {}
  [[nodiscard]] virtual const healpix::Sky& input_sky() const = 0;
  [[nodiscard]] virtual Size in_channels() const = 0;
  [[nodiscard]] virtual Size out_features() const = 0;

 protected:
  /// Checks the maps; returns them as x.
  [[nodiscard]] Var require_maps(const char* where, const SphereMaps& maps) const;
};

/// All networks on the sphere by name.
[[nodiscard]] Registry<SphereNetwork>& sphere_networks();
void register_sphere_networks(Registry<SphereNetwork>& registry);

/// What turns the last maps of a network into one vector per map: their numbers side by side, pixel after
/// pixel, or a readout over the pixels.
class MapReadout final : public Module {
 public:
  /// `readout` is "flatten" or the name of a readout. Throws ConfigError for others.
  MapReadout(const std::string& readout, Size pixels, Size channels);
  /// x [B, pixels, channels] -> [B, out_dim()].
  [[nodiscard]] Var forward(Var x);
  [[nodiscard]] Size out_dim() const { return out_dim_; }

 private:
  Readout* readout_ = nullptr;
  Size pixels_, channels_, out_dim_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
