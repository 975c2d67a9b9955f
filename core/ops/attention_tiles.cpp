#include "tarn/core/ops/attention_tiles.hpp"

#include "tarn/core/ops/dropout_factors.hpp"
#include "tarn/core/ops/linear.hpp"
#include "tarn/core/ops/simd.hpp"
#include "tarn/core/ops/tile_product.hpp"
#include "tarn/core/ops/vector.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace tarn {

namespace {

constexpr Size query_tile = 64;
constexpr Size key_tile = 128;

/// factor (m - centre)^T with the columns padded by zeros to whole vectors; centre [cols], or null for zeros.
void pack_transposed(ConstMatrixView m, Real factor, MatrixView into, const Real* centre = nullptr) {
  for (Size c = 0; c < m.cols; ++c) {
    Real* out = into.row(c);
    const Real shift = centre != nullptr ? centre[c] : Real{0};
    for (Size j = 0; j < m.rows; ++j) out[j] = factor * (m(j, c) - shift);
    for (Size j = m.rows; j < into.cols; ++j) out[j] = 0;
  }
}

/// Largest of n numbers, n whole vectors; a NaN is passed over.
Real largest(const Real* x, Size n) {
  std::array<Real, static_cast<std::size_t>(simd_lanes)> part;
  part.fill(-std::numeric_limits<Real>::infinity());
  for (Size i = 0; i < n; i += simd_lanes) {
    for (Size k = 0; k < simd_lanes; ++k) {
      Real& best = part[static_cast<std::size_t>(k)];
      best = x[i + k] > best ? x[i + k] : best;
    }
  }
  return *std::max_element(part.begin(), part.end());
}

/// Sum of n numbers, n whole vectors.
Real total(const Real* x, Size n) {
  std::array<Real, static_cast<std::size_t>(simd_lanes)> part{};
  for (Size i = 0; i < n; i += simd_lanes) {
    for (Size k = 0; k < simd_lanes; ++k) part[static_cast<std::size_t>(k)] += x[i + k];
  }
  for (Size width = simd_lanes / 2; width > 0; width /= 2) {
    for (Size k = 0; k < width; ++k)
      part[static_cast<std::size_t>(k)] += part[static_cast<std::size_t>(k + width)];
  }
  return part[0];
}

/// <dy, y - centre>; centre null for zeros.
Real weigh_output(const Real* dy, const Real* y, const Real* centre, Size cols) {
  if (centre == nullptr) return dot(dy, y, cols);
  double sum = 0;
  for (Size c = 0; c < cols; ++c) sum += static_cast<double>(dy[c]) * static_cast<double>(y[c] - centre[c]);
  return static_cast<Real>(sum);
}

/// The factor of dropout on each weight of one query from `first_key` on.
class KeptWeights {
 public:
  KeptWeights(const AttentionHead& head, Size row, Size first_key)
      : first_(head.first_key + first_key),
        factors_(head.rng.split(static_cast<std::uint64_t>(head.first_row + row)), head.dropout) {}
  [[nodiscard]] Real operator()(Size key) const { return factors_(first_ + key); }

 private:
  Size first_;
  DropoutFactors factors_;
};

}  // namespace

