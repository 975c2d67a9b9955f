#pragma once

#include "tarn/core/tape.hpp"
#include "tarn/graph/mesh/groups.hpp"

#include <array>
#include <memory>
#include <string_view>

namespace tarn {

enum class ClusterAggregation { mean, add };
inline std::span<const std::string_view> enum_names(ClusterAggregation) {
  static constexpr std::array<std::string_view, 2> names{"mean", "add"};
  return names;
}

/// Which group each old row went to, -1 for none, and the rows of each group.
struct RowClusters {
  std::vector<NodeId> group_of;
  Groups groups;

  RowClusters() = default;
  RowClusters(std::vector<NodeId> group_of_each, Size num_groups)
      : group_of(std::move(group_of_each)), groups(group_of, num_groups) {}
  [[nodiscard]] Size num_rows() const { return static_cast<Size>(group_of.size()); }
};

inline namespace TARN_PRECISION {

/// Mean or sum of the rows of each group: x [N, C] -> [groups, C]. Rows are added in order.
Var merge_rows(Var x, std::shared_ptr<const RowClusters> clusters, ClusterAggregation how);

/// The row of its group for every old row, `rest` [1, C] where it is in none: x [groups, C] -> [N, C]. The
/// gradient of a group's row is the sum over its members. `rest` may be not given where every row has a
/// group.
Var spread_rows(Var x, Var rest, std::shared_ptr<const RowClusters> clusters);

}  // namespace TARN_PRECISION
}  // namespace tarn
