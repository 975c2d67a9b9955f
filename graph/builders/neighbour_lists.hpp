#pragma once

#include "tarn/core/real.hpp"

#include <span>
#include <vector>

namespace tarn {

/// Ragged lists of one set's rows, each ascending: the list of a row follows the list of the row before.
struct NeighbourLists {
  std::vector<NodeId> sizes;
  std::vector<NodeId> nodes;

  [[nodiscard]] Size num_rows() const { return static_cast<Size>(sizes.size()); }
  void append_row(std::span<const NodeId> row);
};

/// Lists with the upper triangle j >= i, in runs of rows, to those of the whole symmetric relation.
[[nodiscard]] NeighbourLists mirrored(std::span<const NeighbourLists> upper);

/// How two directed choices become one symmetric edge.
enum class Symmetrise { either, both };

/// The symmetric relation of directed lists, in runs of rows: j stays at i if i lists j or (`either`) / and
/// (`both`) j lists i.
[[nodiscard]] NeighbourLists symmetrised(std::span<const NeighbourLists> directed, Symmetrise how);

/// Every pair of 0 .. n-1 with abs(i - j) <= window.
[[nodiscard]] NeighbourLists banded(Size n, Size window);

/// Takes each row out of its own list, or puts it in where it is missing.
void remove_loops(NeighbourLists& lists);
void add_loops(NeighbourLists& lists);

}  // namespace tarn