inline namespace TARN_PRECISION {

/// Queries and keys of a tile, and how far a row of its scores reaches.
struct AttentionTiles::Tile {
  Rows queries, keys;
  [[nodiscard]] Size rows() const { return queries.size(); }
  [[nodiscard]] Size cols() const { return keys.size(); }
  [[nodiscard]] Size padded() const { return whole_vectors(keys.size()); }
};

AttentionTiles::AttentionTiles(Size key_width, Size value_width, Size most_queries, Size most_keys) {
  const Size rows = std::min(most_queries, query_tile), cols = whole_vectors(std::min(most_keys, key_tile));
  keys_ = Tensor({key_width, cols});
  values_ = Tensor({value_width, cols});
  scores_ = Tensor({rows, cols});
  slopes_ = Tensor({rows, cols});
}

void AttentionTiles::pack_keys(const AttentionHead& head, const Tile& t) {
  pack_transposed(head.k.row_block(t.keys.begin, t.keys.end), head.scale,
                  view(keys_, head.k.cols, t.padded()));
}

void AttentionTiles::scores(const AttentionHead& head, const Tile& t) {
  const MatrixView s = view(scores_, t.rows(), t.padded());
  const ConstMatrixView q = head.q.row_block(t.queries.begin, t.queries.end);
  if (head.pack) {
    tile_product(as_it_lies(q), view(keys_, head.k.cols, t.padded()), s, Write::assign);
  } else {
    for (Size i = 0; i < t.rows(); ++i) {
      for (Size j = 0; j < t.cols(); ++j) {
        s(i, j) = head.scale * dot(q.row(i), head.k.row(t.keys.begin + j), head.k.cols);
      }
    }
  }
  for (Size i = 0; i < t.rows(); ++i) {
    std::fill(s.row(i) + t.cols(), s.row(i) + t.padded(), -std::numeric_limits<Real>::infinity());
  }
}

void AttentionTiles::drop_weights(const AttentionHead& head, const Tile& t, MatrixView weights) const {
  for (Size i = 0; i < t.rows(); ++i) {
    const KeptWeights kept(head, t.queries.begin + i, t.keys.begin);
    for (Size j = 0; j < t.cols(); ++j) weights(i, j) *= kept(j);
  }
}

void AttentionTiles::forward(const AttentionHead& head, MatrixView y, PerQuery<Real> lse) {
  std::array<Real, query_tile> best{};
  std::array<double, query_tile> sum{};
  for (Size q = 0; q < head.q.rows; q += query_tile) {
    const Rows queries{q, std::min(head.q.rows, q + query_tile)};
    const MatrixView out = y.row_block(queries.begin, queries.end);
    best.fill(-std::numeric_limits<Real>::infinity());
    sum.fill(0);
    for (Size k = 0; k < head.k.rows; k += key_tile) {
      const Tile t{queries, {k, std::min(head.k.rows, k + key_tile)}};
      if (head.pack) pack_keys(head, t);
      scores(head, t);
      const MatrixView s = view(scores_, t.rows(), t.padded());
      for (Size i = 0; i < t.rows(); ++i) {
        const auto at = static_cast<std::size_t>(i);
        const Real before = best[at];
        best[at] = std::max(before, largest(s.row(i), s.cols));
        for (Size j = 0; j < s.cols; ++j) s(i, j) -= best[at];
        if (k == 0) continue;
        const Real shrink = std::exp(before - best[at]);
        sum[at] *= static_cast<double>(shrink);
        for (Size j = 0; j < out.cols; ++j) out(i, j) *= shrink;
      }
      exp_in_place(s.data, s.size());
      for (Size i = 0; i < t.rows(); ++i) {
        sum[static_cast<std::size_t>(i)] += static_cast<double>(total(s.row(i), s.cols));
      }
      if (head.dropout > 0) drop_weights(head, t, s);
      tile_product({s.data, s.stride, 1}, head.v.row_block(t.keys.begin, t.keys.end), out,
                   k == 0 ? Write::assign : Write::add);
    }
    for (Size i = 0; i < queries.size(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const Real share = static_cast<Real>(1 / sum[at]);
      for (Size j = 0; j < out.cols; ++j) out(i, j) *= share;
      lse[q + i] = best[at] + static_cast<Real>(std::log(sum[at]));
    }
  }
}

/// Scores of the tile become weights p, gradients dp of the weights become those of the scores, scale p (dp -
/// <dy, y>); dp and y count from the centre.
void AttentionTiles::weight_gradients(const AttentionHead& head, const AttentionHeadGradient& g,
                                      const Tile& t, const Real* centre) {
  const MatrixView p = view(scores_, t.rows(), t.padded()), ds = view(slopes_, t.rows(), t.padded());
  for (Size i = 0; i < t.rows(); ++i) {
    const Real lse = g.lse[t.queries.begin + i];
    for (Size j = 0; j < p.cols; ++j) p(i, j) -= lse;
  }
  exp_in_place(p.data, p.size());
  for (Size i = 0; i < t.rows(); ++i) {
    const Real r =
        weigh_output(g.dy.row(t.queries.begin + i), g.y.row(t.queries.begin + i), centre, g.dy.cols);
    Real* __restrict weight = p.row(i);
    Real* __restrict slope = ds.row(i);
    if (head.dropout > 0) {
      const KeptWeights kept(head, t.queries.begin + i, t.keys.begin);
      for (Size j = 0; j < t.cols(); ++j) {
        const Real factor = kept(j);
        slope[j] = head.scale * weight[j] * (factor * slope[j] - r);
        weight[j] *= factor;
      }
    } else {
      for (Size j = 0; j < p.cols; ++j) slope[j] = head.scale * weight[j] * (slope[j] - r);
    }
  }
}

void AttentionTiles::backward(const AttentionHead& head, const AttentionHeadGradient& g) {
  for (Size k = 0; k < head.k.rows; k += key_tile) {
    const Rows keys{k, std::min(head.k.rows, k + key_tile)};
    const ConstMatrixView v = head.v.row_block(keys.begin, keys.end);
    if (head.pack) pack_keys(head, {{}, keys});
    const MatrixView v_transposed = view(values_, v.cols, whole_vectors(v.rows));
    // Only differences of values move the weights: counted from one of them they lose no digits where all
    // have much in common. Dropout weighs each value by a factor of its own.
    const Real* const centre = head.dropout > 0 ? nullptr : v.row(0);
    pack_transposed(v, 1, v_transposed, centre);
    for (Size q = 0; q < head.q.rows; q += query_tile) {
      const Tile t{{q, std::min(head.q.rows, q + query_tile)}, keys};
      const ConstMatrixView dy = g.dy.row_block(t.queries.begin, t.queries.end);
      const MatrixView p = view(scores_, t.rows(), t.padded()), ds = view(slopes_, t.rows(), t.padded());
      scores(head, t);
      tile_product(as_it_lies(dy), v_transposed, ds, Write::assign);
      weight_gradients(head, g, t, centre);
      if (g.dv.data != nullptr) {
        tile_product(transposed(p), dy, g.dv.row_block(keys.begin, keys.end), Write::add);
      }
      if (g.dk.data != nullptr) {
        tile_product(transposed(ds), head.q.row_block(t.queries.begin, t.queries.end),
                     g.dk.row_block(keys.begin, keys.end), Write::add);
      }
      if (g.dq.data != nullptr) {
        tile_product(as_it_lies(ds), head.k.row_block(keys.begin, keys.end),
                     g.dq.row_block(t.queries.begin, t.queries.end), Write::add);
      }
    }
  }
}

}  // namespace TARN_PRECISION
}  // namespace tarn
