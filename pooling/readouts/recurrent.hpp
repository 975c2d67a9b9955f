#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/pooling/blocks/recurrent_stack.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include <array>

namespace tarn {

inline std::span<const std::string_view> enum_names(Cell) {
  static constexpr std::array<std::string_view, 2> names{"lstm", "gru"};
  return names;
}

struct RecurrentReadoutOptions : WidthOptions {
  std::optional<Size> out_channels;
  Size num_layers = 1;
  bool bidirectional = false;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("out_channels", out_channels, at_least(1), "width of the state; must be given");
    f("num_layers", num_layers, at_least(1), "layers");
    f("bidirectional", bidirectional, "a second state that reads from the last row on");
  }
};

struct JanossyOptions : WidthOptions {
  Cell cell = Cell::gru;
  std::optional<Size> out_channels;
  Size num_perm = 1;
  Size seed = 0;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("cell", cell, "recurrent cell");
    f("out_channels", out_channels, at_least(1), "width of the state; must be given");
    f("num_perm", num_perm, at_least(1), "orders that are averaged");
    f("seed", seed, at_least(0), "of the orders that are drawn");
  }
};

struct LcmOptions : WidthOptions {
  std::optional<Size> out_channels;
  bool project = true;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("out_channels", out_channels, at_least(1), "width of the result; must be given");
    f("project", project, "a linear map with relu before; false: out_channels is the width of x");
  }
};

inline namespace TARN_PRECISION {

/// A recurrent network over the rows of a set: the top layer's output at the last row.
///
/// x [N, D] -> [B, out], or [B, 2 out], whose second half is the backward state after the last row alone, as
/// in PyTorch Geometric; an empty set gives zeros. Parameters: lstm.* or gru.*, see `RecurrentStack`. Time
/// O(N out (D + out)), as many steps as the longest set has rows. Throws ConfigError without out_channels.
/// Hamilton et al. 2017, "GraphSAGE", arXiv 1706.02216; Buterez et al. 2022, arXiv 2211.04952.
template <Cell cell>
class RecurrentReadout final : public Readout {
 public:
  using Options = RecurrentReadoutOptions;
  explicit RecurrentReadout(const Options& options);
  Pooled pool(const SetInput& in) override;
  Size out_dim(Size) const override { return out_dim_; }
  RowOrder row_order() const override { return RowOrder::read; }

 private:
  Size out_dim_;
  RecurrentStack& stack_;
};
using LstmReadout = RecurrentReadout<Cell::lstm>;
using GruReadout = RecurrentReadout<Cell::gru>;

/// Janossy pooling: the mean over several orders of the rows of a recurrent cell's last state.
///
/// x [N, D] -> [B, out]; an empty set gives zeros. `order` [num_perm, N] lists rows of x set after set; where
/// it is not given, orders are drawn for (seed, call, permutation, set), the call being the step of training,
/// and always the same outside training. Parameters: rnn.*. Throws ConfigError without out_channels,
/// ShapeError or ValueError for an order that is none. Murphy et al. 2019, arXiv 1811.01900.
class Janossy final : public Readout {
 public:
  using Options = JanossyOptions;
  explicit Janossy(const Options& options);
  Pooled pool(const SetInput& in) override;
  Size out_dim(Size) const override { return out_dim_; }
  RowOrder row_order() const override { return RowOrder::drawn; }

 private:
  /// Rows of x in the order of a permutation, [N].
  [[nodiscard]] std::vector<NodeId> order_of(const SetInput& in, Size permutation_number,
                                             const Rng& rng) const;

  Options o_;
  Size out_dim_;
  RecurrentStack& rnn_;
};

/// Learnable commutative monoid: neighbouring rows become (GRU(a, b) + GRU(b, a)) / 2, GRU(input, state),
/// level by level until one is left; an odd last row moves up unchanged.
///
/// x [N, D] -> [B, out]; y = relu(lin(x)) first, or x; an empty set gives zeros. Parameters: lin.*,
/// gru_cell.weight_ih, .weight_hh, .bias_ih, .bias_hh. One product per level over all sets, log2 of the
/// longest set in levels. Throws ConfigError without out_channels, or where it is not D without `project`.
/// Ong & Velickovic 2022, arXiv 2212.08541.
class Lcm final : public Readout {
 public:
  using Options = LcmOptions;
  explicit Lcm(const Options& options);
  Pooled pool(const SetInput& in) override;
  Size out_dim(Size) const override { return out_dim_; }
  RowOrder row_order() const override { return RowOrder::read; }

 private:
  /// GRU(input a, state b).
  Var cell(Var a, Var b);

  Size out_dim_;
  Linear* lin_;
  Parameter &weight_ih_, &weight_hh_, &bias_ih_, &bias_hh_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
