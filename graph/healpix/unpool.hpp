#pragma once

#include "tarn/graph/healpix/hierarchy.hpp"
#include "tarn/graph/healpix/sphere_layer.hpp"

namespace tarn {

enum class UnpoolMode { repeat, max };
inline std::span<const std::string_view> enum_names(UnpoolMode) {
  static constexpr std::array<std::string_view, 2> names{"repeat", "max"};
  return names;
}

struct HealpixUnpoolOptions {
  Size nside_in = 1;
  Size nside_out = 1;
  healpix::Ordering ordering = healpix::Ordering::nest;
  UnpoolMode mode = UnpoolMode::repeat;
  std::optional<std::vector<Size>> pixels;  ///< of a partial sky at nside_out, ascending; not set: all
  void fields(Fields& f);
};

inline namespace TARN_PRECISION {

/// `healpix-unpool`: from a coarse map to a finer one. x [B, P_in, C] -> [B, P_out, C].
///
/// `repeat`: every descendant has the value of its pixel. `max`: the value goes to the pixel that `argmax` of
/// the matching pool names, zeros elsewhere. With `pixels` the input has a row for each coarse pixel that any
/// of them lie in, as the pool of that sky gives.
class HealpixUnpool final : public SphereLayer {
 public:
  using Options = HealpixUnpoolOptions;
  /// Throws ValueError for options that do not fit.
  explicit HealpixUnpool(const Options& options);
  /// Throws ValueError in mode `max`, which needs `unpool`.
  Var forward(Var x) override;
  /// Mode `max`: argmax [B, P_in, C] with pixels of nside_out, -1 writes nothing. Throws ShapeError for
  /// another length, ValueError for a pixel that is not a descendant of its own.
  [[nodiscard]] Var unpool(Var x, std::span<const Size> argmax) const;
  const healpix::Sky& input_sky() const override { return hierarchy_.coarse(); }
  const healpix::Sky& output_sky() const override { return hierarchy_.fine(); }
  [[nodiscard]] const healpix::Hierarchy& hierarchy() const { return hierarchy_; }

 private:
  healpix::Hierarchy hierarchy_;
  UnpoolMode mode_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
