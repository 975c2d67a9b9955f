#pragma once

#include "tarn/core/view.hpp"

#include <Eigen/Core>

namespace tarn {
inline namespace TARN_PRECISION {

using EigenMatrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using EigenView = Eigen::Map<EigenMatrix, Eigen::Unaligned, Eigen::OuterStride<>>;
using ConstEigenView = Eigen::Map<const EigenMatrix, Eigen::Unaligned, Eigen::OuterStride<>>;

/// A view as Eigen sees it.
inline EigenView eigen(MatrixView m) {
  return {m.data, m.rows, m.cols, Eigen::OuterStride<>(m.stride)};
}
inline ConstEigenView eigen(ConstMatrixView m) {
  return {m.data, m.rows, m.cols, Eigen::OuterStride<>(m.stride)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
