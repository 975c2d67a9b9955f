#include "tarn/graph/healpix/sky.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn::healpix {

namespace {

/// The pixels of the rings for which `keep(z)`.
template <class Keep>
Sky sky_of_rings(const Grid& grid, Ordering ordering, Keep keep) {
  std::vector<Size> pixels;
  for (Size r = 1; r <= grid.num_rings(); ++r) {
    const Ring ring = grid.ring(r);
    if (!keep(ring.z)) continue;
    for (Size p = 0; p < ring.count; ++p)
      pixels.push_back(grid.convert(ring.first + p, Ordering::ring, ordering));
  }
  std::sort(pixels.begin(), pixels.end());
  return {grid, ordering, std::move(pixels)};
}

void require_fraction(std::string_view where, double f_sky) {
  if (f_sky > 0 && f_sky <= 1) return;
  throw ValueError(fmt::format("{}: f_sky {}; expected a number in (0, 1]", where, f_sky));
}

}  // namespace

Sky::Sky(const Grid& grid, Ordering ordering) : grid_(grid), ordering_(ordering) {}

Sky::Sky(const Grid& grid, Ordering ordering, std::vector<Size> pixels, std::string_view where)
    : grid_(grid), ordering_(ordering) {
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    grid.require_pixel(pixels[i], where);
    if (i == 0 || pixels[i - 1] < pixels[i]) continue;
    throw ValueError(fmt::format("{}: pixels: {} follows {} at place {}; expected a strictly ascending list",
                                 where, pixels[i], pixels[i - 1], i));
  }
  pixels_ = std::make_shared<const std::vector<Size>>(std::move(pixels));
}

Sky Sky::of_mask(const Grid& grid, Ordering ordering, std::span<const std::uint8_t> mask,
                 std::string_view where) {
  if (static_cast<Size>(mask.size()) != grid.num_pixels()) {
    throw ShapeError(fmt::format("{}: mask has {} entries; expected {} at nside {}", where, mask.size(),
                                 grid.num_pixels(), grid.nside()));
  }
  std::vector<Size> pixels;
  for (std::size_t p = 0; p < mask.size(); ++p) {
    if (mask[p] > 1) {
      throw ValueError(fmt::format("{}: mask is {} at pixel {}; expected 0 or 1", where, mask[p], p));
    }
    if (mask[p] == 1) pixels.push_back(static_cast<Size>(p));
  }
  return {grid, ordering, std::move(pixels), where};
}

Size Sky::size() const {
  return full() ? grid_.num_pixels() : static_cast<Size>(pixels_->size());
}

Size Sky::row(Size pixel) const {
  if (full()) return pixel;
  const auto found = std::lower_bound(pixels_->begin(), pixels_->end(), pixel);
  return found != pixels_->end() && *found == pixel ? found - pixels_->begin() : -1;
}

double Sky::fraction() const {
  return static_cast<double>(size()) / static_cast<double>(grid_.num_pixels());
}

Sky mask_cap(const Grid& grid, Ordering ordering, double f_sky) {
  require_fraction("mask-cap", f_sky);
  return sky_of_rings(grid, ordering, [&](double z) { return z > 1 - 2 * f_sky; });
}

Sky mask_band(const Grid& grid, Ordering ordering, double f_sky) {
  require_fraction("mask-band", f_sky);
  return sky_of_rings(grid, ordering, [&](double z) { return std::abs(z) > 1 - f_sky; });
}

}  // namespace tarn::healpix
