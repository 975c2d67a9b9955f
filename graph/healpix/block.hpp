#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/graph/healpix/cheb_conv.hpp"
#include "tarn/graph/healpix/conv.hpp"
#include "tarn/graph/healpix/pool.hpp"

namespace tarn {

enum class SphereConv { healpix_conv, healpix_cheb_conv };
inline std::span<const std::string_view> enum_names(SphereConv) {
  static constexpr std::array<std::string_view, 2> names{"healpix-conv", "healpix-cheb-conv"};
  return names;
}

enum class SphereNorm { none, batch_norm };
inline std::span<const std::string_view> enum_names(SphereNorm) {
  static constexpr std::array<std::string_view, 2> names{"none", "batch-norm"};
  return names;
}

enum class BlockPool { none, max, mean, sum };
inline std::span<const std::string_view> enum_names(BlockPool) {
  static constexpr std::array<std::string_view, 4> names{"none", "max", "mean", "sum"};
  return names;
}

/// The options of a block: those of either convolution, and what follows it.
struct HealpixBlockOptions : SphereGraphOptions {
  SphereConv conv = SphereConv::healpix_conv;
  Size in_channels = 0;
  Size out_channels = 0;
  std::optional<bool> bias;  ///< not set: as the convolution has it, none for healpix-conv
  healpix::Missing missing = healpix::Missing::zero;
  Size kernel_size = 5;
  double scale = 1;
  Value lambda_max{"estimate"};
  SphereNorm norm = SphereNorm::none;
  bool norm_affine = true;
  double momentum = 0.1;
  double eps = 1e-5;
  bool relu = true;
  BlockPool pool = BlockPool::none;
  void fields(Fields& f);
};

inline namespace TARN_PRECISION {

/// `healpix-block`: convolution, batch norm over all pixels of all maps, relu, pooling to half the
/// resolution; all but the first may be left out. x [B, P, in] -> [B, P or P / 4, out].
///
/// Without norm, over a full sky in NEST order, all of it runs in one pass over the map, and training keeps a
/// byte per pooled number in place of the map before pooling. DeepSphere's first code has momentum 0.1 here
/// and no scale and shift (`norm_affine = false`). Children: `conv`, `norm`.
class HealpixBlock final : public SphereLayer {
 public:
  using Options = HealpixBlockOptions;
  /// Throws ValueError for options that do not fit, among them pooling at nside 1.
  explicit HealpixBlock(const Options& options);
  Var forward(Var x) override;
  const healpix::Sky& input_sky() const override { return convolution().input_sky(); }
  const healpix::Sky& output_sky() const override {
    return pool_ != nullptr ? pool_->output_sky() : input_sky();
  }

 private:
  [[nodiscard]] const SphereLayer& convolution() const;

  HealpixConv* conv_ = nullptr;
  HealpixChebConv* cheb_ = nullptr;
  BatchNorm* norm_ = nullptr;
  HealpixPool* pool_ = nullptr;
  bool relu_;
  bool fused_;
  std::optional<healpix::PoolMode> mode_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
