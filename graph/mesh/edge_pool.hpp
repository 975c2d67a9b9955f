#pragma once

#include "tarn/graph/mesh/cluster_rows.hpp"
#include "tarn/graph/mesh/dual_primal.hpp"

#include <memory>
#include <optional>

namespace tarn {

/// What happens where no two chosen edges may touch and too few are left: an error, or fewer are contracted.
enum class OnShortfall { error, stop };
inline std::span<const std::string_view> enum_names(OnShortfall) {
  static constexpr std::array<std::string_view, 2> names{"error", "stop"};
  return names;
}

/// How many edges a pool contracts: at most one of the three is set.
struct PoolAmount {
  std::optional<Size> num_primal_edges_to_keep;
  std::optional<double> fraction_primal_edges_to_keep;
  std::optional<double> primal_att_coeff_threshold;

  [[nodiscard]] Size given() const {
    return Size{num_primal_edges_to_keep.has_value()} + Size{fraction_primal_edges_to_keep.has_value()} +
           Size{primal_att_coeff_threshold.has_value()};
  }
  void fields(Fields& f) {
    f("num_primal_edges_to_keep", num_primal_edges_to_keep, at_least(0),
      "undirected edges that each mesh keeps");
    f("fraction_primal_edges_to_keep", fraction_primal_edges_to_keep, between(0, 1),
      "share of the edges to keep");
    f("primal_att_coeff_threshold", primal_att_coeff_threshold, between(0, 1),
      "contract edges above this score");
  }
};

/// How a pool chooses and merges, whatever the amount.
struct EdgePoolRules {
  bool use_decreasing_attention_coefficient = true;
  bool allow_pooling_consecutive_edges = true;
  double add_to_primal_att_coeffs = 0;
  OnShortfall on_shortfall = OnShortfall::error;
  bool gate = false;
  void fields(Fields& f) {
    f("use_decreasing_attention_coefficient", use_decreasing_attention_coefficient,
      "contract the edges of largest score; false: of smallest");
    f("allow_pooling_consecutive_edges", allow_pooling_consecutive_edges,
      "contracted edges may share a node");
    f("add_to_primal_att_coeffs", add_to_primal_att_coeffs, any_finite(),
      "constant added to every attention");
    f("on_shortfall", on_shortfall, "where too few edges without a common node are left");
    f("gate", gate, "multiply a cluster's feature by 1 + the mean score of its contracted edges");
  }
};

struct EdgePoolOptions : PoolAmount, EdgePoolRules {
  DualConfiguration configuration = DualConfiguration::A;
  ClusterAggregation aggr_primal_features = ClusterAggregation::mean;
  ClusterAggregation aggr_dual_features = ClusterAggregation::mean;
  bool dual_self_loops = false;
  void fields(Fields& f) {
    PoolAmount::fields(f);
    EdgePoolRules::fields(f);
    f("configuration", configuration, "of the dual graph");
    f("aggr_primal_features", aggr_primal_features, "how the features of a cluster are joined");
    f("aggr_dual_features", aggr_dual_features, "how the features of parallel dual nodes are joined");
    f("dual_self_loops", dual_self_loops, "give every new dual node a loop");
  }
};

/// What a pool did: the new node of each old one, the new dual node of each old one (-1: its edge vanished).
struct PoolRecord {
  std::shared_ptr<const RowClusters> clusters;
  std::shared_ptr<const RowClusters> dual_clusters;
  bool contracted = false;  ///< false: no edge was chosen in any mesh, and nothing changed
};

inline namespace TARN_PRECISION {

struct PooledDualPrimal {
  DualPrimal pooled;
  PoolRecord record;
};

/// Contracts the primal edges of largest attention: faces merge into clusters, the dual graph is built anew.
///
/// attention [P, H] in batch order. Score of a pair: the mean over heads plus `add_to_primal_att_coeffs`,
/// averaged over both directions. Chosen are those beyond the threshold, strictly, or the first k of a stable
/// order by score, ties to the lower pair: k = trunc((1 - fraction) E) or E less the number to keep. Without
/// consecutive edges the list is walked and an edge taken only if both ends are free. Clusters are the
/// components of the chosen edges, numbered by their smallest node; two clusters are neighbours if an old
/// edge joins them. Primal features are joined over clusters, dual ones over the dual nodes that run between
/// the same two clusters (in the same direction in B and C).
///
/// Where no mesh of the batch has a chosen edge the input comes back. The choice has no gradient; with `gate`
/// the attention has one through the factors. Time O(N + P + new dual edges), meshes in parallel. Throws
/// ConfigError unless exactly one amount is given, ValueError for attention that is NaN, edges without their
/// opposite and too few free edges. Milano et al. 2020, arXiv 2010.12455.
[[nodiscard]] PooledDualPrimal pool_edges(const DualPrimal& in, Var attention,
                                          const EdgePoolOptions& options);

}  // namespace TARN_PRECISION

/// Throws ConfigError, naming `where`, for options that exclude each other: two amounts, none where one is
/// needed, or consecutive edges forbidden with a threshold.
enum class AmountNeeded { no, yes };
void check_pool_amount(std::string_view where, const PoolAmount& amount, const EdgePoolRules& rules,
                       AmountNeeded needed);

}  // namespace tarn
