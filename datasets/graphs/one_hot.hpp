#pragma once

#include "tarn/datasets/graphs/columns.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace tarn::detail {

/// Values of one column of labels: minimum .. minimum + width - 1.
struct LabelColumn {
  std::int64_t minimum = 0;
  Size width = 0;
  friend bool operator==(const LabelColumn&, const LabelColumn&) = default;
};

/// Labels further apart are taken for something else than labels.
inline constexpr Size widest_one_hot = 65536;

/// One entry a column; none for an empty table. Throws DataError, naming `where`, the row and the value, for
/// a column whose values span more than `widest_one_hot`.
[[nodiscard]] std::vector<LabelColumn> label_columns(const Columns<std::int64_t>& labels,
                                                     const std::string& where);

}  // namespace tarn::detail
