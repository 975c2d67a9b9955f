#pragma once

#include "tarn/core/ops/segment.hpp"
#include "tarn/pooling/readouts/readout.hpp"

namespace tarn {

struct NoOptions {
  void fields(Fields&) {}
};

struct EndOptions {
  Size k = 1;
  void fields(Fields& f) { f("k", k, at_least(1), "rows that are averaged"); }
};

inline namespace TARN_PRECISION {

/// Sum, mean or maximum of the rows of a set, per feature; an empty set gives zeros. x [N, D] -> [B, D]. Time
/// O(N D), no parameters. Rows that share a maximum share its gradient equally.
template <Reduce reduce>
class Reduction final : public Readout {
 public:
  using Options = NoOptions;
  explicit Reduction(const Options&) {}
  Pooled forward(const SetInput& in) override {
    require_set_input(name(), in, 0);
    return {segment_reduce(in.x, in.sets, reduce)};
  }
  Size out_dim(Size in_dim) const override { return in_dim; }

 private:
  static constexpr const char* name() {
    return reduce == Reduce::sum ? "sum" : reduce == Reduce::mean ? "mean" : "max";
  }
};
using SumReadout = Reduction<Reduce::sum>;
using MeanReadout = Reduction<Reduce::mean>;
using MaxReadout = Reduction<Reduce::max>;

/// Mean of the first (the papers' CLS) or last min(k, n) rows of a set; an empty set gives zeros. x [N, D] ->
/// [B, D].
template <SetEnd end>
class EndRows final : public Readout {
 public:
  using Options = EndOptions;
  explicit EndRows(const Options& options) : o_(options) { check_options(o_, name()); }
  Pooled forward(const SetInput& in) override {
    require_set_input(name(), in, 0);
    return {segment_end_mean(in.x, in.sets, end, o_.k)};
  }
  Size out_dim(Size in_dim) const override { return in_dim; }

 private:
  static constexpr const char* name() { return end == SetEnd::first ? "first" : "last"; }
  Options o_;
};
using FirstReadout = EndRows<SetEnd::first>;
using LastReadout = EndRows<SetEnd::last>;

}  // namespace TARN_PRECISION
}  // namespace tarn
