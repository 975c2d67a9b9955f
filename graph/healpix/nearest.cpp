#include "tarn/graph/healpix/nearest.hpp"

#include "tarn/core/parallel.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tarn::healpix {

namespace {

/// Pixels of a cell of the quad tree that are searched together.
constexpr Size group_pixels = 48;

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

double square_distance(const Vector& a, const Vector& b) {
  const double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
  return x * x + y * y + z * z;
}

/// Length of the chord of an angle; beyond half a turn that of the diameter.
double chord(double angle) {
  return angle >= std::numbers::pi ? 2 : 2 * std::sin(std::max(angle, 0.0) / 2);
}

/// A cell of the quad tree: the pixels of the sky inside it are begin .. end-1 in NEST order.
struct Cell {
  int order;
  Size index;
  Size begin, end;
};

/// The pixels of a sky along the quad tree.
class PixelTree {
 public:
  explicit PixelTree(const Sky& sky) : sky_(sky), pixels_(at(sky.size())) {
    const Grid& grid = sky.grid();
    for_blocks(sky.size(), 4096, [&](Size begin, Size end) {
      for (Size row = begin; row < end; ++row) {
        const Size pixel = sky.pixel(row);
        pixels_[at(row)] = {grid.convert(pixel, sky.ordering(), Ordering::nest), row,
                            grid.vector(pixel, sky.ordering())};
      }
    });
    if (sky.ordering() == Ordering::ring) {
      std::sort(pixels_.begin(), pixels_.end(),
                [](const Pixel& a, const Pixel& b) { return a.nest < b.nest; });
    }
    for (int order = 0; order <= grid.order(); ++order) {
      grids_.emplace_back(Size{1} << order);
      radii_.push_back(grids_.back().largest_radius());
    }
  }

  struct Pixel {
    Size nest, row;
    Vector centre;
  };
  [[nodiscard]] const Pixel& pixel(Size i) const { return pixels_[at(i)]; }
  [[nodiscard]] Size size() const { return sky_.size(); }
  [[nodiscard]] double radius(const Cell& c) const { return radii_[static_cast<std::size_t>(c.order)]; }
  [[nodiscard]] double area(const Cell& c) const {
    return 4 * std::numbers::pi / static_cast<double>(grids_[static_cast<std::size_t>(c.order)].num_pixels());
  }
  [[nodiscard]] Vector centre(const Cell& c) const {
    return grids_[static_cast<std::size_t>(c.order)].vector(c.index, Ordering::nest);
  }

  /// Calls f for the non-empty base cells, or children of a cell.
  template <class F>
  void for_roots(F f) const {
    Size begin = 0;
    for (Size face = 0; face < 12; ++face) begin = visit(0, face, begin, f);
  }
  template <class F>
  void for_children(const Cell& c, F f) const {
    Size begin = c.begin;
    for (Size k = 0; k < 4; ++k) begin = visit(c.order + 1, 4 * c.index + k, begin, f);
  }
  [[nodiscard]] bool is_leaf(const Cell& c) const {
    return c.order == sky_.grid().order() || c.end - c.begin <= group_pixels;
  }

 private:
  template <class F>
  Size visit(int order, Size index, Size begin, F f) const {
    const Size past = (index + 1) << (2 * (sky_.grid().order() - order));
    const auto found = std::lower_bound(pixels_.begin() + begin, pixels_.end(), past,
                                        [](const Pixel& p, Size nest) { return p.nest < nest; });
    const Size end = found - pixels_.begin();
    if (begin < end) f(Cell{order, index, begin, end});
    return end;
  }

  Sky sky_;
  std::vector<Pixel> pixels_;
  std::vector<Grid> grids_;
  std::vector<double> radii_;
};

/// A pixel by its rounded distance and its row.
struct Candidate {
  double distance;
  NodeId row;
  friend bool operator<(const Candidate& a, const Candidate& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.row < b.row;
  }
};

class NearestSearch {
 public:
  NearestSearch(const PixelTree& tree, Size k, std::span<NodeId> out) : tree_(tree), k_(k), out_(out) {}

