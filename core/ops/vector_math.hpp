#pragma once

#include "tarn/core/real.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// Functions of every number of a run, vectorised; relative error about 2e-7 in float. A number has the same
/// bits wherever it stands in a run and wherever the run lies in memory; a NaN stays one.
void tanh_in_place(Real* data, Size n);
/// Zero of minus infinity.
void exp_in_place(Real* data, Size n);
/// Natural logarithm; minus infinity of 0.
void log_in_place(Real* data, Size n);
/// ln(1 + x) of finite x, as exact near 0 as elsewhere; minus infinity of -1.
void log1p_in_place(Real* data, Size n);
/// 1 / (1 + exp(-x)), without overflow.
void sigmoid_in_place(Real* data, Size n);
/// The error function; absolute error below 2e-7 in float.
void erf_in_place(Real* data, Size n);

}  // namespace TARN_PRECISION
}  // namespace tarn
