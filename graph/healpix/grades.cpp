#include "tarn/graph/healpix/grades.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/hierarchy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn::healpix {
inline namespace TARN_PRECISION {

namespace {

void require_map(const char* where, const Tensor& map, Size pixels, Size nside) {
  if (map.shape().rank() == 2 && map.shape()[0] == pixels) return;
  throw ShapeError(
      fmt::format("{}: map is {}; expected [{}, C] at nside {}", where, map.shape().text(), pixels, nside));
}

double scale_of(Size nside_in, Size nside_out, double power) {
  return std::pow(static_cast<double>(nside_out) / static_cast<double>(nside_in), power);
}

constexpr Size rows_per_block = 256;

}  // namespace

bool is_unseen(Real value) {
  return std::abs(static_cast<double>(value) - unseen) <= 1e-5 * std::abs(unseen);
}

Tensor degrade(const Tensor& map, Size nside_in, Size nside_out, Ordering ordering, double power) {
  const Hierarchy hierarchy(Sky(Grid(nside_in, "healpix-degrade"), ordering), nside_out, "healpix-degrade");
  require_map("healpix-degrade", map, hierarchy.fine().size(), nside_in);
  const ConstMatrixView in = map.matrix();
  Tensor result({hierarchy.coarse().size(), in.cols});
  const MatrixView out = result.matrix();
  const double scale = scale_of(nside_in, nside_out, power);
  for_blocks(out.rows, rows_per_block, [&](Size begin, Size end) {
    for (Size q = begin; q < end; ++q) {
      for (Size c = 0; c < in.cols; ++c) {
        double sum = 0;
        Size seen = 0;
        hierarchy.for_children(q, [&](Size row, Size) {
          if (is_unseen(in(row, c))) return;
          sum += static_cast<double>(in(row, c));
          ++seen;
        });
        out(q, c) = static_cast<Real>(seen == 0 ? unseen : scale * sum / static_cast<double>(seen));
      }
    }
  });
  return result;
}

Tensor upgrade(const Tensor& map, Size nside_in, Size nside_out, Ordering ordering, double power) {
  const Hierarchy hierarchy(Sky(Grid(nside_out, "healpix-upgrade"), ordering), nside_in, "healpix-upgrade");
  require_map("healpix-upgrade", map, hierarchy.coarse().size(), nside_in);
  const ConstMatrixView in = map.matrix();
  Tensor result({hierarchy.fine().size(), in.cols});
  const MatrixView out = result.matrix();
  const double scale = scale_of(nside_in, nside_out, power);
  for_blocks(in.rows, rows_per_block, [&](Size begin, Size end) {
    for (Size q = begin; q < end; ++q) {
      hierarchy.for_children(q, [&](Size row, Size) {
        for (Size c = 0; c < in.cols; ++c) {
          const double v = static_cast<double>(in(q, c));
          out(row, c) = is_unseen(in(q, c)) ? in(q, c) : static_cast<Real>(scale * v);
        }
      });
    }
  });
  return result;
}

}  // namespace TARN_PRECISION
}  // namespace tarn::healpix
