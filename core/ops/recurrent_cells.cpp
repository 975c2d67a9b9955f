#include "tarn/core/ops/recurrent_cells.hpp"

#include "tarn/core/ops/vector_math.hpp"

#include <algorithm>
#include <vector>

namespace tarn {

namespace {

inline Real at(const Real* row, Size j) {
  return row == nullptr ? Real{0} : row[j];
}

}  // namespace

inline namespace TARN_PRECISION {

void lstm_forward(Real* gates, const Real* before, Real* c, Real* h, Size width) {
  sigmoid_in_place(gates, 2 * width);
  tanh_in_place(gates + 2 * width, width);
  sigmoid_in_place(gates + 3 * width, width);
  const Real *const i = gates, *const f = i + width, *const g = f + width, *const o = g + width;
  for (Size j = 0; j < width; ++j) h[j] = c[j] = f[j] * at(before, j) + i[j] * g[j];
  tanh_in_place(h, width);
  for (Size j = 0; j < width; ++j) h[j] *= o[j];
}

void lstm_backward(const Real* gates, const Real* before, const Real* c, const Real* dh, Real* dc,
                   Real* dgates, Size width) {
  const Real *const i = gates, *const f = i + width, *const g = f + width, *const o = g + width;
  thread_local std::vector<Real> squashed;
  squashed.assign(c, c + width);
  tanh_in_place(squashed.data(), width);
  for (Size j = 0; j < width; ++j) {
    const Real t = squashed[static_cast<std::size_t>(j)];
    const Real d = dc[j] + dh[j] * o[j] * (1 - t * t);
    dgates[j] = d * g[j] * i[j] * (1 - i[j]);
    dgates[width + j] = d * at(before, j) * f[j] * (1 - f[j]);
    dgates[2 * width + j] = d * i[j] * (1 - g[j] * g[j]);
    dgates[3 * width + j] = dh[j] * t * o[j] * (1 - o[j]);
    dc[j] = d * f[j];
  }
}

void gru_forward(const Real* x, const Real* u, const Real* before, Real* gates, Real* h, Size width) {
  for (Size j = 0; j < 2 * width; ++j) gates[j] = x[j] + u[j];
  sigmoid_in_place(gates, 2 * width);
  const Real *const r = gates, *const z = r + width;
  Real* const n = gates + 2 * width;
  for (Size j = 0; j < width; ++j) n[j] = x[2 * width + j] + r[j] * u[2 * width + j];
  tanh_in_place(n, width);
  for (Size j = 0; j < width; ++j) h[j] = (1 - z[j]) * n[j] + z[j] * at(before, j);
}

void gru_backward(const Real* gates, const Real* u_n, const Real* before, const Real* dh, Real* dx, Real* du,
                  Real* dbefore, Size width) {
  const Real *const r = gates, *const z = r + width, *const n = z + width;
  for (Size j = 0; j < width; ++j) {
    const Real dn = dh[j] * (1 - z[j]) * (1 - n[j] * n[j]);
    dx[2 * width + j] = dn;
    du[2 * width + j] = dn * r[j];
    dx[j] = du[j] = dn * u_n[j] * r[j] * (1 - r[j]);
    dx[width + j] = du[width + j] = dh[j] * (at(before, j) - n[j]) * z[j] * (1 - z[j]);
    dbefore[j] = dh[j] * z[j];
  }
}

}  // namespace TARN_PRECISION
}  // namespace tarn
