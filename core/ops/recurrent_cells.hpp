#pragma once

#include "tarn/core/real.hpp"

namespace tarn {

/// Gates i, f, g, o, or r, z, n, in PyTorch's order.
enum class Cell { lstm, gru };
[[nodiscard]] constexpr Size gates_of(Cell cell) {
  return cell == Cell::lstm ? 4 : 3;
}

inline namespace TARN_PRECISION {

/// c = f c_before + i g, h = o tanh c. `gates` [4H] holds sums before the activations and afterwards i, f, g,
/// o. `before` is null for zeros.
void lstm_forward(Real* gates, const Real* before, Real* c, Real* h, Size width);
/// From dL/dh and dL/dc (to which dh adds) to the sums before the activations, [4H], and to c_before, in dc.
void lstm_backward(const Real* gates, const Real* before, const Real* c, const Real* dh, Real* dc,
                   Real* dgates, Size width);

/// r = sigmoid(x_r + u_r), z = sigmoid(x_z + u_z), n = tanh(x_n + r u_n), h = (1 - z) n + z h_before, where x
/// and u [3H] are what the input and the state before come to. Keeps r, z, n in `gates` [3H].
void gru_forward(const Real* x, const Real* u, const Real* before, Real* gates, Real* h, Size width);
/// From dL/dh to x and u [3H], and to h_before along the gate z alone. Of u only the part for n, [H], is
/// read.
void gru_backward(const Real* gates, const Real* u_n, const Real* before, const Real* dh, Real* dx, Real* du,
                  Real* dbefore, Size width);

}  // namespace TARN_PRECISION
}  // namespace tarn
