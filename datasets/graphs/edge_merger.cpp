#include "tarn/datasets/graphs/edge_merger.hpp"

#include <algorithm>
#include <numeric>

namespace tarn::detail {

namespace {

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// Where each key's run begins, from a list of keys.
template <class Keys>
void count_runs(const Keys& keys, Size num_keys, std::vector<Size>& offsets) {
  offsets.assign(idx(num_keys + 1), 0);
  for (const NodeId key : keys) ++offsets[idx(key) + 1];
  std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
}

}  // namespace

void EdgeMerger::run(Size num_nodes, std::span<const NodeId> sources, std::span<const NodeId> targets,
                     Duplicates duplicates) {
  order_.clear();
  for (std::size_t e = 0; e < sources.size(); ++e) {
    if (sources[e] != targets[e]) order_.push_back(static_cast<Size>(e));
  }
  loops_ = static_cast<Size>(sources.size() - order_.size());
  sort_by(sources, num_nodes);
  sort_by(targets, num_nodes);
  merge(sources, targets, num_nodes, duplicates);
  compare_directions(num_nodes);
}

/// A stable pass of counting sort over `order_`.
void EdgeMerger::sort_by(std::span<const NodeId> keys, Size num_nodes) {
  cursor_.assign(idx(num_nodes + 1), 0);
  for (const Size e : order_) ++cursor_[idx(keys[idx(e)]) + 1];
  std::partial_sum(cursor_.begin(), cursor_.end(), cursor_.begin());
  scratch_.resize(order_.size());
  for (const Size e : order_) scratch_[idx(cursor_[idx(keys[idx(e)])]++)] = e;
  order_.swap(scratch_);
}

void EdgeMerger::merge(std::span<const NodeId> sources, std::span<const NodeId> targets, Size num_nodes,
                       Duplicates duplicates) {
  merged_.clear();
  sources_.clear();
  targets_.clear();
  duplicates_ = 0;
  uneven_ = false;
  Size repeats = 0, first_repeats = -1;
  const auto end_run = [&] {
    if (first_repeats < 0) first_repeats = repeats;
    uneven_ = uneven_ || repeats != first_repeats;
    repeats = 0;
  };
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const NodeId from = sources[idx(order_[i])], to = targets[idx(order_[i])];
    const bool again = !sources_.empty() && sources_.back() == from && targets_.back() == to;
    if (i > 0 && !again) end_run();
    duplicates_ += again ? 1 : 0;
    ++repeats;
    if (again && duplicates == Duplicates::merge) continue;
    merged_.push_back(static_cast<Size>(i));
    sources_.push_back(from);
    targets_.push_back(to);
  }
  if (!order_.empty()) end_run();
  merged_.push_back(static_cast<Size>(order_.size()));
  count_runs(targets_, num_nodes, offsets_);
}

/// Rows by source beside rows by target: both sorted by the other end.
void EdgeMerger::compare_directions(Size num_nodes) {
  count_runs(sources_, num_nodes, out_offsets_);
  cursor_.assign(out_offsets_.begin(), out_offsets_.end() - 1);
  out_targets_.resize(sources_.size());
  for (std::size_t e = 0; e < sources_.size(); ++e) {
    out_targets_[idx(cursor_[idx(sources_[e])]++)] = targets_[e];
  }
  one_way_ = 0;
  isolated_ = 0;
  balanced_ = out_targets_ == sources_ && out_offsets_ == offsets_;
  for (Size node = 0; node < num_nodes; ++node) {
    const Size out_begin = out_offsets_[idx(node)], out_end = out_offsets_[idx(node + 1)];
    const auto in_begin = sources_.begin() + offsets_[idx(node)],
               in_end = sources_.begin() + offsets_[idx(node + 1)];
    isolated_ += out_begin == out_end && in_begin == in_end ? 1 : 0;
    if (balanced_) continue;
    for (Size p = out_begin; p < out_end; ++p) {
      one_way_ += std::binary_search(in_begin, in_end, out_targets_[idx(p)]) ? 0 : 1;
    }
  }
}

}  // namespace tarn::detail
