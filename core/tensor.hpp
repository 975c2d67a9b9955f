#pragma once

#include "tarn/core/memory.hpp"
#include "tarn/core/view.hpp"

#include <array>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>

namespace tarn {

/// Extents of a tensor of rank 0 to 4, row major.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<Size> extents);
  explicit Shape(std::span<const Size> extents);

  [[nodiscard]] int rank() const { return rank_; }
  /// Extent of dimension i; negative i count from the end.
  [[nodiscard]] Size operator[](int i) const {
    return extents_[static_cast<std::size_t>(i < 0 ? rank_ + i : i)];
  }
  /// Number of elements; 1 for rank 0.
  [[nodiscard]] Size count() const;
  /// Last extent (1 for rank 0), and the product of all others.
  [[nodiscard]] Size cols() const { return rank_ == 0 ? 1 : (*this)[-1]; }
  [[nodiscard]] Size rows() const;
  [[nodiscard]] std::span<const Size> extents() const {
    return {extents_.data(), static_cast<std::size_t>(rank_)};
  }
  /// "[96, 384]"
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Shape& a, const Shape& b);

 private:
  std::array<Size, 4> extents_{};
  int rank_ = 0;
};

inline namespace TARN_PRECISION {

/// Owns row-major numbers that start on a 64-byte boundary. Move only; `clone` copies. New tensors are zero.
class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(Shape shape);
  Tensor(Shape shape, std::span<const Real> values);
  [[nodiscard]] Tensor clone() const;

  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] Size size() const { return shape_.count(); }
  [[nodiscard]] Real* data() { return data_.get(); }
  [[nodiscard]] const Real* data() const { return data_.get(); }
  [[nodiscard]] std::span<Real> flat() { return {data_.get(), static_cast<std::size_t>(size())}; }
  [[nodiscard]] std::span<const Real> flat() const { return {data_.get(), static_cast<std::size_t>(size())}; }
  /// Leading dimensions x last dimension.
  [[nodiscard]] MatrixView matrix() { return {data_.get(), shape_.rows(), shape_.cols()}; }
  [[nodiscard]] ConstMatrixView matrix() const { return {data_.get(), shape_.rows(), shape_.cols()}; }
  void fill(Real value);

 private:
  Shape shape_{0};
  std::unique_ptr<Real[], FreeMemory> data_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
