#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/experiments/mesh/mesh_network.hpp"

#include <array>

namespace tarn {

/// Which graph's features, averaged over each mesh, are classified.
enum class MeshReadout { dual, primal, both };
inline std::span<const std::string_view> enum_names(MeshReadout) {
  static constexpr std::array<std::string_view, 3> names{"dual", "primal", "both"};
  return names;
}

struct PdMeshClassifierOptions : MeshNetworkOptions {
  Size heads = 1;
  Size num_output_units_fc = 100;
  MeshReadout readout = MeshReadout::dual;
  double dropout_fc = 0;
  void fields(Fields& f) {
    MeshNetworkOptions::fields(f);
    f("heads", heads, at_least(1), "attention heads of every block");
    f("num_output_units_fc", num_output_units_fc, at_least(1), "width between the two linear layers");
    f("readout", readout, "features that are averaged and classified; dual is the published one");
    f("dropout_fc", dropout_fc, in_range(0, 1), "dropout between the two linear layers");
  }
};

inline namespace TARN_PRECISION {

/// dual-primal-res-down-conv blocks, the mean over the nodes of each mesh, logits = fc2(relu(fc1(r))). [B,
/// K].
///
/// The published readout is the mean of the dual features, which never receive anything from primal ones:
/// primal weights then have no influence, none of their products is computed, and their gradients are zero.
/// `both` puts the primal mean before the dual one. Pooling joins features by their mean. A mesh without
/// nodes reads zeros. Parameters: block{i}.* (see DualPrimalResDownConv), fc1.*, fc2.*. Milano et al. 2020,
/// arXiv 2010.12455.
class PdMeshClassifier final : public MeshNetwork {
 public:
  using Options = PdMeshClassifierOptions;
  explicit PdMeshClassifier(const Options& options);
  Var forward(const DualPrimal& in) override;
  [[nodiscard]] MeshTask task() const override { return MeshTask::classification; }

 private:
  MeshReadout readout_;
  double dropout_fc_;
  std::vector<DualPrimalResDownConv*> blocks_;
  Linear* fc1_ = nullptr;
  Linear* fc2_ = nullptr;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
