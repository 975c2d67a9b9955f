#pragma once

#include "tarn/core/parallel.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace tarn {

enum class SetEnd { first, last };

/// Which rows of a set count: the first or last `most`, all of a shorter set.
struct RowChoice {
  SetEnd end = SetEnd::first;
  Size most = std::numeric_limits<Size>::max();
  [[nodiscard]] bool all() const { return most == std::numeric_limits<Size>::max(); }
  [[nodiscard]] Rows of(Rows set) const {
    const Size n = std::min(set.size(), most);
    return end == SetEnd::first ? Rows{set.begin, set.begin + n} : Rows{set.end - n, set.end};
  }
};

/// Whether a set of more than 1024 rows is cut.
enum class Cut { no, yes };

/// A run of rows of one set, worked on by one thread.
struct SegmentChunk {
  Size task = 0;  ///< which of `num_tasks` works on it, for results of a task's own
  Size set = 0;
  Rows rows{};
  Size part = -1;        ///< -1: the whole set; else which of `num_parts` partial results this chunk makes
  Size first_part = -1;  ///< of the set
  [[nodiscard]] bool whole() const { return part < 0; }
};

/// Sets cut for parallel work: a set of more than 1024 rows into chunks of 1024 of its own rows, so that a
/// long set keeps no thread waiting, the others whole and several to a task. Chunks depend on the set alone,
/// tasks on the sets alone; so results joined in the order of chunks, or of tasks, have the same bits for any
/// number of threads, and what belongs to one set has the bits it has without the others.
class SegmentChunks {
 public:
  explicit SegmentChunks(Segments sets, RowChoice choice = {}, Cut cut = Cut::yes);

  /// Chunks of sets of several chunks, all together.
  [[nodiscard]] Size num_parts() const { return num_parts_; }
  [[nodiscard]] Size num_tasks() const { return num_parts_ + num_blocks_; }
  /// The rows of a set that count.
  [[nodiscard]] Rows rows(Size set) const { return choice_.of(sets_.rows(set)); }
  /// f(chunk) for every chunk, in parallel, the longest first. An empty set is one chunk without rows.
  void for_each(FunctionRef<void(const SegmentChunk&)> f) const { for_tasks(0, num_tasks(), f); }
  /// The same for the chunks of tasks first .. last-1.
  void for_tasks(Size first, Size last, FunctionRef<void(const SegmentChunk&)> f) const;
  /// f(set, parts) for every set of several chunks, in parallel: joins what `for_each` left in its parts.
  void for_each_cut(FunctionRef<void(Size set, Rows parts)> f) const;

 private:
  struct CutSet {
    Size set;
    Size first_part;
  };
  Rows parts_of(std::size_t cut) const;
  SegmentChunk part_chunk(Size part) const;
  Segments sets_;
  RowChoice choice_;
  Size longest_;  // of a set that is not cut
  std::vector<CutSet> cuts_;
  Size num_parts_ = 0;
  Size num_blocks_ = 0;
};

}  // namespace tarn
