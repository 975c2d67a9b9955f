#include "tarn/graph/healpix/neighbours.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/quad_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <mutex>
#include <type_traits>
#include <variant>

namespace tarn::healpix {

namespace {

/// One coordinate after a crossing: x_factor x + y_factor y + sides nside + shift.
struct Carried {
  Size x_factor, y_factor, sides, shift;
  [[nodiscard]] constexpr Size of(Size x, Size y, Size nside) const {
    return x_factor * x + y_factor * y + sides * nside + shift;
  }
};
constexpr Carried keep_x{1, 0, 0, 0}, up_x{1, 0, 1, 0}, down_x{1, 0, -1, 0}, mirror_x{-1, 0, 0, -1},
    far_x{-1, 0, 2, -1};
constexpr Carried keep_y{0, 1, 0, 0}, up_y{0, 1, 1, 0}, down_y{0, 1, -1, 0}, mirror_y{0, -1, 0, -1},
    far_y{0, -1, 2, -1};

/// What lies behind one edge or corner of a face 4 band + g: a place in face 4 to_band + (g + sideways)
/// mod 4.
struct Behind {
  Carried x, y;
  Size to_band, sideways, turn;
  bool exists = true;
};
constexpr Behind nothing{keep_x, keep_y, 0, 0, 0, false};

/// By band, then by which bounds are broken: x below, within or above, y likewise.
constexpr std::array<std::array<Behind, 9>, 3> behind{{
    {{{up_x, up_y, 2, 0, 0},      // north: x < 0, y < 0
      {up_x, keep_y, 1, 0, 0},    // x < 0
      nothing,                    // x < 0, y >= n
      {keep_x, up_y, 1, 1, 0},    // y < 0
      {keep_x, keep_y, 0, 0, 0},  // inside
      {far_y, keep_x, 0, 3, -2},  // y >= n
      nothing,                    // x >= n, y < 0
      {keep_y, far_x, 0, 1, 2},   // x >= n
      {far_x, far_y, 0, 2, 4}}},  // x >= n, y >= n
    {{nothing,
      {up_x, keep_y, 2, 3, 0},
      {up_x, down_y, 1, 3, 0},
      {keep_x, up_y, 2, 0, 0},
      {keep_x, keep_y, 1, 0, 0},
      {keep_x, down_y, 0, 3, 0},
      {down_x, up_y, 1, 1, 0},
      {down_x, keep_y, 0, 0, 0},
      nothing}},
    {{{mirror_x, mirror_y, 2, 2, 4},
      {keep_y, mirror_x, 2, 3, 2},
      nothing,
      {mirror_y, keep_x, 2, 1, -2},
      {keep_x, keep_y, 2, 0, 0},
      {keep_x, down_y, 1, 0, 0},
      nothing,
      {down_x, keep_y, 1, 1, 0},
      {down_x, down_y, 0, 0, 0}}},
}};

Size bound_broken(Size v, Size nside) {
  return v < 0 ? 0 : v < nside ? 1 : 2;
}

/// Neighbours of a pixel in any place, by NEST number.
std::array<Size, 8> nest_neighbours(const Grid& grid, const FacePixel& p) {
  std::array<Size, 8> result{};
  for (std::size_t k = 0; k < 8; ++k) {
    const Crossing c =
        cross_edge(grid.nside(), p.x + neighbour_steps[k].x, p.y + neighbour_steps[k].y, p.face);
    result[k] = c.exists ? grid.number(c.pixel, Ordering::nest) : absent;
  }
  return result;
}

constexpr Size largest_tile = 32;

/// Neighbours of a square of pixels by NEST number; `store(nest number, neighbours)` for each.
template <class Store>
void for_tile_neighbours(const Grid& grid, Size tile, Store store) {
  const Size n = grid.nside(), side = std::min(n, largest_tile), size = side * side;
  const FacePixel corner = grid.face_pixel(tile * size, Ordering::nest);
  const Size face_start = corner.face * n * n;
  // Interleaved bits of the columns x0-1 .. x0+side, and of the rows; those beyond the face are not used.
  std::array<Size, largest_tile + 2> column{}, row{};
  for (Size i = 0; i < side + 2; ++i) {
    column[static_cast<std::size_t>(i)] = face_start + spread_bits(corner.x + i - 1);
    row[static_cast<std::size_t>(i)] = spread_bits(corner.y + i - 1) << 1;
  }
  for (Size i = 0; i < size; ++i) {
    const Size x = gather_bits(i), y = gather_bits(i >> 1);
    const bool inside = corner.x + x > 0 && corner.x + x < n - 1 && corner.y + y > 0 && corner.y + y < n - 1;
    if (!inside) {
      store(tile * size + i, nest_neighbours(grid, {corner.x + x, corner.y + y, corner.face}));
      continue;
    }
    const Size* c = column.data() + x;
    const Size* r = row.data() + y;
    store(tile * size + i, std::array<Size, 8>{c[0] + r[1], c[0] + r[2], c[1] + r[2], c[2] + r[2],
                                               c[2] + r[1], c[2] + r[0], c[1] + r[0], c[0] + r[0]});
  }
}

template <class Index>
void fill_table(const Grid& grid, Ordering ordering, Index* entries) {
  const Size side = std::min(grid.nside(), largest_tile), tiles = grid.num_pixels() / (side * side);
  if (ordering == Ordering::nest) {
    return for_blocks(tiles, 4, [&](Size begin, Size end) {
      for (Size t = begin; t < end; ++t) {
        for_tile_neighbours(grid, t, [&](Size pixel, const std::array<Size, 8>& found) {
          for (std::size_t k = 0; k < 8; ++k)
            entries[8 * pixel + static_cast<Size>(k)] = static_cast<Index>(found[k]);
        });
      }
    });
  }
  const std::vector<Size> ring = reordering(grid, Ordering::nest, Ordering::ring);
  for_blocks(tiles, 4, [&](Size begin, Size end) {
    for (Size t = begin; t < end; ++t) {
      for_tile_neighbours(grid, t, [&](Size pixel, const std::array<Size, 8>& found) {
        Index* out = entries + 8 * ring[static_cast<std::size_t>(pixel)];
        for (const Size q : found)
          *out++ = static_cast<Index>(q == absent ? absent : ring[static_cast<std::size_t>(q)]);
      });
    }
  });
}

/// Tables of the process, the one used last in front.
class TableCache {
 public:
  template <class Index>
  std::shared_ptr<const NeighbourTable<Index>> get(const Grid& grid, Ordering ordering) {
    const std::shared_ptr<Entry> entry = find(grid, ordering, sizeof(Index));
    // Who asks for the same table meanwhile waits here, not for the whole cache.
    std::call_once(entry->built,
                   [&] { entry->table = std::make_shared<const NeighbourTable<Index>>(grid, ordering); });
    return std::get<std::shared_ptr<const NeighbourTable<Index>>>(entry->table);
  }

