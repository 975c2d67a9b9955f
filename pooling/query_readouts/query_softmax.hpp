#pragma once

#include "tarn/pooling/query_readouts/query_readout.hpp"

#include <array>

namespace tarn {

struct QuerySoftmaxOptions {
  double temperature = 0.01;
  void fields(Fields& f) { f("temperature", temperature, above(0), "divides the inner products"); }
};

enum class TopReduce { sum, mean };
inline std::span<const std::string_view> enum_names(TopReduce) {
  static constexpr std::array<std::string_view, 2> names{"sum", "mean"};
  return names;
}

struct QueryTopKOptions {
  std::optional<Size> k;
  TopReduce reduce = TopReduce::sum;
  void fields(Fields& f) {
    f("k", k, at_least(1), "rows that are joined; must be given");
    f("reduce", reduce, "how");
  }
};

inline namespace TARN_PRECISION {

/// y = sum a_i x_i, a = softmax over the set of <x_i, q> / temperature: x [N, D], queries [Q, D] -> [Q, B,
/// D]; an empty set gives zeros. Callers pass L2-normalised vectors. x is read once for all queries. Gorti et
/// al. 2022, arXiv 2203.15086.
class QuerySoftmax final : public QueryReadout {
 public:
  using Options = QuerySoftmaxOptions;
  explicit QuerySoftmax(const Options& o) : QueryReadout("query-softmax", o), o_(o) {}
  Var pool(const QueryInput& in) override;

 private:
  Options o_;
};

/// Sum or mean of the k rows of a set with the largest <x_i, q> (ties: the lower row), of all rows of a
/// smaller set: x [N, D], queries [Q, D] -> [Q, B, D]; an empty set gives zeros. The gradient goes to the
/// chosen rows, and none to the queries. Throws ConfigError without k. Gorti et al. 2022, arXiv 2203.15086.
class QueryTopK final : public QueryReadout {
 public:
  using Options = QueryTopKOptions;
  explicit QueryTopK(const Options& o)
      : QueryReadout("query-topk", o), o_(o), k_(required_option("query-topk", "k", o.k)) {}
  Var pool(const QueryInput& in) override;

 private:
  Options o_;
  Size k_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
