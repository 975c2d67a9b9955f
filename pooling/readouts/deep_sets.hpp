#pragma once

#include "tarn/core/ops/segment.hpp"
#include "tarn/pooling/blocks/mlp.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include <array>

namespace tarn {

enum class PlainReduce { sum, mean, max };
inline std::span<const std::string_view> enum_names(PlainReduce) {
  static constexpr std::array<std::string_view, 3> names{"sum", "mean", "max"};
  return names;
}

struct DeepSetsOptions : WidthOptions, MlpOptions {
  std::vector<Size> local_channels;
  std::vector<Size> global_channels;
  PlainReduce aggr = PlainReduce::sum;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("local_channels", local_channels, at_least(1), "widths of the network of rows; none: the identity");
    f("global_channels", global_channels, at_least(1), "widths of the network of sets; none: the identity");
    f("aggr", aggr, "how rows are joined");
    MlpOptions::fields(f);
  }
};

struct MlpReadoutOptions : WidthOptions, MlpOptions {
  std::optional<Size> max_num_elements;
  std::vector<Size> channels{64};
  bool truncate = false;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("max_num_elements", max_num_elements, at_least(1), "rows of the largest set; must be given");
    f("channels", channels, at_least(1), "widths of the network");
    f("truncate", truncate, "leave out rows beyond the largest set, which are an error else");
    MlpOptions::fields(f);
  }
};

inline namespace TARN_PRECISION {

/// y = global(reduce_i local(x_i)). x [N, D] -> [B, last width]; an empty set gives global(0). Parameters:
/// local_nn.lins.K.*, global_nn.lins.K.*. Zaheer et al. 2017, arXiv 1703.06114.
class DeepSets final : public Readout {
 public:
  using Options = DeepSetsOptions;
  explicit DeepSets(const Options& options);
  Pooled pool(const SetInput& in) override;
  Size out_dim(Size) const override { return global_.out_dim(); }

 private:
  Options o_;
  Mlp &local_, &global_;
};

/// y = mlp([x_1, .., x_n, 0, ..]), the rows of a set side by side as if zeros followed them up to
/// max_num_elements; nothing is padded, the first map is a sum over rows.
///
/// x [N, D] -> [B, last width]; an empty set gives mlp(0). Parameters: mlp.lins.K.*. Throws ConfigError
/// without max_num_elements or channels, ValueError for a larger set unless `truncate`. Buterez et al. 2022,
/// arXiv 2211.04952.
class MlpReadout final : public Readout {
 public:
  using Options = MlpReadoutOptions;
  explicit MlpReadout(const Options& options);
  Pooled pool(const SetInput& in) override;
  Size out_dim(Size) const override { return mlp_.out_dim(); }
  RowOrder row_order() const override { return RowOrder::read; }
  Size most_rows() const override { return o_.truncate ? Readout::most_rows() : most_; }

 private:
  Options o_;
  Size most_;
  Mlp& mlp_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