  void set_limit(Size bytes) {
    const std::scoped_lock lock(mutex_);
    limit_ = bytes;
    drop_oldest(limit_);
  }

  [[nodiscard]] Size bytes() {
    const std::scoped_lock lock(mutex_);
    return held();
  }

 private:
  struct Entry {
    Grid grid;
    Ordering ordering;
    std::size_t index_bytes;
    std::once_flag built{};
    std::variant<std::shared_ptr<const NeighbourTable<std::int32_t>>,
                 std::shared_ptr<const NeighbourTable<std::int64_t>>>
        table{};
    [[nodiscard]] Size bytes() const { return grid.num_pixels() * 8 * static_cast<Size>(index_bytes); }
  };

  std::shared_ptr<Entry> find(const Grid& grid, Ordering ordering, std::size_t index_bytes) {
    const std::scoped_lock lock(mutex_);
    const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const auto& e) {
      return e->grid == grid && e->ordering == ordering && e->index_bytes == index_bytes;
    });
    if (found != entries_.end()) {
      entries_.splice(entries_.begin(), entries_, found);
      return entries_.front();
    }
    const std::shared_ptr<Entry> entry(new Entry{grid, ordering, index_bytes});
    if (entry->bytes() > limit_) return entry;
    drop_oldest(limit_ - entry->bytes());
    entries_.push_front(entry);
    return entry;
  }

  [[nodiscard]] Size held() const {
    Size total = 0;
    for (const auto& e : entries_) total += e->bytes();
    return total;
  }

  void drop_oldest(Size until) {
    while (!entries_.empty() && held() > until) entries_.pop_back();
  }

  std::mutex mutex_;
  std::list<std::shared_ptr<Entry>> entries_;
  Size limit_ = Size{1} << 30;
};

TableCache& cache() {
  static TableCache tables;
  return tables;
}

}  // namespace

Crossing cross_edge(Size nside, Size x, Size y, Size face) {
  const Size band = face / 4, g = face % 4;
  const auto place = static_cast<std::size_t>(3 * bound_broken(x, nside) + bound_broken(y, nside));
  const Behind& b = behind[static_cast<std::size_t>(band)][place];
  return {b.exists, {b.x.of(x, y, nside), b.y.of(x, y, nside), 4 * b.to_band + (g + b.sideways) % 4}, b.turn};
}

std::array<Size, 8> neighbours(const Grid& grid, Size pixel, Ordering ordering) {
  std::array<Size, 8> result = nest_neighbours(grid, grid.face_pixel(pixel, ordering));
  if (ordering == Ordering::ring) {
    for (Size& q : result) {
      if (q != absent) q = grid.nest_to_ring(q);
    }
  }
  return result;
}

template <class Index>
NeighbourTable<Index>::NeighbourTable(const Grid& grid, Ordering ordering) : num_pixels_(grid.num_pixels()) {
  if (std::is_same_v<Index, std::int32_t> && num_pixels_ > std::numeric_limits<std::int32_t>::max()) {
    throw ValueError(
        fmt::format("healpix-neighbours: nside {} has {} pixels; expected fewer than 2^31 for "
                    "32-bit tables",
                    grid.nside(), num_pixels_));
  }
  entries_.reset(static_cast<Index*>(allocate_memory(static_cast<std::size_t>(bytes()))));
  fill_table(grid, ordering, entries_.get());
}

template <class Index>
std::shared_ptr<const NeighbourTable<Index>> neighbour_table(const Grid& grid, Ordering ordering) {
  return cache().get<Index>(grid, ordering);
}

void set_neighbour_cache_limit(Size bytes) {
  cache().set_limit(bytes);
}

Size neighbour_cache_bytes() {
  return cache().bytes();
}

template class NeighbourTable<std::int32_t>;
template class NeighbourTable<std::int64_t>;
template std::shared_ptr<const NeighbourTable<std::int32_t>> neighbour_table(const Grid&, Ordering);
template std::shared_ptr<const NeighbourTable<std::int64_t>> neighbour_table(const Grid&, Ordering);

}  // namespace tarn::healpix
