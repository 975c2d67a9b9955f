#pragma once

#include "tarn/core/module.hpp"
#include "tarn/core/ops/recurrent.hpp"

#include <string>
#include <vector>

namespace tarn {

enum class Directions { one, both };

inline namespace TARN_PRECISION {

/// Recurrent layers one above another, over the rows of every set from a state of zeros. Parameters as
/// PyTorch's: weight_ih_l{K}, weight_hh_l{K}, bias_ih_l{K}, bias_hh_l{K}, with both directions again with
/// `_reverse`; all start uniform in +-1/sqrt(hidden).
class RecurrentStack final : public Module {
 public:
  RecurrentStack(Cell cell, Size in, Size hidden, Size num_layers, Directions directions);
  /// The top layer's state after every row: x [N, in] -> [N, hidden], or [N, 2 hidden] where the backward
  /// direction's state stands behind: that after the row, read from the last row on.
  Var forward(Var x, const Segments& sets);
  /// The state of one layer between steps: h and c [M, hidden].
  struct State {
    Var h, c;
  };
  /// States of zeros for M rows, one for each layer.
  [[nodiscard]] std::vector<State> zeros(Tape& tape, Size rows) const;
  /// One step of all layers of an LSTM on M rows; `blocks` side by side are the input. Gives the top h.
  Var step(std::span<const Var> blocks, std::vector<State>& states);

 private:
  struct Layer {
    Parameter *weight_ih, *weight_hh, *bias_ih, *bias_hh;
  };
  Layer add_layer(Size in, const std::string& suffix);
  Var sweep(std::span<const Var> blocks, const Layer& layer, const Segments& sets, Reading reading) const;

  Cell cell_;
  Size hidden_;
  std::vector<Layer> onward_, back_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
