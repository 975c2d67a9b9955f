#pragma once

#include "tarn/core/real.hpp"

#include <numeric>
#include <span>
#include <vector>

namespace tarn {

/// The members of each group, ascending, from the group of each member; a member of group -1 is in none.
class Groups {
 public:
  Groups() = default;
  /// Counting sort: time O(members + groups).
  Groups(std::span<const NodeId> group_of, Size num_groups)
      : offsets_(static_cast<std::size_t>(num_groups) + 1, 0) {
    for (const NodeId g : group_of) {
      if (g >= 0) ++offsets_[static_cast<std::size_t>(g) + 1];
    }
    std::partial_sum(offsets_.begin(), offsets_.end(), offsets_.begin());
    members_.resize(static_cast<std::size_t>(offsets_.back()));
    std::vector<NodeId> place(offsets_.begin(), offsets_.end() - 1);
    for (std::size_t i = 0; i < group_of.size(); ++i) {
      if (group_of[i] < 0) continue;
      const auto at = place[static_cast<std::size_t>(group_of[i])]++;
      members_[static_cast<std::size_t>(at)] = static_cast<NodeId>(i);
    }
  }

  [[nodiscard]] Size count() const { return static_cast<Size>(offsets_.size()) - 1; }
  [[nodiscard]] std::span<const NodeId> members(Size group) const {
    const auto first = static_cast<std::size_t>(offsets_[static_cast<std::size_t>(group)]);
    const auto last = static_cast<std::size_t>(offsets_[static_cast<std::size_t>(group) + 1]);
    return std::span(members_).subspan(first, last - first);
  }

 private:
  std::vector<NodeId> offsets_ = {0};
  std::vector<NodeId> members_;
};

}  // namespace tarn
