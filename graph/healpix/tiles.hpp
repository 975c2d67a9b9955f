#pragma once

#include "tarn/graph/healpix/grid.hpp"

#include <cstdint>

namespace tarn::healpix {

/// A square of pixels of one face with the pixels around it. Faces are squares, so that the nine-point
/// convolution is a plain 3 x 3 stencil on these cells, also where a pixel has seven neighbours.
class Tile {
 public:
  /// Sides of tiles: whole faces up to 32 pixels.
  [[nodiscard]] static Size side_for(const Grid& grid);
  [[nodiscard]] static Size count_for(const Grid& grid);

  /// Finds the pixels of a tile 0 .. count-1, in the order of NEST numbers.
  void locate(const Grid& grid, Ordering ordering, Size tile);

  [[nodiscard]] Size side() const { return side_; }
  /// Cells of a row: the side and one at each end.
  [[nodiscard]] Size pitch() const { return side_ + 2; }
  [[nodiscard]] Size num_cells() const { return pitch() * pitch(); }
  /// Place of a cell, x and y in -1 .. side.
  [[nodiscard]] Size cell(Size x, Size y) const { return (y + 1) * pitch() + x + 1; }
  /// Pixel number at a cell, or -1 where only seven pixels meet.
  [[nodiscard]] Size pixel(Size cell) const { return pixels_[static_cast<std::size_t>(cell)]; }
  /// How far the compass turns on the way from the tile to a cell, in eighths of a circle.
  [[nodiscard]] Size turn(Size cell) const { return turns_[static_cast<std::size_t>(cell)]; }
  /// Some cell lies behind a turn.
  [[nodiscard]] bool turns() const { return turned_; }
  /// The four cells at the corners of the halo; only they can be absent, or behind a turn of 4.
  [[nodiscard]] std::array<Size, 4> halo_corners() const;
  /// The tile's own cell next to a corner of the halo.
  [[nodiscard]] Size inside_of(Size halo_corner) const;

 private:
  void place(const Grid& grid, Ordering ordering, Size x, Size y);
  /// From one tile to another of the same side: the numbers inside differ by the same amount.
  void move_nest(Size distance);

  Size side_ = 0;
  Size first_ = 0;
  Ordering ordering_ = Ordering::nest;
  FacePixel corner_;
  std::vector<Size> pixels_;
  std::vector<std::int8_t> turns_;
  bool turned_ = false;
};

/// A slot of a pixel that has no neighbour there.
struct AbsentSlot {
  FacePixel pixel;
  Size slot = 0;  ///< 0 .. 7, as neighbour_steps
};
/// All of them: 24.
[[nodiscard]] std::vector<AbsentSlot> absent_slots(const Grid& grid);

}  // namespace tarn::healpix
