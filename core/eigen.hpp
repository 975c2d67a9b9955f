#pragma once

#include "tarn/core/view.hpp"

#include <Eigen/Core>

namespace tarn {
inline namespace TARN_PRECISION {

using EigenMatrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using EigenView = Eigen::Map<EigenMatrix, Eigen::Unaligned, Eigen::OuterStride<>>;
using ConstEigenView = Eigen::Map<const EigenMatrix, Eigen::Unaligned, Eigen::OuterStride<>>;
using EigenRun = Eigen::Map<Eigen::Array<Real, Eigen::Dynamic, 1>>;
using ConstEigenRun = Eigen::Map<const Eigen::Array<Real, Eigen::Dynamic, 1>>;

/// A view as Eigen sees it.
inline EigenView eigen(MatrixView m) {
  return {m.data, m.rows, m.cols, Eigen::OuterStride<>(m.stride)};
}
inline ConstEigenView eigen(ConstMatrixView m) {
  return {m.data, m.rows, m.cols, Eigen::OuterStride<>(m.stride)};
}
/// A run of consecutive numbers as an array.
inline EigenRun eigen_run(Real* data, Size n) {
  return {data, n};
}
inline ConstEigenRun eigen_run(const Real* data, Size n) {
  return {data, n};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
