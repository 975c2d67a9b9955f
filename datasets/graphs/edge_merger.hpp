#pragma once

#include "tarn/core/real.hpp"

#include <span>
#include <vector>

namespace tarn::detail {

/// Puts the edges of one graph after another in canonical order (by target, then source), without loops and,
/// if wanted, with equal edges merged. Buffers are kept from graph to graph; linear time.
class EdgeMerger {
 public:
  enum class Duplicates { merge, keep };

  void run(Size num_nodes, std::span<const NodeId> sources, std::span<const NodeId> targets,
           Duplicates duplicates);

  // === The last graph
  /// Edge k of the result joins given edges order()[k's begin] .. ; merged()[k] is that begin, [E+1].
  [[nodiscard]] std::span<const Size> order() const { return order_; }
  [[nodiscard]] std::span<const Size> merged() const { return merged_; }
  [[nodiscard]] std::span<const Size> offsets() const { return offsets_; }          ///< by target [n+1]
  [[nodiscard]] std::span<const NodeId> sources() const { return sources_; }        ///< [E]
  [[nodiscard]] std::span<const NodeId> targets() const { return targets_; }        ///< [E]
  [[nodiscard]] std::span<const Size> out_offsets() const { return out_offsets_; }  ///< by source [n+1]
  [[nodiscard]] bool symmetric() const { return one_way_ == 0 && balanced_; }

  [[nodiscard]] Size loops() const { return loops_; }
  [[nodiscard]] Size duplicates() const { return duplicates_; }
  [[nodiscard]] Size one_way() const { return one_way_; }
  [[nodiscard]] Size isolated() const { return isolated_; }
  /// Some edges were given more often than others.
  [[nodiscard]] bool uneven() const { return uneven_; }

 private:
  void sort_by(std::span<const NodeId> keys, Size num_nodes);
  void merge(std::span<const NodeId> sources, std::span<const NodeId> targets, Size num_nodes,
             Duplicates duplicates);
  void compare_directions(Size num_nodes);

  std::vector<Size> order_, scratch_, cursor_, merged_, offsets_, out_offsets_;
  std::vector<NodeId> sources_, targets_, out_targets_;
  Size loops_ = 0, duplicates_ = 0, one_way_ = 0, isolated_ = 0;
  bool uneven_ = false, balanced_ = true;
};

}  // namespace tarn::detail
