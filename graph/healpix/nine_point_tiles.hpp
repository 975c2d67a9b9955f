#pragma once

#include "tarn/graph/healpix/nine_point_detail.hpp"
#include "tarn/graph/healpix/tiles.hpp"

namespace tarn::healpix {
inline namespace TARN_PRECISION {

/// How full maps are cut into jobs: a tile of a few maps each. Depends on the shapes alone.
struct TilePlan {
  TilePlan(const Grid& grid, Ordering ordering, Size maps);

  Grid grid;
  Ordering ordering;
  Size maps;
  Size together;  ///< maps of a job: their cells lie side by side, which makes long runs of small tiles
  Size tiles;
  [[nodiscard]] Size jobs() const { return (maps + together - 1) / together * tiles; }
};

enum class CellsBehindTurns { read, zero };

/// The cells of one job, tile with halo: rows of cells, each with the maps of the group one after another and
/// `step` numbers of each.
struct TileWork {
  Tile tile;
  Size first_map = 0, group = 0, step = 0;
  std::vector<Real> cells;

  void start(const TilePlan& plan, Size job, Size step_in);
  [[nodiscard]] Real* cell(Size x, Size y) { return cells.data() + tile.cell(x, y) * group * step; }
  /// From a cell to itself and its eight neighbours.
  [[nodiscard]] std::array<Size, 9> neighbour_offsets() const;

  /// Calls read(map of the group, pixel, numbers) for every cell; cells without a pixel become zero.
  template <class Read>
  void fill(CellsBehindTurns turned, Read read) {
    for (Size c = 0; c < tile.num_cells(); ++c) {
      Real* out = cells.data() + c * group * step;
      if (tile.pixel(c) < 0 || (turned == CellsBehindTurns::zero && tile.turn(c) != 0)) {
        std::fill_n(out, group * step, Real{0});
        continue;
      }
      for (Size g = 0; g < group; ++g) read(g, tile.pixel(c), out + g * step);
    }
  }
};

/// The cells of the input, those that do not exist filled by the call's rule, `step` numbers of each.
void load_input(TileWork& work, const TilePlan& plan, const ConvCall& call, Size job, Size step);

void convolve_tiles_backward(Tape& tape, const TilePlan& plan, const ConvCall& call,
                             const PreGradient& gradient);

}  // namespace TARN_PRECISION
}  // namespace tarn::healpix
