#pragma once

#include "tarn/core/module.hpp"
#include "tarn/core/registry.hpp"
#include "tarn/graph/builders/token_graph.hpp"

#include <optional>

namespace tarn {
inline namespace TARN_PRECISION {

/// What a readout reads. The graph outlives the pass.
struct SetInput {
  Var x;          ///< [N, D] features of all sets, one after another
  Segments sets;  ///< over the N rows
  /// The token graph over x, for readouts that want one; null: they build it. Graphs of frozen states are
  /// built once and handed in.
  const TokenGraph* graph = nullptr;
};

struct Pooled {
  Var y;                              ///< [B, out_dim]
  Var weights{};                      ///< [N] or [N, 1]: the share of each row, where the readout has one
  const TokenGraph* graph = nullptr;  ///< the graph that was used, until the next forward
};

/// Turns each set into one vector. A set's vector depends on the set and the parameters alone (batch norm in
/// training excepted); an empty set gives what the operator says, never NaN.
class Readout : public Module {
 public:
  /// Throws ShapeError if the sets do not cover x or x has another width than `in_channels`.
  [[nodiscard]] virtual Pooled forward(const SetInput& in) = 0;
  /// Width of the result for features of width in_dim.
  [[nodiscard]] virtual Size out_dim(Size in_dim) const = 0;
  /// The token graph this readout wants, or null if it looks at none.
  [[nodiscard]] virtual const TokenGraphOptions* token_graph_options() const { return nullptr; }
};

/// All readouts by name. A program adds its own before `run_program`: `readouts().add<MyPool>("mine",
/// {"formula", "paper"})`.
[[nodiscard]] Registry<Readout>& readouts();
void register_readouts(Registry<Readout>& registry);

/// A readout for features of width in_dim: `in_channels` is set where the readout has such an option.
[[nodiscard]] std::unique_ptr<Readout> make_readout(std::string_view name, Size in_dim, Value options = {});

/// What every readout checks: sets over x, and the width unless in_channels is 0.
void require_set_input(const char* where, const SetInput& in, Size in_channels);

}  // namespace TARN_PRECISION
}  // namespace tarn
