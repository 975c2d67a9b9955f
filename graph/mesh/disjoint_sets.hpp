#pragma once

#include "tarn/core/real.hpp"

#include <numeric>
#include <vector>

namespace tarn {

/// Union-find over 0 .. n-1; the smallest member stands for its set.
class DisjointSets {
 public:
  explicit DisjointSets(Size n) : parent_(static_cast<std::size_t>(n)) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }

  [[nodiscard]] NodeId find(NodeId i) {
    while (at(i) != i) i = at(i) = at(at(i));  // halves the path
    return i;
  }
  /// False if both were in one set already.
  bool unite(NodeId a, NodeId b) {
    a = find(a);
    b = find(b);
    if (a == b) return false;
    if (b < a) std::swap(a, b);
    at(b) = a;
    return true;
  }

 private:
  NodeId& at(NodeId i) { return parent_[static_cast<std::size_t>(i)]; }
  std::vector<NodeId> parent_;
};

}  // namespace tarn
