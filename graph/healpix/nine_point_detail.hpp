#pragma once

#include "tarn/graph/healpix/nine_point.hpp"
#include "tarn/graph/healpix/stencil_kernels.hpp"

#include <cstdint>

/// What the convolution over tiles and the one over lists share.
namespace tarn::healpix {
inline namespace TARN_PRECISION {

/// One application of the convolution, its shapes checked.
struct ConvCall {
  Var x, weight, bias;
  Epilogue epilogue;
  Missing missing = Missing::zero;
  Size maps = 0, pixels = 0, in = 0, out = 0;

  [[nodiscard]] bool relu() const { return epilogue.activation == Activation::relu; }
  [[nodiscard]] Size rows() const { return maps * pixels; }
  [[nodiscard]] Size rows_out() const { return epilogue.pool ? rows() / 4 : rows(); }
  [[nodiscard]] const Real* bias_values() const { return bias.given() ? bias.value().data : nullptr; }
  /// Entry of slot k (0 the pixel itself, then the eight neighbours).
  [[nodiscard]] Real element(Size slot, Size i, Size o) const {
    return weight.value().data[(o * in + i) * 9 + slot];
  }
};

/// Factor of a pixel with missing neighbours under the rule `renormalize`.
[[nodiscard]] constexpr Real renormalized(Size missing) {
  return Real(9) / static_cast<Real>(9 - missing);
}

/// out = activation(sum + bias).
void finish_pixel(const Real* sum, const ConvCall& call, Real* out);

/// dL/d(result of the convolution before its epilogue), read pixel by pixel.
struct PreGradient {
  ConstMatrixView dy;
  ConstMatrixView y;  ///< the result, whose sign relu's derivative is read off
  const std::uint8_t* codes =
      nullptr;     ///< where the epilogue pools: which children take part, [rows / 4, out]
  Real share = 1;  ///< of a child in a pooled gradient
  bool relu = false;

  /// Row `map * pixels + pixel`, in NEST order where it pools.
  void read(Size row, Real* out) const;
};

/// Sums for the gradients of weight and bias: partial sums over fixed chunks of the work, joined in order.
class WeightSums {
 public:
  /// On the tape; `chunks` partial sums of [9 in, width] and [out].
  WeightSums(Tape& tape, const ConvCall& call, Size chunks);
  /// Adds the sums of one tile, [9 in, width] with rows (slot, channel), to those of a chunk.
  void add(Size chunk, std::span<const Real> sums);
  void add_bias(Size chunk, const Real* dy);
  [[nodiscard]] Size width() const { return width_; }
  /// Joins all into the gradients of the call's weight and bias.
  void finish(Tape& tape) const;

 private:
  [[nodiscard]] double* weights(Size chunk) const { return data_.data() + chunk * stride_; }
  [[nodiscard]] double* bias(Size chunk) const { return weights(chunk) + 9 * call_.in * width_; }

  ConvCall call_;
  Size width_, stride_, chunks_;
  std::span<double> data_;
};

/// Chunks that the work of a backward pass is cut into.
inline constexpr Size most_chunks = 32;

[[nodiscard]] Var convolve_tiles(const Grid& grid, Ordering ordering, const ConvCall& call);

/// Neighbours inside a list of pixels.
struct ListNeighbours {
  explicit ListNeighbours(const Sky& sky);
  Size size;
  std::vector<Size> rows;         ///< [n, 8] row of each neighbour, -1 where the list has none
  std::vector<std::int8_t> back;  ///< [n, 8] the slot in which that neighbour finds the pixel
};

[[nodiscard]] Var convolve_list(std::shared_ptr<const ListNeighbours> list, const ConvCall& call);

}  // namespace TARN_PRECISION
}  // namespace tarn::healpix
