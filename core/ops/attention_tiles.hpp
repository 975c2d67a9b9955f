#pragma once

#include "tarn/core/rng.hpp"
#include "tarn/core/tensor.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// One head of one set: softmax(scale q k^T) v. Rows of q count from `first_row` in the whole output, rows of
/// k from `first_key` in the set: by these numbers dropout draws.
struct AttentionHead {
  ConstMatrixView q;  ///< [n, d]
  ConstMatrixView k;  ///< [m, d]
  ConstMatrixView v;  ///< [m, dv]
  Real scale = 1;
  Size first_row = 0;
  Size first_key = 0;
  double dropout = 0;
  Rng rng{};  ///< of this head
  /// Keys are laid out for whole vectors; not worth it for one or two queries.
  bool pack = true;
};

/// One number per query of a head, `stride` apart.
template <class T>
struct PerQuery {
  T* data = nullptr;
  Size stride = 1;
  T& operator[](Size i) const { return data[i * stride]; }
};

/// What the backward pass of a head reads beside its inputs, and where it adds; gradients without data are
/// not wanted.
struct AttentionHeadGradient {
  ConstMatrixView dy;        ///< [n, dv]
  PerQuery<const Real> lse;  ///< log-sum-exp of the scores
  ConstMatrixView y;         ///< [n, dv] what forward gave
  MatrixView dq{};
  MatrixView dk{};
  MatrixView dv{};
};

/// Attention of one head by tiles of queries and keys: scores exist for one tile at a time, in memory that is
/// kept from head to head. One object per task; not for several threads at once.
class AttentionTiles {
 public:
  /// Room for heads of these widths and of up to this many queries and keys.
  AttentionTiles(Size key_width, Size value_width, Size most_queries, Size most_keys);

  /// y [n, dv] and lse [n]; needs at least one key. Running maximum over the tiles of keys. Dropout acts on
  /// the weights after the softmax.
  void forward(const AttentionHead& head, MatrixView y, PerQuery<Real> lse);

  /// Adds the gradients of the head's q, k and v that are wanted; the weights are computed again from q, k
  /// and lse. Dropout draws what it drew in forward.
  void backward(const AttentionHead& head, const AttentionHeadGradient& g);

 private:
  struct Tile;
  /// scale q k^T of a tile, whole vectors wide; columns past the last key are -infinity.
  void scores(const AttentionHead& head, const Tile& t);
  void pack_keys(const AttentionHead& head, const Tile& t);
  [[nodiscard]] MatrixView view(Tensor& t, Size rows, Size cols) const { return {t.data(), rows, cols}; }
  void drop_weights(const AttentionHead& head, const Tile& t, MatrixView weights) const;
  void weight_gradients(const AttentionHead& head, const AttentionHeadGradient& g, const Tile& t,
                        const Real* centre);

  Tensor keys_;    // k^T of a tile of keys, times scale
  Tensor values_;  // v^T of a tile of keys
  Tensor scores_;  // scores, then weights, of a tile
  Tensor slopes_;  // gradients of the weights, then of the scores
};

}  // namespace TARN_PRECISION
}  // namespace tarn
