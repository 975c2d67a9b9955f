#include "tarn/graph/healpix/tiles.hpp"

#include "tarn/graph/healpix/neighbours.hpp"

#include <algorithm>

namespace tarn::healpix {

namespace {
constexpr Size largest_side = 32;
}

Size Tile::side_for(const Grid& grid) {
  return std::min(grid.nside(), largest_side);
}

Size Tile::count_for(const Grid& grid) {
  return grid.num_pixels() / (side_for(grid) * side_for(grid));
}

void Tile::place(const Grid& grid, Ordering ordering, Size x, Size y) {
  const auto c = static_cast<std::size_t>(cell(x, y));
  const FacePixel here{corner_.x + x, corner_.y + y, corner_.face};
  if (here.x >= 0 && here.x < grid.nside() && here.y >= 0 && here.y < grid.nside()) {
    pixels_[c] = grid.number(here, ordering);
    turns_[c] = 0;
    return;
  }
  const Crossing there = cross_edge(grid.nside(), here.x, here.y, here.face);
  pixels_[c] = there.exists ? grid.number(there.pixel, ordering) : absent;
  turns_[c] = static_cast<std::int8_t>(there.turn);
  turned_ = turned_ || (there.exists && there.turn != 0);
}

void Tile::move_nest(Size distance) {
  for (Size y = 0; y < side_; ++y) {
    Size* row = pixels_.data() + cell(0, y);
    for (Size x = 0; x < side_; ++x) row[x] += distance;
  }
}

void Tile::locate(const Grid& grid, Ordering ordering, Size tile) {
  const Size side = side_for(grid), first = tile * side * side;
  corner_ = grid.face_pixel(first, Ordering::nest);
  turned_ = false;
  if (ordering == Ordering::nest && ordering_ == ordering && side_ == side) {
    move_nest(first - first_);
  } else {
    side_ = side;
    ordering_ = ordering;
    pixels_.resize(static_cast<std::size_t>(num_cells()));
    turns_.assign(static_cast<std::size_t>(num_cells()), 0);
    for (Size y = 0; y < side_; ++y) {
      for (Size x = 0; x < side_; ++x) place(grid, ordering, x, y);
    }
  }
  first_ = first;
  for (Size i = -1; i <= side_; ++i) {
    place(grid, ordering, i, -1);
    place(grid, ordering, i, side_);
    if (i < 0 || i == side_) continue;
    place(grid, ordering, -1, i);
    place(grid, ordering, side_, i);
  }
}

std::array<Size, 4> Tile::halo_corners() const {
  return {cell(-1, -1), cell(side_, -1), cell(-1, side_), cell(side_, side_)};
}

Size Tile::inside_of(Size halo_corner) const {
  const Size x = halo_corner % pitch() == 0 ? 0 : side_ - 1;
  const Size y = halo_corner < pitch() ? 0 : side_ - 1;
  return cell(x, y);
}

std::vector<AbsentSlot> absent_slots(const Grid& grid) {
  const Size last = grid.nside() - 1;
  std::vector<AbsentSlot> slots;
  for (Size face = 0; face < 12; ++face) {
    if (face / 4 == 1) {
      slots.push_back({{last, last, face}, 3});  // N
      slots.push_back({{0, 0, face}, 7});        // S
    } else {
      slots.push_back({{0, last, face}, 1});  // W
      slots.push_back({{last, 0, face}, 5});  // E
    }
  }
  return slots;
}

}  // namespace tarn::healpix
