#include "tarn/datasets/graphs/one_hot.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

namespace tarn::detail {

std::vector<LabelColumn> label_columns(const Columns<std::int64_t>& labels, const std::string& where) {
  std::vector<LabelColumn> columns;
  for (Size c = 0; c < labels.cols && labels.rows() > 0; ++c) {
    std::int64_t low = labels.row(0)[static_cast<std::size_t>(c)];
    for (Size i = 0; i < labels.rows(); ++i) low = std::min(low, labels.row(i)[static_cast<std::size_t>(c)]);
    LabelColumn column{low, 1};
    for (Size i = 0; i < labels.rows(); ++i) {
      const std::int64_t value = labels.row(i)[static_cast<std::size_t>(c)];
      // Unsigned, so that the distance of any two values is defined.
      const std::uint64_t above = static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(low);
      if (above >= static_cast<std::uint64_t>(widest_one_hot)) {
        throw DataError(fmt::format(
            "{}: row {}, column {}: {} where the smallest is {}; expected labels in a range of {}", where, i,
            c, value, low, widest_one_hot));
      }
      column.width = std::max(column.width, static_cast<Size>(above) + 1);
    }
    columns.push_back(column);
  }
  return columns;
}

}  // namespace tarn::detail
