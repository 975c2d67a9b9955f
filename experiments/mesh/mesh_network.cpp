#include "tarn/experiments/mesh/mesh_network.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/experiments/mesh/weight_init.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tarn {

namespace {

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

}  // namespace

void MeshNetworkOptions::fields(Fields& f) {
  DualPrimalAttentionOptions::fields(f);
  EdgePoolRules::fields(f);
  f("in_channels_primal", in_channels_primal, at_least(1), "width of the primal features");
  f("in_channels_dual", in_channels_dual, at_least(1),
    "width of the dual features: 7 in configuration A, 4 in B and C");
  f("conv_primal_out_res", conv_primal_out_res, at_least(1), "primal width of each block, per head");
  f("conv_dual_out_res", conv_dual_out_res, at_least(1), "dual width of each block, per head");
  f("num_classes", num_classes, at_least(1), "scores per mesh or face");
  f("num_res_blocks", num_res_blocks, at_least(0), "convolutions of a block after its first");
  f("norm_layer_type", norm_layer_type, "norm at the end of a block");
  f("num_groups_norm_layer", num_groups_norm_layer, at_least(1), "groups of channels of group_norm");
  f("concat_primal", concat_primal, "primal heads side by side; false averages them");
  f("concat_dual", concat_dual, "dual heads side by side; false needs one head");
  f("num_primal_edges_to_keep", num_primal_edges_to_keep, at_least(0),
    "per block, undirected edges that stay");
  f("fractions_primal_edges_to_keep", fractions_primal_edges_to_keep, between(0, 1),
    "per block, share of edges that stay");
  f("primal_attention_coeffs_thresholds", primal_attention_coeffs_thresholds, between(0, 1),
    "per block, contract the edges above this score");
  f("weight_initialization_type", weight_initialization_type, "start of linear layers");
  f("weight_initialization_gain", weight_initialization_gain, at_least(0),
    "its spread, and that of batch-norm weights");
}

std::vector<PoolAmount> pool_amounts(const MeshNetworkOptions& o, std::size_t count, std::string_view where) {
  const auto require_length = [&](const char* name, const std::vector<std::optional<double>>& list) {
    if (list.empty() || list.size() == count) return;
    throw ConfigError(fmt::format("{}.{}: got {} entries for {} blocks; expected one each", where, name,
                                  list.size(), count));
  };
  require_length("num_primal_edges_to_keep", o.num_primal_edges_to_keep);
  require_length("fractions_primal_edges_to_keep", o.fractions_primal_edges_to_keep);
  require_length("primal_attention_coeffs_thresholds", o.primal_attention_coeffs_thresholds);
  const auto entry = [](const std::vector<std::optional<double>>& list, std::size_t i) {
    return list.empty() ? std::nullopt : list[i];
  };
  std::vector<PoolAmount> amounts(count);
  for (std::size_t i = 0; i < count; ++i) {
    PoolAmount& amount = amounts[i];
    if (const auto keep = entry(o.num_primal_edges_to_keep, i)) {
      if (*keep != std::floor(*keep)) {
        throw ConfigError(fmt::format(
            "{}.num_primal_edges_to_keep: got {} for block {}; expected a whole number", where, *keep, i));
      }
      amount.num_primal_edges_to_keep = static_cast<Size>(*keep);
    }
    amount.fraction_primal_edges_to_keep = entry(o.fractions_primal_edges_to_keep, i);
    amount.primal_att_coeff_threshold = entry(o.primal_attention_coeffs_thresholds, i);
    check_pool_amount(fmt::format("{}: block {}", where, i), amount, o, AmountNeeded::no);
  }
  return amounts;
}

void check_widths(const MeshNetworkOptions& o, std::string_view where) {
  if (!o.conv_primal_out_res.empty() && o.conv_primal_out_res.size() == o.conv_dual_out_res.size()) return;
  throw ConfigError(fmt::format(
      "{}: conv_primal_out_res has {} entries, conv_dual_out_res {}; expected the same number, at least 1",
      where, o.conv_primal_out_res.size(), o.conv_dual_out_res.size()));
}

DualPrimalLayerOptions layer_options(const MeshNetworkOptions& o, const BlockPlace& place) {
  DualPrimalLayerOptions layer;
  static_cast<DualPrimalAttentionOptions&>(layer) = o;
  layer.in_channels_primal = place.in.primal;
  layer.in_channels_dual = place.in.dual;
  layer.out_channels_primal = o.conv_primal_out_res[place.i];
  layer.out_channels_dual = o.conv_dual_out_res[place.i];
  layer.heads = place.heads;
  layer.concat_primal = o.concat_primal;
  layer.concat_dual = o.concat_dual;
  return layer;
}

inline namespace TARN_PRECISION {

void MeshNetwork::initialise(const Rng& rng) {
  init(rng);
  draw_network_weights(*this, init_, gain_, rng.split("weights"));
}

void MeshNetwork::note_pool(const MeshLayerResult& result) {
  if (!result.record) return;
  pools_.push_back(*result.record);
  pooled_graphs_.push_back(result.features.graph);
}

MeshNetwork::PoolSizes MeshNetwork::pool_sizes() const {
  PoolSizes sizes;
  for (const PoolRecord& pool : pools_) sizes.idle = sizes.idle || !pool.contracted;
  for (const PrimalDualGraph& graph : pooled_graphs_) {
    sizes.dual_edges = std::max(sizes.dual_edges, graph.dual().num_edges());
    const auto offsets = graph.primal().incoming().offsets;
    for (std::size_t i = 1; i < offsets.size(); ++i) {
      sizes.largest_degree = std::max(sizes.largest_degree, offsets[i] - offsets[i - 1]);
    }
  }
  return sizes;
}

RowClusters compose_pools(std::span<const PoolRecord> pools, Size num_faces) {
  std::vector<NodeId> cluster(idx(num_faces));
  std::iota(cluster.begin(), cluster.end(), 0);
  for (const PoolRecord& pool : pools) {
    for (NodeId& c : cluster) c = pool.clusters->group_of[idx(c)];
  }
  return {std::move(cluster), pools.empty() ? num_faces : pools.back().clusters->groups.count()};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
