#pragma once

#include "tarn/graph/healpix/grid.hpp"

#include <cstdint>
#include <memory>

namespace tarn::healpix {

/// The pixels that a map holds: all of a grid in one ordering, or an ascending list of them. The row of a
/// pixel in a map is its place in the list, its number for a full sky.
///
/// Immutable; copying copies a handle. Work and memory go with the list, not with the grid.
class Sky {
 public:
  /// The full sky.
  explicit Sky(const Grid& grid, Ordering ordering = Ordering::nest);
  /// Throws ValueError, naming `where` and the place in the list, unless the pixels ascend strictly inside
  /// the grid. An empty list is legal.
  Sky(const Grid& grid, Ordering ordering, std::vector<Size> pixels, std::string_view where = "healpix");
  /// The pixels whose mask is 1. Throws ShapeError, giving both lengths, unless the mask has an entry per
  /// pixel, and ValueError for one that is neither 0 nor 1.
  [[nodiscard]] static Sky of_mask(const Grid& grid, Ordering ordering, std::span<const std::uint8_t> mask,
                                   std::string_view where = "healpix");

  [[nodiscard]] const Grid& grid() const { return grid_; }
  [[nodiscard]] Ordering ordering() const { return ordering_; }
  [[nodiscard]] bool full() const { return pixels_ == nullptr; }
  /// Rows of a map.
  [[nodiscard]] Size size() const;
  /// Number of the pixel in a row.
  [[nodiscard]] Size pixel(Size row) const {
    return full() ? row : (*pixels_)[static_cast<std::size_t>(row)];
  }
  /// The list of a partial sky, ascending; empty for a full one.
  [[nodiscard]] std::vector<Size> pixels() const { return full() ? std::vector<Size>{} : *pixels_; }
  /// Row of a pixel, or -1 if the map has none; O(log size).
  [[nodiscard]] Size row(Size pixel) const;
  /// The share of the sphere that is kept.
  [[nodiscard]] double fraction() const;

 private:
  Grid grid_;
  Ordering ordering_;
  std::shared_ptr<const std::vector<Size>> pixels_;
};

/// Pixels with z > 1 - 2 f_sky: a polar cap. Throws ValueError unless 0 < f_sky <= 1. The share that is kept
/// is only near f_sky; see Sky::fraction.
[[nodiscard]] Sky mask_cap(const Grid& grid, Ordering ordering, double f_sky);
/// Pixels with |z| > 1 - f_sky: both caps, a band around the equator cut out. Throws as mask_cap does.
[[nodiscard]] Sky mask_band(const Grid& grid, Ordering ordering, double f_sky);

}  // namespace tarn::healpix
