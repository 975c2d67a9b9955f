#pragma once

#include "tarn/core/registry.hpp"
#include "tarn/graph/mesh/dual_primal_down_conv.hpp"
#include "tarn/graph/mesh/mesh_layer.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tarn {

/// What a network labels: each mesh, or each of its faces.
enum class MeshTask { classification, segmentation };

/// How the weights of linear layers start.
enum class WeightInit { normal, xavier, kaiming, orthogonal };
inline std::span<const std::string_view> enum_names(WeightInit) {
  static constexpr std::array<std::string_view, 4> names{"normal", "xavier", "kaiming", "orthogonal"};
  return names;
}

/// Options that the three networks share.
struct MeshNetworkOptions : DualPrimalAttentionOptions, EdgePoolRules {
  Size in_channels_primal = 1;
  Size in_channels_dual = 7;
  std::vector<Size> conv_primal_out_res{64, 128};
  std::vector<Size> conv_dual_out_res{64, 128};
  Size num_classes = 2;
  Size num_res_blocks = 3;
  NormLayer norm_layer_type = NormLayer::group_norm;
  Size num_groups_norm_layer = 16;
  bool concat_primal = true;
  bool concat_dual = true;
  std::vector<std::optional<double>> num_primal_edges_to_keep;
  std::vector<std::optional<double>> fractions_primal_edges_to_keep;
  std::vector<std::optional<double>> primal_attention_coeffs_thresholds;
  WeightInit weight_initialization_type = WeightInit::normal;
  double weight_initialization_gain = 0.02;

  MeshNetworkOptions() { bias_primal = bias_dual = false; }
  void fields(Fields& f);
};

/// A block's options at position i of the lists.
struct BlockPlace {
  std::size_t i = 0;
  Size heads = 1;
  DualPrimalWidths in;
};

/// What each of `count` blocks contracts. Throws ConfigError, naming `where`, for lists of another length and
/// two amounts for one block.
[[nodiscard]] std::vector<PoolAmount> pool_amounts(const MeshNetworkOptions& options, std::size_t count,
                                                   std::string_view where);

/// Throws ConfigError, naming `where`, unless the two lists of widths are equally long and not empty.
void check_widths(const MeshNetworkOptions& options, std::string_view where);

/// The layer options of block `place`, without its pooling.
[[nodiscard]] DualPrimalLayerOptions layer_options(const MeshNetworkOptions& options,
                                                   const BlockPlace& place);

inline namespace TARN_PRECISION {

/// Scores from a batch of meshes: [B, K] of meshes, or [N, K] of faces.
class MeshNetwork : public Module {
 public:
  virtual Var forward(const DualPrimal& in) = 0;
  [[nodiscard]] virtual MeshTask task() const = 0;
  /// Draws the start of training: `init`, then linear layers (fc1, fc2) by the network's rule with their
  /// biases as PyTorch has them, and batch-norm weights normal around 1.
  void initialise(const Rng& rng);

  /// The pools of the last forward pass, from the faces on.
  [[nodiscard]] const std::vector<PoolRecord>& pools() const { return pools_; }
  /// The largest number of neighbours and of dual edges that a pooled graph of the last pass had.
  struct PoolSizes {
    Size largest_degree = 0;
    Size dual_edges = 0;
    bool idle = false;  ///< some pool found nothing to contract in the whole batch
  };
  [[nodiscard]] PoolSizes pool_sizes() const;

 protected:
  MeshNetwork(WeightInit init, double gain) : init_(init), gain_(gain) {}
  void start_pass() {
    pools_.clear();
    pooled_graphs_.clear();
  }
  void note_pool(const MeshLayerResult& result);

 private:
  WeightInit init_;
  double gain_;
  std::vector<PoolRecord> pools_;
  std::vector<PrimalDualGraph> pooled_graphs_;
};

/// The final cluster of every face: all pools one after another.
[[nodiscard]] RowClusters compose_pools(std::span<const PoolRecord> pools, Size num_faces);

/// All networks by name.
[[nodiscard]] Registry<MeshNetwork>& mesh_networks();
void register_mesh_networks(Registry<MeshNetwork>& registry);

}  // namespace TARN_PRECISION
}  // namespace tarn
