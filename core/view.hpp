#pragma once

#include "tarn/core/real.hpp"

#include <cassert>
#include <span>
#include <type_traits>

namespace tarn {
inline namespace TARN_PRECISION {

/// A matrix somebody else owns: rows of `cols` consecutive numbers, `stride` numbers apart. Passed by value.
template <class T>
struct BasicMatrixView {
  T* data = nullptr;
  Size rows = 0;
  Size cols = 0;
  Size stride = 0;

  constexpr BasicMatrixView() = default;
  constexpr BasicMatrixView(T* data_in, Size rows_in, Size cols_in)
      : data(data_in), rows(rows_in), cols(cols_in), stride(cols_in) {}
  constexpr BasicMatrixView(T* data_in, Size rows_in, Size cols_in, Size stride_in)
      : data(data_in), rows(rows_in), cols(cols_in), stride(stride_in) {}
  /// A writable view reads as a constant one.
  template <class U>
  requires(std::is_same_v<const U, T> && !std::is_same_v<U, T>) constexpr BasicMatrixView(
      BasicMatrixView<U> other)  // NOLINT(google-explicit-constructor)
      : data(other.data), rows(other.rows), cols(other.cols), stride(other.stride) {}

  [[nodiscard]] constexpr T* row(Size i) const { return data + i * stride; }
  [[nodiscard]] constexpr T& operator()(Size i, Size j) const { return data[i * stride + j]; }
  [[nodiscard]] constexpr std::span<T> row_span(Size i) const {
    return {row(i), static_cast<std::size_t>(cols)};
  }
  /// Rows begin .. end-1.
  [[nodiscard]] constexpr BasicMatrixView row_block(Size begin, Size end) const {
    return {data + begin * stride, end - begin, cols, stride};
  }
  /// Columns begin .. end-1.
  [[nodiscard]] constexpr BasicMatrixView column_block(Size begin, Size end) const {
    return {data + begin, rows, end - begin, stride};
  }
  [[nodiscard]] constexpr Size size() const { return rows * cols; }
  [[nodiscard]] constexpr bool contiguous() const { return stride == cols || rows <= 1; }
  /// All numbers in one run; only for contiguous views.
  [[nodiscard]] constexpr std::span<T> flat() const {
    assert(contiguous());
    return {data, static_cast<std::size_t>(size())};
  }
};

using MatrixView = BasicMatrixView<Real>;
using ConstMatrixView = BasicMatrixView<const Real>;

}  // namespace TARN_PRECISION
}  // namespace tarn
