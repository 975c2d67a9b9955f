#pragma once

#include "tarn/core/ops/recurrent_cells.hpp"
#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"

namespace tarn {

enum class Reading { first_to_last, last_to_first };

inline namespace TARN_PRECISION {

/// One step of an LSTM on M rows: gates [M, 4H] = W_ih x + b_ih + W_hh h + b_hh in the order i, f, g, o; c
/// [M, H] or not given for zeros -> [M, 2H], the new h and c side by side. Hochreiter & Schmidhuber 1997;
/// PyTorch's conventions.
Var lstm_step(Var gates, Var c);
/// One step of a GRU on M rows: input [M, 3H] = W_ih x + b_ih, hidden [M, 3H] = W_hh h + b_hh in the order r,
/// z, n; h [M, H] -> [M, H]. Cho et al. 2014, arXiv 1406.1078; PyTorch's conventions.
Var gru_step(Var input, Var hidden, Var h);

/// A recurrent cell over the rows of every set, one after another, from a state of zeros: input [N, G H] =
/// W_ih x + b_ih, weight_hh [G H, H], bias_hh [G H] -> the state after every row, [N, H]; G = 4 or 3.
///
/// Sets are taken longest first, so that the sets with a row left are a prefix and every step is one product.
/// Time O(N H^2), as many steps as the longest set has rows; memory O(N G H). A set has the bits it has
/// alone.
Var segment_recurrent(Var input, Var weight_hh, Var bias_hh, const Segments& sets, Cell cell,
                      Reading reading);

}  // namespace TARN_PRECISION
}  // namespace tarn
