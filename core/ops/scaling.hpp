#pragma once

#include "tarn/core/tape.hpp"

#include <span>

namespace tarn {
inline namespace TARN_PRECISION {

/// y_ij = x_ij f_j: x [N, D], factors [D].
Var scale_columns(Var x, Var factors);
/// y_ij = x_ij f_i with constant factors, one per row of x [N, D].
Var scale_rows(Var x, std::span<const double> factors);
/// x^exponent of numbers that are not negative, by logarithm and exponential; 0 stays 0, without gradient.
Var power(Var x, double exponent);

}  // namespace TARN_PRECISION
}  // namespace tarn
