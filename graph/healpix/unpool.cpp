#include "tarn/graph/healpix/unpool.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/group_sums.hpp"
#include "tarn/graph/healpix/nine_point.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

namespace {

using healpix::Hierarchy;

constexpr Size rows_per_block = 1024;

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

Var repeat(const Hierarchy& hierarchy, Size maps, Var x) {
  Tape& tape = x.tape();
  const Size coarse = hierarchy.coarse().size(), fine = hierarchy.fine().size();
  const ConstMatrixView in = x.value();
  const Shape shape = healpix::map_shape(x, maps, fine, x.cols());
  const MatrixView y = tape.allocate(shape);
  const Size block = std::max<Size>(1, rows_per_block / hierarchy.num_children());
  for_blocks(maps * coarse, block, [&](Size begin, Size end) {
    for (Size q = begin; q < end; ++q) {
      hierarchy.for_children(q % coarse, [&](Size row, Size) {
        std::copy_n(in.row(q), in.cols, y.row(q / coarse * fine + row));
      });
    }
  });
  return tape.record("healpix_unpool", shape, y, {x}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dx = tape.grad(x);
    for_blocks(maps * coarse, block, [&](Size begin, Size end) {
      std::vector<Size> rows;
      std::vector<Real> sum(at(dy.cols));
      for (Size q = begin; q < end; ++q) {
        rows.clear();
        hierarchy.for_children(q % coarse, [&](Size row, Size) { rows.push_back(q / coarse * fine + row); });
        healpix::sum_rows_pairwise(dy, rows, sum.data());
        for (Size c = 0; c < dy.cols; ++c) dx(q, c) += sum[at(c)];
      }
    });
  });
}

/// The row of each target, -1 for none.
void locate_targets(const Hierarchy& hierarchy, Size maps, Size channels, std::span<const Size> argmax,
                    std::span<Size> targets) {
  const Size coarse = hierarchy.coarse().size(), fine = hierarchy.fine().size();
  if (static_cast<Size>(argmax.size()) != maps * coarse * channels) {
    throw ShapeError(fmt::format("healpix-unpool: argmax has {} entries; expected {}, one per number of x",
                                 argmax.size(), maps * coarse * channels));
  }
  for (Size q = 0; q < maps * coarse; ++q) {
    for (Size c = 0; c < channels; ++c) {
      const Size pixel = argmax[at(q * channels + c)];
      Size& target = targets[at(q * channels + c)];
      target = -1;
      if (pixel == -1) continue;
      hierarchy.for_children(q % coarse, [&](Size row, Size) {
        if (hierarchy.fine().pixel(row) == pixel) target = q / coarse * fine + row;
      });
      if (target >= 0) continue;
      throw ValueError(
          fmt::format("healpix-unpool: argmax {} at row {}, channel {}; expected a descendant of "
                      "pixel {}, or -1",
                      pixel, q, c, hierarchy.coarse().pixel(q % coarse)));
    }
  }
}

}  // namespace

void HealpixUnpoolOptions::fields(Fields& f) {
  f("nside_in", nside_in, at_least(1), "resolution of the maps that come in");
  f("nside_out", nside_out, at_least(1), "resolution of the result, at least nside_in");
  f("ordering", ordering, "how the pixels of both are numbered");
  f("mode", mode, "where a value goes");
  f("pixels", pixels, at_least(0), "pixels of a partial sky at nside_out, ascending; null: all");
}

inline namespace TARN_PRECISION {

namespace {
healpix::SkyOptions sky_options(const HealpixUnpoolOptions& o) {
  check_options(o, "healpix-unpool");
  return {.nside = o.nside_out, .ordering = o.ordering, .pixels = o.pixels};
}
}  // namespace

HealpixUnpool::HealpixUnpool(const Options& options)
    : hierarchy_(sky_options(options).sky("healpix-unpool"), options.nside_in, "healpix-unpool"),
      mode_(options.mode) {}

Var HealpixUnpool::forward(Var x) {
  if (mode_ == UnpoolMode::max) {
    throw ValueError("healpix-unpool: mode max without argmax; expected that of the matching pool");
  }
  return repeat(hierarchy_, healpix::count_maps("healpix-unpool", x, input_sky().size(), x.cols()), x);
}

Var HealpixUnpool::unpool(Var x, std::span<const Size> argmax) const {
  if (mode_ != UnpoolMode::max) throw ValueError("healpix-unpool: argmax in mode repeat; expected mode max");
  Tape& tape = x.tape();
  const Size maps = healpix::count_maps("healpix-unpool", x, input_sky().size(), x.cols());
  const ConstMatrixView in = x.value();
  const Shape shape = healpix::map_shape(x, maps, output_sky().size(), x.cols());
  const auto targets = tape.allocate_array<Size>(in.size());
  locate_targets(hierarchy_, maps, in.cols, argmax, targets);
  const MatrixView y = tape.allocate(shape);
  std::fill_n(y.data, y.size(), Real{0});
  for (Size q = 0; q < in.rows; ++q) {
    for (Size c = 0; c < in.cols; ++c) {
      if (const Size row = targets[at(q * in.cols + c)]; row >= 0) y(row, c) = in(q, c);
    }
  }
  return tape.record("healpix_unpool", shape, y, {x}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dx = tape.grad(x);
    for (Size q = 0; q < dx.rows; ++q) {
      for (Size c = 0; c < dx.cols; ++c) {
        if (const Size row = targets[at(q * dx.cols + c)]; row >= 0) dx(q, c) += dy(row, c);
      }
    }
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
