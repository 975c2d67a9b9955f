#include "tarn/graph/healpix/hierarchy.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn::healpix {

Hierarchy::Hierarchy(const Sky& fine, Size nside_coarse, std::string_view where)
    : fine_(fine), coarse_(Grid(nside_coarse, where), fine.ordering()), num_children_(1) {
  const Grid &from = fine.grid(), &to = coarse_.grid();
  if (to.nside() > from.nside()) {
    throw ValueError(
        fmt::format("{}: nside {} as the coarser of two, {} as the finer; expected at most the finer", where,
                    to.nside(), from.nside()));
  }
  const int levels = from.order() - to.order();
  num_children_ = Size{1} << (2 * levels);
  if (fine.full() && fine.ordering() == Ordering::nest) return;

  struct Place {
    Size parent, child, row;
  };
  std::vector<Place> places(static_cast<std::size_t>(fine.size()));
  for_blocks(fine.size(), 4096, [&](Size begin, Size end) {
    for (Size row = begin; row < end; ++row) {
      const Size nest = from.convert(fine.pixel(row), fine.ordering(), Ordering::nest);
      places[static_cast<std::size_t>(row)] = {
          to.convert(nest >> (2 * levels), Ordering::nest, fine.ordering()), nest & (num_children_ - 1), row};
    }
  });
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
    return a.parent != b.parent ? a.parent < b.parent : a.child < b.child;
  });
  auto links = std::make_shared<Links>();
  std::vector<Size> parents;
  for (const Place& p : places) {
    if (parents.empty() || parents.back() != p.parent) {
      parents.push_back(p.parent);
      links->offsets.push_back(static_cast<Size>(links->children.size()));
    }
    links->children.push_back({p.row, p.child});
  }
  links->offsets.push_back(static_cast<Size>(links->children.size()));
  if (!fine.full()) coarse_ = Sky(to, fine.ordering(), std::move(parents), where);
  links_ = std::move(links);
}

Size Hierarchy::child_pixel(Size coarse_row, Size k) const {
  const Size parent = coarse_.grid().convert(coarse_.pixel(coarse_row), coarse_.ordering(), Ordering::nest);
  return fine_.grid().convert(parent * num_children_ + k, Ordering::nest, fine_.ordering());
}

}  // namespace tarn::healpix
