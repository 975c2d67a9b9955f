#pragma once

#include "tarn/core/memory.hpp"
#include "tarn/graph/healpix/grid.hpp"

#include <cstdint>
#include <memory>

namespace tarn::healpix {

/// The eight neighbours of a pixel, by their step in its face's frame: slot k is here at k, in convolutions
/// (where 0 is the pixel itself) at k + 1.
struct Step {
  Size x;
  Size y;
};
inline constexpr std::array<Step, 8> neighbour_steps{
    {{-1, 0}, {-1, 1}, {0, 1}, {1, 1}, {1, 0}, {1, -1}, {0, -1}, {-1, -1}}};  // SW W NW N NE E SE S
inline constexpr Size absent = -1;

/// Where a place beside a face lies.
struct Crossing {
  bool exists = false;  ///< false where only seven pixels meet
  FacePixel pixel;
  Size turn = 0;  ///< by how many eighths of a circle the compass turns on the way: 0, 2, -2 or 4
};

/// Carries a place of a halo of one, x and y in -1 .. nside, to the face that it lies on. Places inside the
/// face stay.
[[nodiscard]] Crossing cross_edge(Size nside, Size x, Size y, Size face);

/// The slot in which q finds p, given that p finds q in slot k (0 .. 7) by a step with this turn. Opposite
/// slots for turn 0.
[[nodiscard]] constexpr Size returning_slot(Size k, Size turn) {
  return (k + 4 + turn + 8) % 8;
}

/// Neighbours in the order SW, W, NW, N, NE, E, SE, S; `absent` where there is none: for 24 pixels one, at
/// nside 1 two for each pixel. Throws ValueError for a pixel that the grid has not.
[[nodiscard]] std::array<Size, 8> neighbours(const Grid& grid, Size pixel, Ordering ordering);

/// The neighbours of all pixels, [P, 8]. Immutable.
template <class Index>
class NeighbourTable {
 public:
  NeighbourTable(const Grid& grid, Ordering ordering);
  [[nodiscard]] std::span<const Index, 8> row(Size pixel) const {
    return std::span<const Index, 8>(entries_.get() + 8 * pixel, 8);
  }
  [[nodiscard]] Size num_pixels() const { return num_pixels_; }
  [[nodiscard]] Size bytes() const { return num_pixels_ * 8 * static_cast<Size>(sizeof(Index)); }

 private:
  Size num_pixels_;
  std::unique_ptr<Index[], FreeMemory> entries_;
};

/// A table from the cache of the process, built in parallel on first use and kept until newer ones need its
/// place. May be called from several threads. Index is std::int64_t, or std::int32_t for fewer than 2^31
/// pixels (ValueError otherwise).
template <class Index>
[[nodiscard]] std::shared_ptr<const NeighbourTable<Index>> neighbour_table(const Grid& grid,
                                                                           Ordering ordering);

/// Bytes of tables that the cache may hold, 1 GiB at first; a larger table is built and not kept.
void set_neighbour_cache_limit(Size bytes);
/// Bytes that it holds now.
[[nodiscard]] Size neighbour_cache_bytes();

extern template class NeighbourTable<std::int32_t>;
extern template class NeighbourTable<std::int64_t>;

}  // namespace tarn::healpix
