#include "tarn/graph/healpix/nine_point_tiles.hpp"

#include "tarn/core/ops/simd.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/neighbours.hpp"
#include "tarn/graph/healpix/nine_point_detail.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace tarn::healpix {
inline namespace TARN_PRECISION {

namespace {

/// Cells in a run that keep the kernel's registers busy.
constexpr Size long_run = 48;
/// Results above this size find no place in the caches of common processors.
constexpr Size cache_bytes = Size{16} << 20;

/// Stands for the neighbours that do not exist: `step` numbers in each of the cells of a group.
void fill_absent(const TileWork& work, Missing missing, Real* cells) {
  if (missing == Missing::zero || missing == Missing::renormalize) return;
  const Size numbers = work.group * work.step;
  const Size pitch = work.tile.pitch();
  for (const Size corner : work.tile.halo_corners()) {
    if (work.tile.pixel(corner) != absent) continue;
    const Size inside = work.tile.inside_of(corner);
    Real* out = cells + corner * numbers;
    if (missing == Missing::self) {
      std::copy_n(cells + inside * numbers, numbers, out);
      continue;
    }
    const Real* beside = cells + (inside / pitch * pitch + corner % pitch) * numbers;
    const Real* above = cells + (corner / pitch * pitch + inside % pitch) * numbers;
    for (Size i = 0; i < numbers; ++i) out[i] = Real(0.5) * (beside[i] + above[i]);
  }
}

/// Under `renormalize`, scales the sums of one row of a tile where pixels lack neighbours.
void renormalize_row(const TileWork& work, Size y, Size width, Real* sums) {
  const Tile& tile = work.tile;
  for (const Size x : {Size{0}, tile.side() - 1}) {
    Size missing = 0;
    for (const Size corner : tile.halo_corners())
      missing += tile.inside_of(corner) == tile.cell(x, y) && tile.pixel(corner) == absent;
    if (missing == 0) continue;
    Real* run = sums + x * work.group * width;
    for (Size i = 0; i < work.group * width; ++i) run[i] *= renormalized(missing);
    if (tile.side() == 1) break;
  }
}

/// The sums of four sibling pixels, channel by channel.
struct Siblings {
  std::array<const Real*, 4> sums;
  const Real* bias;  ///< may be null
};

/// One byte for each lane of a vector of whole numbers.
template <class Codes>
[[gnu::always_inline]] inline void store_codes(std::uint8_t* to, Codes codes) {
  if constexpr (std::is_integral_v<Codes>) {
    *to = static_cast<std::uint8_t>(codes);
  } else {
    constexpr std::size_t lanes = sizeof(Codes) / sizeof(codes[0]);
    typedef std::uint8_t Bytes __attribute__((vector_size(lanes)));  // `using` drops it
    const Bytes bytes = __builtin_convertvector(codes, Bytes);
    std::memcpy(to, &bytes, lanes);
  }
}

/// Bias, activation and pooling of four siblings: the value of each channel, and as bits which of them its
/// gradient goes to.
template <PoolMode mode, bool relu, bool biased>
void pool_channels(const Siblings& from, Size count, Real* out, std::uint8_t* codes) {
  simd::for_columns<1>(count, [&](auto block, Size o) {
    using V = typename decltype(block)::Vector;
    using Codes = std::conditional_t<std::is_same_v<V, Real>, int, decltype(V{} > V{})>;
    const V zero{};
    const Codes none{};
    std::array<V, 4> v;
    for (std::size_t i = 0; i < 4; ++i) {
      v[i] = simd::load<V>(from.sums[i] + o);
      if constexpr (biased) v[i] += simd::load<V>(from.bias + o);
      if constexpr (relu) v[i] = v[i] < zero ? zero : v[i];
    }
    if constexpr (mode == PoolMode::max) {
      V best = v[0];
      Codes code = none + 1;
      for (std::size_t i = 1; i < 4; ++i) {
        const auto better = (v[i] > best) | ((v[i] != v[i]) & (best == best));
        best = better ? v[i] : best;
        code = better ? none + (1 << i) : code;
      }
      if constexpr (relu) code = best > zero ? code : none;
      simd::store(out + o, best);
      store_codes(codes + o, code);
    } else {
      Codes code = none;
      for (std::size_t i = 0; i < 4; ++i) {
        const Codes part = none + (1 << i);
        code |= relu ? (v[i] > zero ? part : none) : part;
      }
      const V sum = (v[0] + v[1]) + (v[2] + v[3]);
      simd::store(out + o, mode == PoolMode::mean ? sum * Real(0.25) : sum);
      store_codes(codes + o, code);
    }
  });
}

using PoolChannels = void (*)(const Siblings&, Size, Real*, std::uint8_t*);

template <PoolMode mode>
PoolChannels pool_channels_of(bool relu, bool biased) {
  if (relu) return biased ? pool_channels<mode, true, true> : pool_channels<mode, true, false>;
  return biased ? pool_channels<mode, false, true> : pool_channels<mode, false, false>;
}

PoolChannels pool_channels_of(const ConvCall& call) {
  const bool biased = call.bias_values() != nullptr;
  switch (*call.epilogue.pool) {
    case PoolMode::max:
      return pool_channels_of<PoolMode::max>(call.relu(), biased);
    case PoolMode::mean:
      return pool_channels_of<PoolMode::mean>(call.relu(), biased);
    default:
      return pool_channels_of<PoolMode::sum>(call.relu(), biased);
  }
}

/// Bias, activation and pooling of one pair of rows, written to the pooled map.
void pool_rows(const TileWork& work, const ConvCall& call, PoolChannels pool, Size y, const Real* sums,
               Size width, MatrixView out, std::uint8_t* codes) {
  const Size row = work.tile.side() * work.group * width;
  thread_local std::vector<std::uint8_t> unused;  // of a pass without gradient
  unused.resize(static_cast<std::size_t>(call.out));
  for (Size x = 0; x < work.tile.side(); x += 2) {
    const Size parent = work.tile.pixel(work.tile.cell(x, y - 1)) / 4;
    for (Size g = 0; g < work.group; ++g) {
      const Real* left = sums + (x * work.group + g) * width;
      const Real* right = left + work.group * width;
      const Size place = (work.first_map + g) * (call.pixels / 4) + parent;
      pool({{left, right, left + row, right + row}, call.bias_values()}, call.out, out.row(place),
           codes == nullptr ? unused.data() : codes + place * call.out);
    }
  }
}

/// Places of the cells of row y in a map.
void locate_row(const TileWork& work, Size y, Size pixels, MatrixView map, std::vector<Real*>& places) {
  places.resize(static_cast<std::size_t>(work.tile.side() * work.group));
  Real** place = places.data();
  for (Size x = 0; x < work.tile.side(); ++x) {
    Real* first = map.row(work.first_map * pixels + work.tile.pixel(work.tile.cell(x, y)));
    for (Size g = 0; g < work.group; ++g) *place++ = first + g * pixels * map.stride;
  }
}

void forward_job(const ConvCall& call, const TilePlan& plan, const PackedTaps& taps, Size job, MatrixView out,
                 std::uint8_t* codes) {
  thread_local TileWork work;
  thread_local std::vector<Real> sums;
  thread_local std::vector<Real*> places;
  load_input(work, plan, call, job, taps.read_width());

  const Size side = work.tile.side(), run = side * work.group, width = taps.width();
  const bool rescaled = call.missing == Missing::renormalize, pooled = call.epilogue.pool.has_value();
  const PoolChannels pool = pooled ? pool_channels_of(call) : nullptr;
  sums.resize(static_cast<std::size_t>(2 * run * width));
  const auto offsets = work.neighbour_offsets();
  for (Size y = 0; y < side; ++y) {
    if (!pooled) locate_row(work, y, call.pixels, out, places);
    if (!pooled && !rescaled) {
      multiply_cells(work.cell(0, y), work.step, offsets, taps,
                     {.cells = places,
                      .bias = call.bias_values(),
                      .relu = call.relu(),
                      .stream = out.size() * static_cast<Size>(sizeof(Real)) > cache_bytes});
      continue;
    }
    Real* row = sums.data() + (pooled ? y % 2 : 0) * run * width;
    multiply_cells(work.cell(0, y), work.step, offsets, taps, run, row);
    if (rescaled) renormalize_row(work, y, width, row);
    if (!pooled) {
      for (Size i = 0; i < run; ++i) finish_pixel(row + i * width, call, places[static_cast<std::size_t>(i)]);
    } else if (y % 2 == 1) {
      pool_rows(work, call, pool, y, sums.data(), width, out, codes);
    }
  }
}

}  // namespace

TilePlan::TilePlan(const Grid& grid_in, Ordering ordering_in, Size maps_in)
    : grid(grid_in),
      ordering(ordering_in),
      maps(maps_in),
      together(std::clamp<Size>(long_run / Tile::side_for(grid_in), 1, std::max<Size>(maps_in, 1))),
      tiles(Tile::count_for(grid_in)) {}

void TileWork::start(const TilePlan& plan, Size job, Size step_in) {
  tile.locate(plan.grid, plan.ordering, job % plan.tiles);
  first_map = job / plan.tiles * plan.together;
  group = std::min(plan.together, plan.maps - first_map);
  step = step_in;
  cells.resize(static_cast<std::size_t>(tile.num_cells() * group * step));
}

std::array<Size, 9> TileWork::neighbour_offsets() const {
  std::array<Size, 9> offsets{};
  for (std::size_t k = 0; k < 8; ++k)
    offsets[k + 1] = (neighbour_steps[k].y * tile.pitch() + neighbour_steps[k].x) * group * step;
  return offsets;
}

void load_input(TileWork& work, const TilePlan& plan, const ConvCall& call, Size job, Size step) {
  const ConstMatrixView x = call.x.value();
  work.start(plan, job, step);
  if (call.in == 1 && step == 1) {
    work.fill(CellsBehindTurns::read, [&](Size g, Size pixel, Real* cell) {
      *cell = *x.row((work.first_map + g) * call.pixels + pixel);
    });
    return fill_absent(work, call.missing, work.cells.data());
  }
  work.fill(CellsBehindTurns::read, [&](Size g, Size pixel, Real* cell) {
    std::copy_n(x.row((work.first_map + g) * call.pixels + pixel), call.in, cell);
    std::fill(cell + call.in, cell + work.step, Real{0});
  });
  fill_absent(work, call.missing, work.cells.data());
}

Var convolve_tiles(const Grid& grid, Ordering ordering, const ConvCall& call) {
  Tape& tape = call.x.tape();
  const TilePlan plan(grid, ordering, call.maps);
  const Size pixels_out = call.epilogue.pool ? call.pixels / 4 : call.pixels;
  const Shape shape = map_shape(call.x, call.maps, pixels_out, call.out);
  const MatrixView y = tape.allocate(shape);
  const bool needs_codes = call.epilogue.pool && (call.x.needs_grad() || call.weight.needs_grad() ||
                                                  (call.bias.given() && call.bias.needs_grad()));
  std::uint8_t* const codes =
      needs_codes ? tape.allocate_array<std::uint8_t>(call.rows_out() * call.out).data() : nullptr;
  const PackedTaps taps(9, call.in, call.out, [&](Size k, Size i, Size o) { return call.element(k, i, o); });
  for_blocks(plan.jobs(), 1, [&](Size job, Size) { forward_job(call, plan, taps, job, y, codes); });

  return tape.record(
      "healpix_conv", shape, y, {call.x, call.weight, call.bias}, [=, &tape](ConstMatrixView dy) {
        const PreGradient gradient{.dy = dy,
                                   .y = y,
                                   .codes = codes,
                                   .share = call.epilogue.pool == PoolMode::mean ? Real(0.25) : Real(1),
                                   .relu = call.relu()};
        convolve_tiles_backward(tape, plan, call, gradient);
      });
}

}  // namespace TARN_PRECISION
}  // namespace tarn::healpix
