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
    const double radius = tree_.radius(cell);
    // k pixels of this cell's own density lie about so far away.
    double reach = radius * (1 + 1.6 * std::sqrt(static_cast<double>(k_ + 1) / static_cast<double>(count)));
    std::vector<Size> open(at(count));
    for (Size i = 0; i < count; ++i) open[at(i)] = cell.begin + i;
    for (; !open.empty(); reach *= 1.6) {
      gather(tree_.centre(cell), reach);
      std::erase_if(open, [&](Size i) { return find(i, reach >= std::numbers::pi ? 4 : reach - radius); });
    }
  }

 private:
  /// Every pixel within an angle of a direction, and some beyond.
  void gather(const Vector& centre, double angle) {
    found_.clear();
    const auto visit = [&](auto& self, const Cell& c) -> void {
      const double limit = chord(angle + tree_.radius(c));
      if (square_distance(centre, tree_.centre(c)) > limit * limit * (1 + 1e-12)) return;
      if (tree_.is_leaf(c)) {
        for (Size i = c.begin; i < c.end; ++i) found_.push_back(i);
      } else {
        tree_.for_children(c, [&](const Cell& child) { self(self, child); });
      }
    };
    tree_.for_roots([&](const Cell& c) { visit(visit, c); });
  }

  /// The k nearest of what was gathered; false if others, further than `certain` from the pixel, may be
  /// nearer.
  bool find(Size i, double certain) {
    if (static_cast<Size>(found_.size()) <= k_) return false;
    const PixelTree::Pixel& self = tree_.pixel(i);
    candidates_.clear();
    for (const Size j : found_) {
      if (j == i) continue;
      const PixelTree::Pixel& other = tree_.pixel(j);
      const double distance = std::sqrt(square_distance(self.centre, other.centre));
      candidates_.push_back({std::nearbyint(distance * 1e12), static_cast<NodeId>(other.row)});
    }
    const auto last = candidates_.begin() + k_ - 1;
    std::nth_element(candidates_.begin(), last, candidates_.end());
    const bool all = certain >= std::numbers::pi;
    if (!all && last->distance + 2 > chord(certain) * 1e12) return false;
    NodeId* to = out_.data() + self.row * k_;
    for (Size n = 0; n < k_; ++n) to[n] = candidates_[at(n)].row;
    std::sort(to, to + k_);
    return true;
  }

  const PixelTree& tree_;
  Size k_;
  std::span<NodeId> out_;
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
