#pragma once

#include "tarn/core/tensor.hpp"

#include <vector>

namespace tarn {
inline namespace TARN_PRECISION {

/// <x_i, x_j> / (max(|x_i|, 1e-8) max(|x_j|, 1e-8)) in double, clamped to [-1, 1]; the norms are given.
[[nodiscard]] double cosine_of_rows(ConstMatrixView x, Size i, Size j, double norm_i, double norm_j);
/// Euclidean norm of a row, in double.
[[nodiscard]] double row_norm(ConstMatrixView x, Size i);
/// Whether a row holds neither NaN nor infinity.
[[nodiscard]] bool row_is_finite(ConstMatrixView x, Size i);
/// Rows of a smaller norm have no direction.
inline constexpr double smallest_norm = 1e-8;

/// The rows of one set, scaled to unit length and packed for products with each other.
///
/// Every cosine is summed over the features one after the other, wherever its tile lies: equal rows have
/// equal cosines and c_ij = c_ji bit for bit, which products from a library do not promise at the edges of
/// their blocks. Memory O(n D).
class CosinePanel {
 public:
  /// A tile is `tile_rows` by `tile_cols` cosines; both divide `block`, by which work is handed out.
#if defined(__AVX512F__)
  static constexpr Size vector_bytes = 64;
  static constexpr Size tile_rows = 8;
#else
  static constexpr Size vector_bytes = 32;
  static constexpr Size tile_rows = 4;
#endif
  static constexpr Size lanes = vector_bytes / static_cast<Size>(sizeof(Real));
  static constexpr Size tile_cols = 2 * lanes;
  static constexpr Size block = 64;

  /// Takes a new set; `pack` has to see all its rows before anything else is asked. The rows must outlive
  /// their use. Storage is kept for the next set.
  void assign(ConstMatrixView x);
  /// Packs rows begin .. end-1; begin is a multiple of `block`. Returns false if a row holds a NaN or an
  /// infinity. Different row ranges may be packed at the same time.
  [[nodiscard]] bool pack(Size begin, Size end);

  [[nodiscard]] Size size() const {
    return x_.rows;
  }
  /// Cosines of rows `row` .. with rows `col` .., row-major into `out`; both multiples of their extent in a
  /// tile. Rows past the end give 0.
  void tile(Size row, Size col, Real* out) const;
  /// The same for row < col + tile_cols; entries left of the diagonal may be left unset.
  void upper_tile(Size row, Size col, Real* out) const;
  /// The cosine by a double product; exactly 1 for a row with itself, unless it has no direction.
  [[nodiscard]] double exact(Size i, Size j) const;
  /// How far an entry of a tile may lie from `exact`.
  [[nodiscard]] double tolerance() const;

 private:
  void pack_columns(Size row);

  ConstMatrixView x_;
  Size depth_ = 0;             // features, padded with zeros to whole vectors
  Tensor panel_;               // [blocks of tile_cols rows][depth][tile_cols]
  std::vector<double> norms_;  // [n]
};

}  // namespace TARN_PRECISION
}  // namespace tarn
