#pragma once

#include "tarn/graph/norms/norm.hpp"

namespace tarn {

struct GraphSizeNormOptions {
  void fields(Fields&) {}
};

inline namespace TARN_PRECISION {

/// y = x / sqrt(n), n the number of nodes of the graph. No parameters, any width. Dwivedi et al. 2020,
/// "Benchmarking Graph Neural Networks", arXiv 2003.00982.
class GraphSizeNorm final : public Norm {
 public:
  using Options = GraphSizeNormOptions;
  explicit GraphSizeNorm(const Options&) : Norm("graph-size-norm", 0) {}

 protected:
  Var normalize(Var x, const Segments& sets, Activation activation) override;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
