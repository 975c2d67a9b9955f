#include "tarn/experiments/mesh/random_forest.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

struct Split {
  Size feature = -1;
  double threshold = 0;
  double purity = 0;  // sum over both sides of (sum of squared counts) / count: highest where Gini is least
};

}  // namespace

class RandomForest::Grower {
 public:
  Grower(std::span<const double> x, Size dim, std::span<const Size> labels, Size num_classes, Size candidates,
         const Rng& rng)
      : x_(x), dim_(dim), labels_(labels), num_classes_(num_classes), candidates_(candidates), rng_(rng) {}

  Tree grow() {
    const auto count = static_cast<Size>(labels_.size());
    std::vector<Size> rows;
    const Rng sample = rng_.split("sample");
    for (Size i = 0; i < count; ++i) rows.push_back(sample.below(count, static_cast<std::uint64_t>(i)));
    grow_node(rows);
    return std::move(tree_);
  }

 private:
  Size grow_node(std::vector<Size>& rows) {
    const auto number = static_cast<Size>(tree_.size());
    tree_.emplace_back();
    const std::vector<double> counts = count_classes(rows);
    const bool pure = std::count_if(counts.begin(), counts.end(), [](double c) { return c > 0; }) == 1;
    const Split split = pure ? Split{} : best_split(rows, counts, number);
    if (split.feature < 0) {
      for (const double c : counts) tree_[idx(number)].share.push_back(c / static_cast<double>(rows.size()));
      return number;
    }
    std::vector<Size> right;
    std::erase_if(rows, [&](Size row) {
      if (value(row, split.feature) <= split.threshold) return false;
      right.push_back(row);
      return true;
    });
    tree_[idx(number)].feature = split.feature;
    tree_[idx(number)].threshold = split.threshold;
    const Size left_child = grow_node(rows);
    tree_[idx(number)].left = left_child;
    const Size right_child = grow_node(right);
    tree_[idx(number)].right = right_child;
    return number;
  }

  [[nodiscard]] double value(Size row, Size feature) const { return x_[idx(row * dim_ + feature)]; }

  [[nodiscard]] std::vector<double> count_classes(const std::vector<Size>& rows) const {
    std::vector<double> counts(idx(num_classes_), 0);
    for (const Size row : rows) counts[idx(labels_[idx(row)])] += 1;
    return counts;
  }

  [[nodiscard]] Split best_split(const std::vector<Size>& rows, const std::vector<double>& counts,
                                 Size node) const {
    const std::vector<Size> order =
        permutation(dim_, rng_.split("node").split(static_cast<std::uint64_t>(node)));
    Split best;
    Size tried = 0;
    for (const Size feature : order) {
      if (tried >= candidates_ && best.feature >= 0) break;
      ++tried;
      try_feature(feature, rows, counts, best);
    }
    return best;
  }

  void try_feature(Size feature, std::vector<Size> rows, std::vector<double> right, Split& best) const {
    std::sort(rows.begin(), rows.end(), [&](Size a, Size b) {
      return value(a, feature) != value(b, feature) ? value(a, feature) < value(b, feature) : a < b;
    });
    std::vector<double> left(right.size(), 0);
    double left_squares = 0, right_squares = 0;
    for (const double c : right) right_squares += c * c;
    for (std::size_t i = 0; i + 1 < rows.size(); ++i) {
      const std::size_t label = idx(labels_[idx(rows[i])]);
      left_squares += 2 * left[label] + 1;
      right_squares -= 2 * right[label] - 1;
      left[label] += 1;
      right[label] -= 1;
      const double here = value(rows[i], feature), next = value(rows[i + 1], feature);
      if (here == next) continue;
      const auto count = static_cast<double>(i + 1);
      const double purity = left_squares / count + right_squares / (static_cast<double>(rows.size()) - count);
      if (purity <= best.purity) continue;
      const double middle = here + (next - here) / 2;
      best = {feature, middle < next ? middle : here, purity};
    }
  }

  std::span<const double> x_;
  Size dim_;
  std::span<const Size> labels_;
  Size num_classes_;
  Size candidates_;
  Rng rng_;
  Tree tree_;
};

RandomForest::RandomForest(std::span<const double> x, Size dim, std::span<const Size> labels,
                           Size num_classes, const RandomForestOptions& options, const Rng& rng)
    : dim_(dim), num_classes_(num_classes), trees_(idx(options.trees)) {
  if (dim < 1 || x.size() != labels.size() * idx(dim)) {
    throw ShapeError(fmt::format("random forest: {} numbers for {} rows of {}; expected one row per label",
                                 x.size(), labels.size(), dim));
  }
  if (labels.empty()) throw ValueError("random forest: got no rows; expected at least one");
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] >= 0 && labels[i] < num_classes) continue;
    throw ValueError(
        fmt::format("random forest: label {} of row {}; expected 0 to {}", labels[i], i, num_classes - 1));
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isfinite(x[i])) continue;
    throw ValueError(fmt::format("random forest: number {} of row {} is {}; expected finite numbers",
                                 i % idx(dim), i / idx(dim), x[i]));
  }
  const auto root = static_cast<Size>(std::sqrt(static_cast<double>(dim)));
  const Size candidates = options.candidates > 0 ? options.candidates : std::max<Size>(root, 1);
  for_blocks(options.trees, 8, [&](Size begin, Size end) {
    for (Size t = begin; t < end; ++t) {
      trees_[idx(t)] =
          Grower(x, dim, labels, num_classes, candidates, rng.split(static_cast<std::uint64_t>(t))).grow();
    }
  });
}

std::vector<Size> RandomForest::predict(std::span<const double> x) const {
  if (x.size() % idx(dim_) != 0) {
    throw ShapeError(
        fmt::format("random forest: {} numbers; expected rows of {} as it was grown on", x.size(), dim_));
  }
  std::vector<Size> classes;
  for (std::size_t begin = 0; begin < x.size(); begin += idx(dim_)) {
    std::vector<double> share(idx(num_classes_), 0);
    for (const Tree& tree : trees_) {
      const Node* node = &tree.front();
      while (node->feature >= 0) {
        const bool left = x[begin + idx(node->feature)] <= node->threshold;
        node = &tree[idx(left ? node->left : node->right)];
      }
      for (std::size_t c = 0; c < share.size(); ++c) share[c] += node->share[c];
    }
    classes.push_back(std::max_element(share.begin(), share.end()) - share.begin());
  }
  return classes;
}

}  // namespace tarn
