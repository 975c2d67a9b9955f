#pragma once

#include "tarn/core/view.hpp"

#include <span>
#include <vector>

/// The inner loops of the nine-point convolution, on one thread. All of them read a buffer of cells that
/// holds the channels of each cell side by side.
namespace tarn::healpix {
inline namespace TARN_PRECISION {

/// Where a finished cell goes, and what is done to it on the way.
struct CellOutput {
  std::span<Real* const> cells;  ///< one place per cell
  const Real* bias = nullptr;
  bool relu = false;
  bool add = false;     ///< to what stands there; without bias and relu
  bool stream = false;  ///< the result is larger than the caches: written around them
};

/// Matrices [in, out] of some taps, laid out as the row kernel reads them.
class PackedTaps {
 public:
  PackedTaps() = default;
  /// `element(tap, in, out)` gives the entries.
  template <class Element>
  PackedTaps(Size taps, Size in, Size out, Element element) : PackedTaps(taps, in, out) {
    for (Size t = 0; t < taps; ++t) {
      for (Size i = 0; i < in; ++i) {
        for (Size o = 0; o < out; ++o) entries_[place(t, i, o)] = element(t, i, o);
      }
    }
  }
  [[nodiscard]] Size taps() const { return taps_; }
  [[nodiscard]] Size in() const { return in_; }
  [[nodiscard]] Size out() const { return out_; }
  /// Numbers that the row kernel writes per cell: `out`, rounded up to whole vectors.
  [[nodiscard]] Size width() const { return width_; }
  /// Numbers per cell that the row kernel may read: `in`, rounded up where few outputs make it sum along the
  /// channels; those beyond `in` must be zero.
  [[nodiscard]] Size read_width() const;

 private:
  friend void multiply_cells(const Real*, Size, std::span<const Size>, const PackedTaps&, Size, Real*);
  friend void multiply_cells(const Real*, Size, std::span<const Size>, const PackedTaps&, const CellOutput&);
  PackedTaps(Size taps, Size in, Size out);
  [[nodiscard]] std::size_t place(Size tap, Size i, Size o) const;

  Size taps_ = 0, in_ = 0, out_ = 0, width_ = 0;
  bool along_channels_ = false;
  std::vector<Real> entries_;
};

/// y[p] = sum over taps t of W_t^T x[cell p + offset_t], for `count` cells in a row: cells are `step` numbers
/// apart in x, `taps.width()` in y.
void multiply_cells(const Real* x, Size step, std::span<const Size> offsets, const PackedTaps& taps,
                    Size count, Real* y);

/// The same with bias and activation, written or added cell by cell: `taps.out()` numbers of each.
void multiply_cells(const Real* x, Size step, std::span<const Size> offsets, const PackedTaps& taps,
                    const CellOutput& output);

/// sums[r, 0 .. width-1] += sum over p of x[p step + rows[r]] y[p y_step + 0 .. width-1] for `count` cells in
/// a row: the products that a weight's gradient adds up. `width` is a multiple of simd_lanes.
void add_outer_products(const Real* x, Size step, std::span<const Size> rows, const Real* y, Size y_step,
                        Size width, Size count, Real* sums);

}  // namespace TARN_PRECISION
}  // namespace tarn::healpix
