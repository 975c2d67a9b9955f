#include "tarn/graph/healpix/pool.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/group_sums.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tarn {

namespace {

using healpix::Hierarchy;
using healpix::PoolMode;

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

/// The maps of a batch, cut into groups of one coarse pixel each.
struct PoolCall {
  Hierarchy hierarchy;
  PoolMode mode;
  Size maps;
  std::span<const std::uint8_t> kept;  ///< on the tape; empty: all

  [[nodiscard]] Size rows_in() const { return hierarchy.fine().size(); }
  [[nodiscard]] Size rows_out() const { return hierarchy.coarse().size(); }

  /// Calls f(row of the result, rows of the input that count) for every group, in parallel.
  template <class F>
  void for_groups(F f) const {
    const Size block = std::max<Size>(1, 1024 / hierarchy.num_children());
    for_blocks(maps * rows_out(), block, [&](Size begin, Size end) {
      std::vector<Size> rows;
      for (Size group = begin; group < end; ++group) {
        rows.clear();
        const Size start = group / rows_out() * rows_in();
        hierarchy.for_children(group % rows_out(), [&](Size row, Size) {
          if (kept.empty() || kept[at(row)] != 0) rows.push_back(start + row);
        });
        f(group, std::span<const Size>(rows));
      }
    });
  }
};

/// Value and row of the maximum of each channel: the first of equals, a NaN before any number.
void max_of_rows(ConstMatrixView x, std::span<const Size> rows, Real* y, Size* winner) {
  std::fill_n(winner, x.cols, rows.empty() ? -1 : rows[0]);
  for (Size c = 0; c < x.cols; ++c) y[c] = rows.empty() ? Real{0} : x(rows[0], c);
  for (const Size row : rows) {
    for (Size c = 0; c < x.cols; ++c) {
      const Real v = x(row, c);
      if (!(v > y[c] || (v != v && y[c] == y[c]))) continue;
      y[c] = v;
      winner[c] = row;
    }
  }
}

Real share_of(PoolMode mode, std::size_t kept) {
  return mode == PoolMode::mean && kept > 0 ? Real(1) / static_cast<Real>(kept) : Real{1};
}

Var pool_max(const PoolCall& call, Var x, const Shape& shape, std::span<Size> winner) {
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const MatrixView y = tape.allocate(shape);
  call.for_groups([&](Size group, std::span<const Size> rows) {
    max_of_rows(in, rows, y.row(group), winner.data() + group * y.cols);
  });
  return tape.record("healpix_pool", shape, y, {x}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dx = tape.grad(x);
    // Each input belongs to one group, so that no two of them write to the same place.
    for_blocks(dy.rows, 1024, [&](Size begin, Size end) {
      for (Size group = begin; group < end; ++group) {
        const Size* won = winner.data() + group * dy.cols;
        for (Size c = 0; c < dy.cols; ++c) {
          if (won[c] >= 0) dx(won[c], c) += dy(group, c);
        }
      }
    });
  });
}

Var pool_sum(const PoolCall& call, Var x, const Shape& shape) {
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const MatrixView y = tape.allocate(shape);
  call.for_groups([&](Size group, std::span<const Size> rows) {
    healpix::sum_rows_pairwise(in, rows, y.row(group));
    const Real share = share_of(call.mode, rows.size());
    for (Size c = 0; c < y.cols; ++c) y(group, c) *= share;
  });
  return tape.record("healpix_pool", shape, y, {x}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dx = tape.grad(x);
    call.for_groups([&](Size group, std::span<const Size> rows) {
      const Real share = share_of(call.mode, rows.size());
      for (const Size row : rows) {
        for (Size c = 0; c < dy.cols; ++c) dx(row, c) += share * dy(group, c);
      }
    });
  });
}

void require_mask(std::span<const std::uint8_t> mask, Size rows) {
  if (static_cast<Size>(mask.size()) != rows) {
    throw ShapeError(fmt::format("healpix-pool: mask has {} entries; expected {}", mask.size(), rows));
  }
  const auto bad = std::find_if(mask.begin(), mask.end(), [](std::uint8_t m) { return m > 1; });
  if (bad == mask.end()) return;
  throw ValueError(
      fmt::format("healpix-pool: mask is {} at row {}; expected 0 or 1", *bad, bad - mask.begin()));
}

}  // namespace

void HealpixPoolOptions::fields(Fields& f) {
  f("nside_in", nside_in, at_least(1), "resolution of the maps that come in");
  f("nside_out", nside_out, at_least(1), "resolution of the result, at most nside_in");
  f("ordering", ordering, "how the pixels of both are numbered");
  f("mode", mode, "what stands for a group of pixels");
  f("pixels", pixels, at_least(0), "pixels of a partial sky, ascending; null: all");
}

inline namespace TARN_PRECISION {

namespace {
healpix::SkyOptions sky_options(const HealpixPoolOptions& o) {
  check_options(o, "healpix-pool");
  return {.nside = o.nside_in, .ordering = o.ordering, .pixels = o.pixels};
}
}  // namespace

HealpixPool::HealpixPool(const Options& options)
    : hierarchy_(sky_options(options).sky("healpix-pool"), options.nside_out, "healpix-pool"),
      mode_(options.mode) {}

PooledMaps HealpixPool::pool(Var x, std::span<const std::uint8_t> mask) const {
  Tape& tape = x.tape();
  PoolCall call{.hierarchy = hierarchy_, .mode = mode_, .maps = 0, .kept = {}};
  call.maps = healpix::count_maps("healpix-pool", x, call.rows_in(), x.cols());
  PooledMaps result;
  if (!mask.empty() || call.rows_in() == 0) {
    require_mask(mask, call.rows_in());
    const auto kept = tape.allocate_array<std::uint8_t>(call.rows_in());
    std::copy(mask.begin(), mask.end(), kept.begin());
    call.kept = kept;
    result.mask.assign(at(call.rows_out()), 0);
    for (Size q = 0; q < call.rows_out(); ++q) {
      hierarchy_.for_children(q, [&](Size row, Size) { result.mask[at(q)] |= kept[at(row)]; });
    }
  }
  const Shape shape = healpix::map_shape(x, call.maps, call.rows_out(), x.cols());
  if (mode_ != PoolMode::max) {
    result.y = pool_sum(call, x, shape);
    return result;
  }
  const auto winner = tape.allocate_array<Size>(shape.count());
  result.y = pool_max(call, x, shape, winner);
  const auto argmax = tape.allocate_array<Size>(shape.count());
  std::transform(winner.begin(), winner.end(), argmax.begin(),
                 [&](Size row) { return row < 0 ? row : hierarchy_.fine().pixel(row % call.rows_in()); });
  result.argmax = argmax;
  return result;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
