#pragma once

#include "tarn/core/tensor.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

/// Inside of the history store: how layers stand in the file.
namespace tarn {

inline constexpr std::int64_t history_version = 1;

/// One data set [N, L, D] for equal widths, else one [N, D_l] per layer.
class HistoryLayout {
 public:
  /// A data set and the layers that it holds, side by side in a row.
  struct Part {
    std::string name;
    std::size_t first_layer = 0;
    std::size_t num_layers = 1;
    Size width = 0;       ///< of one layer
    bool joined = false;  ///< [N, L, D]
    /// Of `nodes` rows.
    [[nodiscard]] Shape shape(Size nodes) const {
      return joined ? Shape{nodes, static_cast<Size>(num_layers), width} : Shape{nodes, width};
    }
    /// Where row `node` begins.
    [[nodiscard]] Shape start(Size node) const { return joined ? Shape{node, 0, 0} : Shape{node, 0}; }
    [[nodiscard]] Size row_size() const { return static_cast<Size>(num_layers) * width; }
  };

  explicit HistoryLayout(const std::vector<Size>& widths) {
    const bool equal =
        std::adjacent_find(widths.begin(), widths.end(), std::not_equal_to<>()) == widths.end();
    if (equal) {
      parts_.push_back({"history", 0, widths.size(), widths.empty() ? 0 : widths.front(), true});
      return;
    }
    for (std::size_t l = 0; l < widths.size(); ++l)
      parts_.push_back({"layer." + std::to_string(l), l, 1, widths[l]});
  }
  [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }
  /// Numbers per node.
  [[nodiscard]] Size row_size() const {
    Size total = 0;
    for (const Part& part : parts_) total += part.row_size();
    return total;
  }

 private:
  std::vector<Part> parts_;
};

}  // namespace tarn
