#include "tarn/pooling/readouts/super_global.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/linear.hpp"
#include "tarn/core/ops/per_set.hpp"
#include "tarn/core/ops/scaling.hpp"
#include "tarn/core/ops/segment.hpp"
#include "tarn/core/ops/segment_power_mean.hpp"
#include "tarn/core/ops/vector.hpp"
#include "tarn/graph/ops/aggregate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace tarn {

namespace {

/// The grid of a set, and how it is reflected at its edges.
struct Grid {
  Size height, width;

  [[nodiscard]] static Size reflect(Size i, Size n) { return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i; }
  /// f(cell, neighbour) for every cell and the cells within `reach` of it in its row, or in its column.
  template <class F>
  void for_row_windows(Size reach, F f) const {
    for (Size r = 0; r < height; ++r) {
      for (Size c = 0; c < width; ++c) {
        for (Size k = -reach; k <= reach; ++k) f(r * width + c, r * width + reflect(c + k, width));
      }
    }
  }
  template <class F>
  void for_column_windows(Size reach, F f) const {
    for (Size r = 0; r < height; ++r) {
      for (Size k = -reach; k <= reach; ++k) {
        for (Size c = 0; c < width; ++c) f(r * width + c, reflect(r + k, height) * width + c);
      }
    }
  }
};

std::span<const Grid> require_grids(Tape& tape, const SetInput& in, Size reach) {
  if (static_cast<Size>(in.grid.size()) != 2 * in.sets.count()) {
    throw ShapeError(
        fmt::format("regional-gem: grid has {} numbers; expected {} (height and width of every set)",
                    in.grid.size(), 2 * in.sets.count()));
  }
  const auto grids = tape.allocate_array<Grid>(in.sets.count());
  for (std::size_t b = 0; b < grids.size(); ++b) {
    const Size height = in.grid[2 * b], width = in.grid[2 * b + 1], n = in.sets.size(static_cast<Size>(b));
    const bool empty = n == 0 && height * width == 0;
    if (!empty && (height <= reach || width <= reach || height * width != n)) {
      throw ShapeError(
          fmt::format("regional-gem: grid {} is {} x {} for {} rows; expected height and width above {}, "
                      "together all rows",
                      b, height, width, n, reach));
    }
    grids[b] = {height, width};
  }
  return grids;
}

/// Means over windows of a grid, first along its rows, then along its columns. x [N, D] -> [N, D].
Var window_mean(Var x, const Segments& sets, std::span<const Grid> grids, Size reach) {
  Tape& tape = x.tape();
  const Real share = Real(1) / static_cast<Real>((2 * reach + 1) * (2 * reach + 1));
  const Size cols = x.cols();
  // The pass along columns of `first` and then along rows, or the transpose in the reverse order.
  const auto pass = [=](ConstMatrixView from, MatrixView to, auto windows, bool transposed, Real factor) {
    for_segments(sets, 256, [&](Size begin, Size end) {
      for (Size b = begin; b < end; ++b) {
        const Rows rows = sets.rows(b);
        for (Size i = rows.begin; i < rows.end; ++i) std::fill_n(to.row(i), cols, Real{0});
        windows(grids[static_cast<std::size_t>(b)], [&](Size cell, Size neighbour) {
          const Size into = transposed ? neighbour : cell, source = transposed ? cell : neighbour;
          add_scaled(factor, from.row(rows.begin + source), to.row(rows.begin + into), cols);
        });
      }
    });
  };
  const auto along_rows = [=](const Grid& g, auto f) { g.for_row_windows(reach, f); };
  const auto along_columns = [=](const Grid& g, auto f) { g.for_column_windows(reach, f); };
  const MatrixView part = tape.allocate(x.shape()), y = tape.allocate(x.shape());
  pass(x.value(), part, along_rows, false, 1);
  pass(part, y, along_columns, false, share);
  return tape.record("window_mean", x.shape(), y, {x}, [=, &tape](ConstMatrixView dy) {
    const MatrixView middle = tape.allocate({dy.rows, dy.cols}), dx = tape.allocate({dy.rows, dy.cols});
    pass(dy, middle, along_columns, true, share);
    pass(middle, dx, along_rows, true, 1);
    pass_gradient(dx, tape.sink(x));
  });
}

}  // namespace

inline namespace TARN_PRECISION {

RegionalGem::RegionalGem(const Options& o) : Readout("regional-gem", o), o_(o) {
  if (o.size % 2 == 0)
    throw ConfigError(fmt::format("regional-gem.size: got {}; expected an odd number", o.size));
}

Pooled RegionalGem::pool(const SetInput& in) {
  require_non_negative(name(), "x", in.x);
  const Var powers = power(in.x, o_.pr);
  Var mean;  // [N, D]
  if (in.neighbours != nullptr) {
    require_edges_inside(name(), *in.neighbours, in.sets);
    mean = aggregate(*in.neighbours, powers, Aggregate::mean);
  } else {
    const Size reach = (o_.size - 1) / 2;
    mean = window_mean(powers, in.sets, require_grids(in.x.tape(), in, reach), reach);
  }
  const Var y = scale(add(in.x, power(mean, 1 / o_.pr)), 0.5);
  return {segment_power_mean(y, {}, o_.p, {.low = o_.eps}, in.sets)};
}

Pooled ScaleGem::pool(const SetInput& in) {
  if (o_.infinity)
    return {segment_reduce(normalize_rows(in.x, 1e-12, NormGuard::maximum), in.sets, Reduce::max)};
  Tape& tape = in.x.tape();
  const Size width = in.x.cols();
  // As rows of one column, the numbers of a set share their minimum's gradient.
  std::vector<Size> offsets(in.sets.offsets().begin(), in.sets.offsets().end());
  for (Size& offset : offsets) offset *= width;
  const Var least = segment_reduce(reshape(in.x, {in.x.shape().count(), 1}), Segments(std::move(offsets)),
                                   Reduce::min);  // [B, 1]
  const MatrixView ones = tape.allocate({1, width});
  std::fill_n(ones.data, width, Real{1});
  const Var c = multiply_by(least, tape.input(ones, {1, width}));  // [B, D]
  const Var above_least = add_per_set(in.x, scale(c, -1), in.sets);
  return {add(segment_power_mean(above_least, {}, o_.p, {}, in.sets), c)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
