#pragma once

#include "tarn/core/real.hpp"

#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace tarn {

/// A run of rows, begin .. end-1.
struct Rows {
  Size begin = 0;
  Size end = 0;
  [[nodiscard]] Size size() const { return end - begin; }
};

/// How packed rows divide into sets: set b owns rows offsets[b] .. offsets[b+1]-1. Immutable; copying copies
/// a handle.
class Segments {
 public:
  /// No sets over no rows.
  Segments();
  /// Throws ShapeError unless offsets start at 0 and never descend.
  explicit Segments(std::vector<Size> offsets);
  /// B sets of n rows each.
  [[nodiscard]] static Segments uniform(Size num_sets, Size rows_each);

  [[nodiscard]] Size count() const { return static_cast<Size>(offsets_->size()) - 1; }
  [[nodiscard]] Size num_rows() const { return offsets_->back(); }
  [[nodiscard]] Rows rows(Size set) const { return {(*offsets_)[idx(set)], (*offsets_)[idx(set) + 1]}; }
  [[nodiscard]] Size size(Size set) const { return rows(set).size(); }
  [[nodiscard]] std::span<const Size> offsets() const { return *offsets_; }
  /// The set that owns a row; O(log B).
  [[nodiscard]] Size owner(Size row) const;
  /// Throws ShapeError, naming `where`, unless the sets cover exactly `num_rows` rows.
  void require_cover(std::string_view where, Size num_rows) const;

 private:
  friend class SegmentsPool;
  struct Checked {};
  Segments(Checked, std::shared_ptr<const std::vector<Size>> offsets) : offsets_(std::move(offsets)) {}
  static std::size_t idx(Size i) { return static_cast<std::size_t>(i); }
  std::shared_ptr<const std::vector<Size>> offsets_;
};

/// Makes segments again and again, as a training loop does for its batches: offsets are used again once
/// nobody holds them, so that a steady state allocates nothing. For one thread.
class SegmentsPool {
 public:
  /// Sets of these sizes. Throws ShapeError for a size below 0.
  [[nodiscard]] Segments make(std::span<const Size> sizes);

 private:
  std::vector<std::shared_ptr<std::vector<Size>>> pool_;
};

}  // namespace tarn