  /// Finds the neighbours of every pixel of a cell.
  void run(const Cell& cell) {
    const Size count = cell.end - cell.begin;
    centre_ = tree_.centre(cell);
    double spread = 0;
    std::vector<Size> open(at(count));
    for (Size i = 0; i < count; ++i) {
      open[at(i)] = cell.begin + i;
      spread = std::max(spread, angle(centre_, tree_.pixel(cell.begin + i).centre));
    }
    // A little more than k pixels of this cell's own density take up.
    const double area = tree_.area(cell) * static_cast<double>(k_ + 1) / static_cast<double>(count);
    double reach = spread + 1.25 * std::sqrt(area / std::numbers::pi);
    for (; !open.empty(); reach *= 1.4) {
      gather(reach);
      std::erase_if(open, [&](Size i) { return find(i, reach); });
    }
  }

 private:
  /// Every pixel within an angle of the centre.
  void gather(double reach) {
    found_.clear();
    const double within = chord(reach), limit = within * within * (1 + 1e-12);
    const auto visit = [&](auto& self, const Cell& c) -> void {
      const double touching = chord(reach + tree_.radius(c));
      if (square_distance(centre_, tree_.centre(c)) > touching * touching * (1 + 1e-12)) return;
      if (!tree_.is_leaf(c)) return tree_.for_children(c, [&](const Cell& child) { self(self, child); });
      for (Size i = c.begin; i < c.end; ++i) {
        if (square_distance(centre_, tree_.pixel(i).centre) <= limit) found_.push_back(i);
      }
    };
    tree_.for_roots([&](const Cell& c) { visit(visit, c); });
  }

  /// The k nearest of what lies within `reach` of the centre; false if there are too few to be certain.
  bool find(Size i, double reach) {
    const PixelTree::Pixel& self = tree_.pixel(i);
    // All pixels up to here were gathered, except where rounding could make a tie with one that was not.
    const bool all = reach >= std::numbers::pi;
    const double certain = all ? 3 : chord(reach - angle(centre_, self.centre)) - 2e-12;
    candidates_.clear();
    for (const Size j : found_) {
      const PixelTree::Pixel& other = tree_.pixel(j);
      const double square = square_distance(self.centre, other.centre);
      if (j == i || certain < 0 || square > certain * certain) continue;
      candidates_.push_back({std::nearbyint(std::sqrt(square) * 1e12), static_cast<NodeId>(other.row)});
    }
    if (static_cast<Size>(candidates_.size()) < k_) return false;
    std::nth_element(candidates_.begin(), candidates_.begin() + k_ - 1, candidates_.end());
    NodeId* to = out_.data() + self.row * k_;
    for (Size n = 0; n < k_; ++n) to[n] = candidates_[at(n)].row;
    std::sort(to, to + k_);
    return true;
  }

  static double angle(const Vector& a, const Vector& b) {
    return 2 * std::asin(std::min(1.0, std::sqrt(square_distance(a, b)) / 2));
  }

  const PixelTree& tree_;
  Size k_;
  std::span<NodeId> out_;
  Vector centre_{};
  std::vector<Size> found_;
  std::vector<Candidate> candidates_;
};

}  // namespace

std::vector<NodeId> nearest_pixels(const Sky& sky, Size k) {
  const PixelTree tree(sky);
  std::vector<Cell> groups;
  const auto collect = [&](auto& self, const Cell& c) -> void {
    if (tree.is_leaf(c)) return groups.push_back(c);
    tree.for_children(c, [&](const Cell& child) { self(self, child); });
  };
  tree.for_roots([&](const Cell& c) { collect(collect, c); });
  std::vector<NodeId> result(at(sky.size() * k));
  for_blocks(static_cast<Size>(groups.size()), 1, [&](Size begin, Size end) {
    NearestSearch search(tree, k, result);
    for (Size g = begin; g < end; ++g) search.run(groups[at(g)]);
  });
  return result;
}

}  // namespace tarn::healpix
