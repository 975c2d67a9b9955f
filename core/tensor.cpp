#include "tarn/core/tensor.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cassert>
#include <functional>
#include <numeric>

namespace tarn {

namespace {}

Shape::Shape(std::initializer_list<Size> extents)
    : Shape(std::span<const Size>(extents.begin(), extents.size())) {}

Shape::Shape(std::span<const Size> extents) : rank_(static_cast<int>(extents.size())) {
  assert(extents.size() <= extents_.size());
  std::copy(extents.begin(), extents.end(), extents_.begin());
}

Size Shape::count() const {
  const auto e = extents();
  return std::accumulate(e.begin(), e.end(), Size{1}, std::multiplies<>());
}

Size Shape::rows() const {
  const auto e = extents().first(static_cast<std::size_t>(std::max(rank_ - 1, 0)));
  return std::accumulate(e.begin(), e.end(), Size{1}, std::multiplies<>());
}

std::string Shape::text() const {
  return fmt::format("[{}]", fmt::join(extents(), ", "));
}

bool operator==(const Shape& a, const Shape& b) {
  return std::equal(a.extents().begin(), a.extents().end(), b.extents().begin(), b.extents().end());
}

inline namespace TARN_PRECISION {

Tensor::Tensor(Shape shape)
    : shape_(shape),
      data_(static_cast<Real*>(allocate_memory(static_cast<std::size_t>(shape.count()) * sizeof(Real)))) {
  fill(0);
}

Tensor::Tensor(Shape shape, std::span<const Real> values) : Tensor(shape) {
  assert(static_cast<Size>(values.size()) == size());
  std::copy(values.begin(), values.end(), data());
}

Tensor Tensor::clone() const {
  return data_ ? Tensor(shape_, flat()) : Tensor();
}

void Tensor::fill(Real value) {
  std::fill_n(data_.get(), size(), value);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
