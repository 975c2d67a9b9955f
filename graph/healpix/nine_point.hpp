#pragma once

#include "tarn/core/ops/linear.hpp"
#include "tarn/core/tape.hpp"
#include "tarn/graph/healpix/sky.hpp"

#include <memory>
#include <optional>

namespace tarn::healpix {

/// What stands for a neighbour that does not exist, or that a partial sky has not.
enum class Missing { zero, self, renormalize, adjacent_mean };
inline std::span<const std::string_view> enum_names(Missing) {
  static constexpr std::array<std::string_view, 4> names{"zero", "self", "renormalize", "adjacent-mean"};
  return names;
}

enum class PoolMode { max, mean, sum };
inline std::span<const std::string_view> enum_names(PoolMode) {
  static constexpr std::array<std::string_view, 3> names{"max", "mean", "sum"};
  return names;
}

inline namespace TARN_PRECISION {

struct ListNeighbours;

/// What follows the convolution in the same pass over the map.
struct Epilogue {
  Activation activation = Activation::none;  ///< none or relu
  std::optional<PoolMode> pool;              ///< of the four children of each pixel at half the resolution
};

/// y[p] = bias + W_0 x[p] + sum over k of W_k x[n(p, k)], n the neighbours SW, W, NW, N, NE, E, SE, S.
///
/// Made once for a sky and a rule for missing neighbours: `zero` (nothing), `self` (the pixel itself),
/// `renormalize` (zero, and the sum before the bias times 9 / (9 - missing)), `adjacent_mean` (the mean of
/// the two neighbouring slots; full skies only). Copying copies a handle. Krachmalnicoff & Tomasi 2019, arXiv
/// 1902.04083; slots as in their code, which has the pixel itself first.
class NinePoint {
 public:
  /// Throws ValueError for adjacent_mean over a partial sky.
  NinePoint(const Sky& sky, Missing missing);

  /// x [B, P, in] or [B P, in], weight [out, in, 9], bias [out] or not given -> the same with `out` columns,
  /// and P / 4 pixels where the epilogue pools. Throws ShapeError for shapes that do not fit, naming `where`,
  /// and ValueError for pooling over a partial sky, in RING order or at nside 1.
  ///
  /// Works on tiles of a face with their halo, a partial sky on its list; no [B, P, 9, in] anywhere. Time
  /// O(18 B P in out), extra memory per thread, and where gradients are needed a byte per pooled output. The
  /// same bits for any number of threads.
  [[nodiscard]] Var operator()(Var x, Var weight, Var bias, const Epilogue& epilogue = {},
                               const char* where = "healpix-conv") const;

  [[nodiscard]] const Sky& sky() const { return sky_; }

 private:
  Sky sky_;
  Missing missing_;
  std::shared_ptr<const ListNeighbours> list_;  ///< of a partial sky
};

/// Number of maps in x. Throws ShapeError, naming `where`, unless x is [B, pixels, channels] or
/// [B pixels, channels].
[[nodiscard]] Size count_maps(const char* where, Var x, Size pixels, Size channels);
/// The shape of a result with other pixels and channels, of the rank of x.
[[nodiscard]] Shape map_shape(Var x, Size maps, Size pixels, Size channels);

}  // namespace TARN_PRECISION
}  // namespace tarn::healpix
