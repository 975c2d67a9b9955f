#pragma once

#include "tarn/core/value.hpp"

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tarn {

/// How graphs are divided, epochs and settings chosen, and scores averaged.
///
/// gin_cv        folds without a validation part; the one epoch with the best mean of all folds' tests. It
/// looks at
///               the tests and overstates. Xu et al. 2019, arXiv 1810.00826.
/// fair          outer folds; in each a stratified hold-out chooses a point of a grid, which is trained again
/// three
///               times and stops early by that hold-out. Errica et al. 2020, arXiv 1912.09893.
/// holdout       one split; the test at the epoch of the best validation. Hu et al. 2020, arXiv 2005.00687.
/// repeated_cv   repeated folds, each with a validation part that chooses the epoch, ties by its loss.
enum class Protocol { gin_cv, fair, holdout, repeated_cv };
inline std::span<const std::string_view> enum_names(Protocol) {
  static constexpr std::array<std::string_view, 4> names{"gin-cv", "fair", "holdout", "repeated-cv"};
  return names;
}

enum class Better { higher, lower };
enum class OnTie { earliest, latest };

/// The epoch, from 1, with the best value.
[[nodiscard]] Size best_epoch(std::span<const double> values, Better better, OnTie tie);

/// The epoch, from 1, with the best value; among equal ones that with the lowest loss, the earliest of
/// several. Small validation parts tie often. Throws ShapeError unless there is a loss for each value.
[[nodiscard]] Size best_epoch(std::span<const double> values, Better better, std::span<const double> losses);

/// The one epoch, from 1, at which the mean over the curves is best, the first of several. Curves have one
/// length. Throws ShapeError otherwise.
[[nodiscard]] Size common_best_epoch(const std::vector<std::vector<double>>& curves, Better better);

/// True if the last `patience` values are all worse than the best before them; a value that is not worse
/// counts as an improvement.
[[nodiscard]] bool out_of_patience(std::span<const double> values, Better better, Size patience);

/// The points of a grid: a table, nested by dotted paths, whose leaves are lists of the values to try. Each
/// point is a table of the same paths; the last list varies fastest. An empty grid has one point, which
/// changes nothing. Throws ConfigError, naming the path, for a leaf that is no list or an empty one.
[[nodiscard]] std::vector<Value> grid_points(const Value& grid);

/// "batch=32, model.widths=[64, 64]": a point in one line, "" for one that changes nothing.
[[nodiscard]] std::string point_text(const Value& point);

}  // namespace tarn
