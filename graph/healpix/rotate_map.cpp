#include "tarn/graph/healpix/rotate_map.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/vector.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/interpolation.hpp"
#include "tarn/graph/healpix/nine_point.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

namespace tarn::healpix {

namespace {

constexpr Size rows_per_block = 1024;

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

/// A sparse matrix in compressed rows: where the numbers of each row come from.
struct Gather {
  std::vector<Size> offsets;
  std::vector<Size> sources;
  std::vector<double> weights;

  [[nodiscard]] Size rows() const { return static_cast<Size>(offsets.size()) - 1; }
};

Gather transposed(const Gather& g) {
  Gather t{std::vector<Size>(g.offsets.size(), 0), std::vector<Size>(g.sources.size()),
           std::vector<double>(g.sources.size())};
  for (const Size s : g.sources) ++t.offsets[at(s + 1)];
  for (std::size_t i = 1; i < t.offsets.size(); ++i) t.offsets[i] += t.offsets[i - 1];
  std::vector<Size> next = t.offsets;
  for (Size row = 0; row < g.rows(); ++row) {
    for (Size e = g.offsets[at(row)]; e < g.offsets[at(row + 1)]; ++e) {
      const Size place = next[at(g.sources[at(e)])]++;
      t.sources[at(place)] = row;
      t.weights[at(place)] = g.weights[at(e)];
    }
  }
  return t;
}

}  // namespace

inline namespace TARN_PRECISION {

struct MapRotation::Links {
  Gather forward;
  mutable std::once_flag transposed_once;
  mutable Gather transposed_links;

  [[nodiscard]] const Gather& backward() const {
    std::call_once(transposed_once, [&] { transposed_links = transposed(forward); });
    return transposed_links;
  }
};

namespace {

void gather(const Gather& links, ConstMatrixView x, MatrixView y, Write write) {
  for_blocks(y.rows, rows_per_block, [&](Size begin, Size end) {
    for (Size row = begin; row < end; ++row) {
      if (write == Write::assign) std::fill_n(y.row(row), y.cols, Real{0});
      const Size start = row / links.rows() * links.rows(), p = row % links.rows();
      for (Size e = links.offsets[at(p)]; e < links.offsets[at(p + 1)]; ++e) {
        add_scaled(static_cast<Real>(links.weights[at(e)]), x.row(start + links.sources[at(e)]), y.row(row),
                   y.cols);
      }
    }
  });
}

}  // namespace

MapRotation::MapRotation(const Grid& grid, Ordering ordering, const Rotation& rotation,
                         MapInterpolation interpolation) {
  const Size per_pixel = interpolation == MapInterpolation::bilinear ? 4 : 1, pixels = grid.num_pixels();
  auto links = std::make_shared<Links>();
  Gather& g = links->forward;
  g.sources.resize(at(per_pixel * pixels));
  g.weights.assign(at(per_pixel * pixels), 1);
  for (Size p = 0; p <= pixels; ++p) g.offsets.push_back(per_pixel * p);
  const Rotation back = rotation.inverse();
  for_blocks(pixels, rows_per_block, [&](Size begin, Size end) {
    for (Size p = begin; p < end; ++p) {
      const Vector from = back(grid.vector(p, ordering));
      if (per_pixel == 1) {
        g.sources[at(p)] = grid.pixel_at(from, ordering);
        continue;
      }
      const Interpolation between = interpolate(grid, to_angles(from), ordering);
      for (std::size_t k = 0; k < 4; ++k) {
        g.sources[at(4 * p) + k] = between.pixels[k];
        g.weights[at(4 * p) + k] = between.weights[k];
      }
    }
  });
  links_ = std::move(links);
}

Var MapRotation::operator()(Var x) const {
  Tape& tape = x.tape();
  static_cast<void>(count_maps("healpix-rotate-map", x, links_->forward.rows(), x.cols()));
  const MatrixView y = tape.allocate(x.shape());
  gather(links_->forward, x.value(), y, Write::assign);
  return tape.record("healpix_rotate_map", x.shape(), y, {x}, [links = links_, x, &tape](ConstMatrixView dy) {
    const GradSink dx = tape.sink(x);
    gather(links->backward(), dy, dx.view, dx.write);
  });
}

void MapRotation::apply(ConstMatrixView x, MatrixView y) const {
  const Size pixels = links_->forward.rows();
  if (x.rows != pixels || y.rows != pixels || x.cols != y.cols) {
    throw ShapeError(
        fmt::format("healpix-rotate-map: maps are [{}, {}] and [{}, {}]; expected {} pixels each", x.rows,
                    x.cols, y.rows, y.cols, pixels));
  }
  gather(links_->forward, x, y, Write::assign);
}

}  // namespace TARN_PRECISION
}  // namespace tarn::healpix
