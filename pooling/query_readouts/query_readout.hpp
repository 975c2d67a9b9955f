#pragma once

#include "tarn/core/module.hpp"
#include "tarn/core/registry.hpp"
#include "tarn/pooling/checks.hpp"
#include "tarn/pooling/readouts/primitives.hpp"

#include <string>

namespace tarn {
inline namespace TARN_PRECISION {

struct QueryInput {
  Var x;          ///< [N, D] rows of all sets, one after another
  Segments sets;  ///< over the N rows
  Var queries;    ///< [Q, D], the same for all sets
  EmptySets empty = EmptySets::zero;
};

/// Turns each set into one vector per query. Rules as for `Readout`; an empty set gives what attention over
/// no rows gives.
class QueryReadout : public Module {
 public:
  /// Checks the input and pools it: [Q, B, out_dim], or [Q, B] where `gives_scores`. Throws ShapeError for x
  /// or queries of another width than `in_channels` or than each other, or sets that do not cover x.
  [[nodiscard]] Var forward(const QueryInput& in);
  [[nodiscard]] virtual Size out_dim(Size in_dim) const { return in_dim; }
  /// Whether the result is one number per query and set.
  [[nodiscard]] virtual bool gives_scores() const { return false; }
  [[nodiscard]] const std::string& name() const { return name_; }

 protected:
  template <DescribedOptions Options>
  QueryReadout(std::string name, const Options& options) : name_(std::move(name)) {
    check_options(options, name_);
    if constexpr (requires { options.in_channels; }) in_channels_ = options.in_channels;
  }
  [[nodiscard]] virtual Var pool(const QueryInput& in) = 0;

 private:
  std::string name_;
  Size in_channels_ = 0;  // 0: any
};

/// Rows in the order of sets and then queries, [B Q, D], as [Q, B, D].
[[nodiscard]] Var query_major(Var rows, Size sets, Size queries);

/// All query-conditioned readouts by name.
[[nodiscard]] Registry<QueryReadout>& query_readouts();
void register_query_readouts(Registry<QueryReadout>& registry);

/// A query-conditioned readout for features of width in_dim: `in_channels` is set where it has such an
/// option.
[[nodiscard]] std::unique_ptr<QueryReadout> make_query_readout(std::string_view name, Size in_dim,
                                                               Value options = {});

}  // namespace TARN_PRECISION

[[nodiscard]] Primitives query_readout_primitives();

}  // namespace tarn
