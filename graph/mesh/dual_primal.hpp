#pragma once

#include "tarn/core/module.hpp"
#include "tarn/core/options.hpp"
#include "tarn/graph/mesh/primal_dual_graph.hpp"

#include <string_view>

namespace tarn {
inline namespace TARN_PRECISION {

/// Features on the two graphs of a batch of meshes, which is what the layers of this family take and give.
struct DualPrimal {
  Var x;       ///< [N, Cp]; not given: nobody asks for primal features, and layers compute none
  Var x_dual;  ///< [D, Cd]
  PrimalDualGraph graph;
};

}  // namespace TARN_PRECISION

/// Widths of the features on the primal and on the dual graph.
struct DualPrimalWidths {
  Size primal = 0;
  Size dual = 0;
};

/// Options that every layer with attention on both graphs has.
struct DualPrimalAttentionOptions {
  DualConfiguration configuration = DualConfiguration::A;
  double negative_slope_primal = 0.2;
  double negative_slope_dual = 0.2;
  double dropout_primal = 0;
  double dropout_dual = 0;
  bool bias_primal = true;
  bool bias_dual = true;
  bool dual_self_loops = false;
  void fields(Fields& f) {
    f("configuration", configuration, "of the dual graph; serves the checks");
    f("negative_slope_primal", negative_slope_primal, any_finite(), "slope of the leaky relu, primal scores");
    f("negative_slope_dual", negative_slope_dual, any_finite(), "slope of the leaky relu, dual scores");
    f("dropout_primal", dropout_primal, in_range(0, 1), "share of primal attention dropped in training");
    f("dropout_dual", dropout_dual, in_range(0, 1), "share of dual attention dropped in training");
    f("bias_primal", bias_primal, "add a bias to primal features");
    f("bias_dual", bias_dual, "add a bias to dual features");
    f("dual_self_loops", dual_self_loops, "one loop at every dual node joins its attention");
  }
};

/// Those of a layer between given widths.
struct DualPrimalLayerOptions : DualPrimalAttentionOptions {
  Size in_channels_primal = 0;
  Size in_channels_dual = 0;
  Size out_channels_primal = 0;
  Size out_channels_dual = 0;
  Size heads = 1;
  bool concat_primal = true;
  bool concat_dual = true;
  void fields(Fields& f) {
    f("in_channels_primal", in_channels_primal, at_least(1), "width of x");
    f("in_channels_dual", in_channels_dual, at_least(1), "width of x_dual");
    f("out_channels_primal", out_channels_primal, at_least(1), "primal width per head");
    f("out_channels_dual", out_channels_dual, at_least(1), "dual width per head");
    f("heads", heads, at_least(1), "attention heads");
    f("concat_primal", concat_primal, "primal heads side by side; false averages them");
    f("concat_dual", concat_dual, "dual heads side by side; false needs one head");
    DualPrimalAttentionOptions::fields(f);
  }
  [[nodiscard]] DualPrimalWidths in() const { return {in_channels_primal, in_channels_dual}; }
  [[nodiscard]] DualPrimalWidths out() const {
    return {(concat_primal ? heads : 1) * out_channels_primal, (concat_dual ? heads : 1) * out_channels_dual};
  }
};

inline namespace TARN_PRECISION {

/// Throws ShapeError or ConfigError, naming `where`, for features that do not fit the graph or the widths,
/// and for a graph of another configuration.
void require_dual_primal(std::string_view where, const DualPrimal& in, const DualPrimalWidths& widths,
                         DualConfiguration configuration);

}  // namespace TARN_PRECISION
}  // namespace tarn
