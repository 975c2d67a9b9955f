#pragma once

#include "tarn/graph/healpix/sky.hpp"

namespace tarn::healpix {

/// Which rows of a fine map lie inside each pixel of a coarser one. Immutable; copying copies a handle.
///
/// A partial fine sky gives the coarse sky of the pixels that any of its own lie in. Children are numbered in
/// NEST order, 0 .. (nside_fine / nside_coarse)^2 - 1. Time and memory O(rows of the fine map), nothing for a
/// full sky in NEST order.
class Hierarchy {
 public:
  /// Throws ValueError, naming `where`, unless nside_coarse is a power of two up to that of the fine sky.
  Hierarchy(const Sky& fine, Size nside_coarse, std::string_view where);

  [[nodiscard]] const Sky& fine() const { return fine_; }
  [[nodiscard]] const Sky& coarse() const { return coarse_; }
  /// Fine pixels in a coarse one.
  [[nodiscard]] Size num_children() const { return num_children_; }
  /// Row q of the coarse map has the rows q num_children() and following, in the order of children.
  [[nodiscard]] bool contiguous() const { return links_ == nullptr; }

  /// Calls f(fine row, child number) for the children of a coarse row that the fine map has, in NEST order.
  template <class F>
  void for_children(Size coarse_row, F f) const {
    if (contiguous()) {
      for (Size k = 0; k < num_children_; ++k) f(coarse_row * num_children_ + k, k);
      return;
    }
    const auto q = static_cast<std::size_t>(coarse_row);
    for (Size i = links_->offsets[q]; i < links_->offsets[q + 1]; ++i) {
      const Link& link = links_->children[static_cast<std::size_t>(i)];
      f(link.row, link.child);
    }
  }
  /// Number of the child k of a coarse row among the pixels of the fine grid, whether the map has it or not.
  [[nodiscard]] Size child_pixel(Size coarse_row, Size k) const;

 private:
  struct Link {
    Size row, child;
  };
  struct Links {
    std::vector<Size> offsets;  ///< [coarse rows + 1]
    std::vector<Link> children;
  };
  Sky fine_;
  Sky coarse_;
  Size num_children_;
  std::shared_ptr<const Links> links_;
};

}  // namespace tarn::healpix
