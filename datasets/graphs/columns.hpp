#pragma once

#include "tarn/core/real.hpp"

#include <span>
#include <vector>

namespace tarn {

/// A table of numbers, row major; no columns stand for "not there".
template <class T>
struct Columns {
  Size cols = 0;
  std::vector<T> values;

  [[nodiscard]] bool given() const { return cols > 0; }
  [[nodiscard]] Size rows() const { return cols == 0 ? 0 : static_cast<Size>(values.size()) / cols; }
  [[nodiscard]] std::span<const T> row(Size i) const {
    return std::span(values).subspan(static_cast<std::size_t>(i * cols), static_cast<std::size_t>(cols));
  }
  friend bool operator==(const Columns&, const Columns&) = default;
};

}  // namespace tarn
