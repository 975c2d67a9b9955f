#include "tarn/graph/builders/cosine_panel.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace tarn {
inline namespace TARN_PRECISION {

namespace {

constexpr Size lanes = CosinePanel::lanes;
constexpr Size tile_rows = CosinePanel::tile_rows;
constexpr Size tile_cols = CosinePanel::tile_cols;

using Vector = Real __attribute__((vector_size(CosinePanel::vector_bytes)));
using Mask = std::conditional_t<sizeof(Real) == 4, std::int32_t, std::int64_t> __attribute__((
    vector_size(CosinePanel::vector_bytes)));
using Reals8 = Real __attribute__((vector_size(8 * sizeof(Real))));
using Doubles8 = double __attribute__((vector_size(64)));

static_assert(CosinePanel::block % tile_cols == 0 && tile_cols % tile_rows == 0);

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

[[gnu::always_inline]] inline Vector load(const Real* p) {
  Vector v;
  std::memcpy(&v, p, sizeof(v));
  return v;
}

[[gnu::always_inline]] inline void store(Real* p, const Vector& v) {
  std::memcpy(p, &v, sizeof(v));
}

/// The first `count` numbers at p, then zeros.
[[gnu::always_inline]] inline Vector load_part(const Real* p, Size count) {
  if (count == lanes) return load(p);
  Vector v{};
  std::memcpy(&v, p, idx(count) * sizeof(Real));
  return v;
}

/// Which lanes of (a, b) make the rows of a butterfly at distance `step`: the halves of 2 x 2 blocks change
/// sides.
template <Size step>
struct Butterfly {
  Mask upper{};
  Mask lower{};
  Butterfly() {
    for (Size l = 0; l < lanes; ++l) {
      const bool left = (l & step) == 0;
      upper[l] = static_cast<std::int32_t>(left ? l : l - step + lanes);
      lower[l] = static_cast<std::int32_t>(left ? l + step : l + lanes);
    }
  }
};

template <Size step>
[[gnu::always_inline]] inline void transpose_from(Vector (&rows)[lanes]) {
  const Butterfly<step> pick;
#pragma GCC unroll 16
  for (Size i = 0; i < lanes; ++i) {
    if ((i & step) != 0) continue;
    const Vector a = rows[i];
    const Vector b = rows[i + step];
    rows[i] = __builtin_shuffle(a, b, pick.upper);
    rows[i + step] = __builtin_shuffle(a, b, pick.lower);
  }
  if constexpr (2 * step < lanes) transpose_from<2 * step>(rows);
}

/// tile_rows x (halves * lanes) sums over the features; one row of a and of b is tile_cols numbers.
template <Size halves>
void add_products(const Real* a, const Real* b, Size depth, Real* out) {
  Vector sums[tile_rows][halves] = {};
  for (Size k = 0; k < depth; ++k) {
    Vector columns[halves];
#pragma GCC unroll 2
    for (Size h = 0; h < halves; ++h) columns[h] = load(b + k * tile_cols + h * lanes);
#pragma GCC unroll 8
    for (Size r = 0; r < tile_rows; ++r) {
      const Real value = a[k * tile_cols + r];
#pragma GCC unroll 2
      for (Size h = 0; h < halves; ++h) sums[r][h] += value * columns[h];
    }
  }
#pragma GCC unroll 8
  for (Size r = 0; r < tile_rows; ++r) {
#pragma GCC unroll 2
    for (Size h = 0; h < halves; ++h) store(out + r * tile_cols + h * lanes, sums[r][h]);
  }
}

/// Sum of products in double: 32 partial sums in a fixed pattern.
double dot(const Real* a, const Real* b, Size n) {
  constexpr Size width = 8;
  constexpr Size parts = 4;
  std::array<Doubles8, parts> sums{};
  Size k = 0;
  for (; k + parts * width <= n; k += parts * width) {
    for (Size p = 0; p < parts; ++p) {
      Reals8 u, v;
      std::memcpy(&u, a + k + p * width, sizeof(u));
      std::memcpy(&v, b + k + p * width, sizeof(v));
      sums[idx(p)] += __builtin_convertvector(u, Doubles8) * __builtin_convertvector(v, Doubles8);
    }
  }
  const Doubles8 joined = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  double total = 0;
  for (Size l = 0; l < width; ++l) total += joined[l];
  for (; k < n; ++k) total += static_cast<double>(a[k]) * static_cast<double>(b[k]);
  return total;
}

}  // namespace

double cosine_of_rows(ConstMatrixView x, Size i, Size j, double norm_i, double norm_j) {
  if (i == j && norm_i > smallest_norm) return 1;
  const double product = dot(x.row(i), x.row(j), x.cols);
  return std::clamp(product / (std::max(norm_i, smallest_norm) * std::max(norm_j, smallest_norm)), -1.0, 1.0);
}

double row_norm(ConstMatrixView x, Size i) {
  return std::sqrt(dot(x.row(i), x.row(i), x.cols));
}

bool row_is_finite(ConstMatrixView x, Size i) {
  if (std::isfinite(row_norm(x, i))) return true;
  // The square of a finite number may overflow.
  const auto row = x.row_span(i);
  return std::all_of(row.begin(), row.end(), [](Real v) { return std::isfinite(v); });
}

void CosinePanel::assign(ConstMatrixView x) {
  x_ = x;
  depth_ = (x.cols + lanes - 1) / lanes * lanes;
  norms_.resize(idx(x.rows));
  const Size numbers = (x.rows + block - 1) / block * block * depth_;
  if (panel_.size() < numbers) panel_ = Tensor(Shape{numbers});
}

bool CosinePanel::pack(Size begin, Size end) {
  for (Size i = begin; i < end; ++i) {
    norms_[idx(i)] = row_norm(x_, i);
    if (!std::isfinite(norms_[idx(i)]) && !row_is_finite(x_, i)) return false;
  }
  const Size padded_end = begin + (end - begin + block - 1) / block * block;
  for (Size row = begin; row < padded_end; row += lanes) pack_columns(row);
  return true;
}

/// Writes rows row .. row+lanes-1 as columns of the panel, a square of lanes x lanes numbers at a time.
void CosinePanel::pack_columns(Size row) {
  const Size present = std::clamp<Size>(x_.rows - row, 0, lanes);
  std::array<Real, idx(lanes)> scale{};
  for (Size r = 0; r < present; ++r)
    scale[idx(r)] = static_cast<Real>(1 / std::max(norms_[idx(row + r)], smallest_norm));
  Real* out = panel_.data() + row / tile_cols * tile_cols * depth_ + row % tile_cols;
  for (Size k = 0; k < depth_; k += lanes) {
    const Size width = std::min(lanes, x_.cols - k);
    Vector square[lanes] = {};
    for (Size r = 0; r < present; ++r) square[r] = load_part(x_.row(row + r) + k, width) * scale[idx(r)];
    transpose_from<1>(square);
    for (Size c = 0; c < lanes; ++c) store(out + (k + c) * tile_cols, square[c]);
  }
}

void CosinePanel::tile(Size row, Size col, Real* out) const {
  const Real* a = panel_.data() + row / tile_cols * tile_cols * depth_ + row % tile_cols;
  add_products<2>(a, panel_.data() + col * depth_, depth_, out);
}

void CosinePanel::upper_tile(Size row, Size col, Real* out) const {
  if (row < col + lanes) return tile(row, col, out);
  const Real* a = panel_.data() + col * depth_ + (row - col);
  add_products<1>(a, panel_.data() + col * depth_ + lanes, depth_, out + lanes);
}

double CosinePanel::exact(Size i, Size j) const {
  return cosine_of_rows(x_, i, j, norms_[idx(i)], norms_[idx(j)]);
}

double CosinePanel::tolerance() const {
  return std::max(1e-6, 1e-8 * static_cast<double>(x_.cols));
}

}  // namespace TARN_PRECISION
}  // namespace tarn
