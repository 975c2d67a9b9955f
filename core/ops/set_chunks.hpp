#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"

#include <algorithm>
#include <span>

namespace tarn {
inline namespace TARN_PRECISION {

/// A run of rows inside one set.
struct SetChunk {
  Size set = 0;
  Rows rows{};
};

/// Sets cut into runs of at most `rows_each` rows, in order; empty sets have none. The cuts depend on the
/// sets alone, so sums per chunk that are joined in order have the same bits for any number of threads, and
/// one set of a million rows is worked on in parallel as a million small ones are. Lives on a tape until it
/// is reset.
class SetChunks {
 public:
  SetChunks(Tape& tape, const Segments& sets, Size rows_each = 256) : rows_each_(rows_each) {
    const auto pieces = [&](Size set) { return (sets.size(set) + rows_each - 1) / rows_each; };
    first_ = tape.allocate_array<Size>(sets.count() + 1);
    first_[0] = 0;
    for (Size b = 0; b < sets.count(); ++b) first_[at(b + 1)] = first_[at(b)] + pieces(b);
    chunks_ = tape.allocate_array<SetChunk>(first_.back());
    for (Size b = 0; b < sets.count(); ++b) {
      const Rows rows = sets.rows(b);
      for (Size c = first_[at(b)], begin = rows.begin; c < first_[at(b + 1)]; ++c, begin += rows_each) {
        chunks_[at(c)] = {b, {begin, std::min(rows.end, begin + rows_each)}};
      }
    }
  }

  [[nodiscard]] Size count() const { return static_cast<Size>(chunks_.size()); }
  /// The chunks of one set: numbers begin .. end-1.
  [[nodiscard]] Rows of(Size set) const { return {first_[at(set)], first_[at(set + 1)]}; }

  /// Sums over each set in double: f(chunk, sum) adds the rows of a chunk to sum [width], and the sums of the
  /// chunks of a set are joined in order. Those of set b begin at of(b).begin * width; an empty set has none.
  template <class F>
  [[nodiscard]] std::span<double> sums(Tape& tape, Size width, F f) const {
    const auto parts = tape.allocate_array<double>(count() * width);
    for_each([&](Size c, const SetChunk& chunk) {
      double* own = parts.data() + c * width;
      std::fill_n(own, width, 0.0);
      f(chunk, own);
    });
    for (std::size_t b = 0; b + 1 < first_.size(); ++b) {
      double* total = parts.data() + first_[b] * width;
      for (Size c = first_[b] + 1; c < first_[b + 1]; ++c) {
        for (Size j = 0; j < width; ++j) total[j] += parts[at(c * width + j)];
      }
    }
    return parts;
  }

  [[nodiscard]] const SetChunk& operator[](Size number) const { return chunks_[at(number)]; }

  /// Tasks are the chunks that begin in the same `rows_each` rows: about as many rows, of one set or several.
  [[nodiscard]] Size num_tasks() const {
    return chunks_.empty() ? 0 : chunks_.back().rows.begin / rows_each_ + 1;
  }
  /// The chunks of a task: numbers begin .. end-1.
  [[nodiscard]] Rows task(Size number) const {
    const auto first_from = [&](Size row) {
      const auto starts_before = [](const SetChunk& c, Size r) { return c.rows.begin < r; };
      return std::lower_bound(chunks_.begin(), chunks_.end(), row, starts_before) - chunks_.begin();
    };
    return {first_from(number * rows_each_),
            number + 1 == num_tasks() ? count() : first_from((number + 1) * rows_each_)};
  }

  /// Calls f(number, chunk) for every chunk, its task in parallel to others.
  template <class F>
  void for_each(F f) const {
    for_blocks(num_tasks(), 1, [&](Size number, Size) {
      const Rows own = task(number);
      for (Size c = own.begin; c < own.end; ++c) f(c, chunks_[at(c)]);
    });
  }

 private:
  static std::size_t at(Size i) { return static_cast<std::size_t>(i); }
  Size rows_each_;
  std::span<Size> first_;  // [B+1]
  std::span<SetChunk> chunks_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
