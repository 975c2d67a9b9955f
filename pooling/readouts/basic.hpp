#pragma once

#include "tarn/core/ops/segment.hpp"
#include "tarn/pooling/readouts/readout.hpp"

namespace tarn {

struct SpreadOptions {
  bool semi_grad = false;
  void fields(Fields& f) { f("semi_grad", semi_grad, "take the mean of the squares as a constant"); }
};

struct EndOptions {
  Size k = 1;
  void fields(Fields& f) { f("k", k, at_least(1), "rows that are averaged"); }
};

inline namespace TARN_PRECISION {

[[nodiscard]] constexpr const char* name_of(Reduce statistic) {
  constexpr const char* names[] = {"sum", "mean", "max", "min", "mul", "var", "std", "variance-preserving"};
  return names[static_cast<int>(statistic)];
}

/// Sum, mean, maximum, minimum, product or sum / sqrt(n) of the rows of a set, per feature; an empty set
/// gives zeros, and ones for the product. x [N, D] -> [B, D]. Time O(N D), no parameters. Rows that share an
/// extremum share its gradient equally. Sum over root: Schneckenreiter et al. 2024, "GNN-VPA", arXiv
/// 2403.04747.
template <Reduce reduce>
class Reduction final : public Readout {
 public:
  using Options = NoOptions;
  explicit Reduction(const Options& o) : Readout(name_of(reduce), o) {}
  Pooled pool(const SetInput& in) override { return {segment_reduce(in.x, in.sets, reduce)}; }
};
using SumReadout = Reduction<Reduce::sum>;
using MeanReadout = Reduction<Reduce::mean>;
using MaxReadout = Reduction<Reduce::max>;
using MinReadout = Reduction<Reduce::min>;
using MulReadout = Reduction<Reduce::mul>;
using VariancePreservingReadout = Reduction<Reduce::sum_over_root>;

/// Population variance, or its square root where the variance exceeds 1e-5 and else 0, per feature; about the
/// set's mean, so that a small spread about a large mean keeps its digits. x [N, D] -> [B, D]; an empty set
/// and a single row give zeros. Time O(N D).
template <Reduce reduce>
class Spread final : public Readout {
 public:
  using Options = SpreadOptions;
  explicit Spread(const Options& o) : Readout(name_of(reduce), o), o_(o) {}
  Pooled pool(const SetInput& in) override {
    return {segment_reduce(in.x, in.sets, reduce, o_.semi_grad ? SemiGrad::yes : SemiGrad::no)};
  }

 private:
  Options o_;
};
using VarReadout = Spread<Reduce::var>;
using StdReadout = Spread<Reduce::std>;

/// Mean of the first (the papers' CLS) or last min(k, n) rows of a set; an empty set gives zeros. x [N, D] ->
/// [B, D].
template <SetEnd end>
class EndRows final : public Readout {
 public:
  using Options = EndOptions;
  explicit EndRows(const Options& o) : Readout(end == SetEnd::first ? "first" : "last", o), o_(o) {}
  Pooled pool(const SetInput& in) override { return {segment_end_mean(in.x, in.sets, end, o_.k)}; }
  RowOrder row_order() const override { return RowOrder::read; }

 private:
  Options o_;
};
using FirstReadout = EndRows<SetEnd::first>;
using LastReadout = EndRows<SetEnd::last>;

}  // namespace TARN_PRECISION
}  // namespace tarn
