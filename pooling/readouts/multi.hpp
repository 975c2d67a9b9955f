#pragma once

#include "tarn/core/multi_head_attention.hpp"
#include "tarn/core/ops/segment.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include <array>
#include <vector>

namespace tarn {

/// How the results of several readouts become one: side by side; a linear map of that; attention between
/// members and their mean; or element by element.
enum class MemberJoin { cat, proj, attn, sum, mean, max, min, std, var, logsumexp };
inline std::span<const std::string_view> enum_names(MemberJoin) {
  static constexpr std::array<std::string_view, 10> names{"cat", "proj", "attn", "sum", "mean",
                                                          "max", "min",  "std",  "var", "logsumexp"};
  return names;
}

struct MultiOptions : WidthOptions {
  std::vector<Value> aggrs;
  MemberJoin mode = MemberJoin::cat;
  std::optional<Size> out_channels;
  Size num_heads = 1;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("aggrs", aggrs, "readouts: names, or tables of name and options; must be given");
    f("mode", mode, "how their results are joined");
    f("out_channels", out_channels, at_least(1), "width of the result of proj and attn");
    f("num_heads", num_heads, at_least(1), "attention heads of attn");
  }
};

inline namespace TARN_PRECISION {

/// Several readouts of the same sets, as children `aggrs.K`. Those that are one statistic of P1 are computed
/// in one pass over the rows.
class Members final : public Module {
 public:
  /// Throws ConfigError, naming `owner`, for an empty list or an unknown readout.
  Members(const std::vector<Value>& members, Size in_channels, std::string_view owner);
  /// [B, width of the member] each.
  std::vector<Var> forward(const SetInput& in);
  [[nodiscard]] Size count() const { return static_cast<Size>(readouts_.size()); }
  [[nodiscard]] Size out_dim(Size member) const;
  [[nodiscard]] Size total_width() const;
  [[nodiscard]] RowOrder row_order() const;
  [[nodiscard]] SetNeeds needs() const;
  [[nodiscard]] Size most_rows() const;

 private:
  struct Statistic {
    std::size_t member;
    Reduce reduce;
  };
  Size in_channels_;
  std::vector<Readout*> readouts_;
  std::vector<Statistic> together_;  // computed in one pass
};

/// Several readouts joined into one. x [N, D] -> [B, sum of the members' widths] (cat), [B, out_channels]
/// (proj, attn) or [B, width of a member], element by element over members of equal width; var and std are
/// those with n - 1.
///
/// One member is returned as it is. Parameters: aggrs.K.*, lin.* (proj), lin_heads.lins.K.*, multihead_attn.*
/// (attn). Throws ConfigError for no member, one in proj or attn, missing out_channels, or unequal widths
/// element by element. Corso et al. 2020, "Principal Neighbourhood Aggregation", arXiv 2004.05718; PyTorch
/// Geometric's MultiAggregation.
class Multi final : public Readout {
 public:
  using Options = MultiOptions;
  explicit Multi(const Options& options);
  Pooled pool(const SetInput& in) override;
  Size out_dim(Size in_dim) const override;
  RowOrder row_order() const override { return members_.row_order(); }
  SetNeeds needs() const override { return members_.needs(); }
  Size most_rows() const override { return members_.most_rows(); }

 private:
  void check() const;
  [[nodiscard]] Var join(const std::vector<Var>& parts) const;
  Var attend(const std::vector<Var>& parts, const Segments& members_of_sets);

  Options o_;
  Members& members_;
  Linear* lin_ = nullptr;
  std::vector<Linear*> heads_;
  MultiHeadAttention* attention_ = nullptr;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
