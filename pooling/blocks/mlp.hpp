#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/core/options.hpp"

#include <vector>

namespace tarn {

/// What every readout with row networks is told of them.
struct MlpOptions {
  Activation act = Activation::relu;
  double dropout = 0;
  void fields(Fields& f) {
    f("act", act, "activation between linear maps");
    f("dropout", dropout, in_range(0, 1), "share of elements dropped behind it in training");
  }
};

inline namespace TARN_PRECISION {

/// Linear maps with an activation and dropout after every one but the last; no norm. Without maps the
/// identity. Parameters: lins.K.weight, lins.K.bias.
class Mlp final : public Module {
 public:
  /// Widths of the results of the maps, the first of which reads `in` columns.
  Mlp(Size in, const std::vector<Size>& channels, const MlpOptions& options);
  Var forward(Var x);
  /// The maps behind the first, on what the first and its activation give.
  Var forward_behind_first(Var h);
  [[nodiscard]] Linear& first() { return *linears_.front(); }
  /// The activation behind the first map.
  [[nodiscard]] Activation first_activation() const {
    return linears_.size() == 1 ? Activation::none : o_.act;
  }
  [[nodiscard]] bool identity() const { return linears_.empty(); }
  [[nodiscard]] Size out_dim() const { return out_dim_; }

 private:
  std::vector<Linear*> linears_;
  MlpOptions o_;
  Size out_dim_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
