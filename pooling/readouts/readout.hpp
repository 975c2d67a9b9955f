#pragma once

#include "tarn/core/module.hpp"
#include "tarn/core/registry.hpp"
#include "tarn/graph/builders/token_graph.hpp"
#include "tarn/pooling/checks.hpp"

#include <limits>
#include <optional>
#include <string>

namespace tarn {

/// Whether the order of the rows inside a set is read: not at all, as it is given, or one that the readout
/// draws.
enum class RowOrder { ignored, read, drawn };

/// What a readout cannot do without, beside x and its sets.
struct SetNeeds {
  bool weight = false;         ///< SetInput::weight
  bool neighbourhood = false;  ///< SetInput::grid or SetInput::neighbours
  bool non_negative = false;   ///< no negative number in x
  [[nodiscard]] bool none() const { return !weight && !neighbourhood && !non_negative; }
};

inline namespace TARN_PRECISION {

/// What a readout reads: x and its sets, and what some take beside them. Graphs outlive the pass.
struct SetInput {
  Var x;          ///< [N, D] features of all sets, one after another
  Segments sets;  ///< over the N rows
  /// The token graph over x, for readouts that want one; null: they build it. Graphs of frozen states are
  /// built once and handed in.
  const TokenGraph* graph = nullptr;
  Var weight{};                       ///< [N], at least 0: the share of each row in a mean
  std::span<const Size> order{};      ///< [P, N] rows of x in reading order, set after set; for `janossy`
  std::span<const Size> grid{};       ///< [B, 2] height and width of each set, row-major; for `regional-gem`
  const Graph* neighbours = nullptr;  ///< the same as a graph over the rows: the window of a row its sources
  Var keys{}, values{};               ///< [N, D] in place of projections of x; for `gmt`
  EmptySets empty = EmptySets::zero;
};

struct Pooled {
  Var y;                              ///< [B, out_dim]
  Var weights{};                      ///< [N] or [N, 1]: the share of each row, where the readout has one
  const TokenGraph* graph = nullptr;  ///< the graph that was used, until the next forward
};

/// Turns each set into one vector. A set's vector depends on the set and the parameters alone (batch norm in
/// training excepted). A reduction over no rows gives zeros (ones for a product, `fill_value` for order
/// statistics), attention over no rows a zero vector before its output projection, and what stands behind it
/// is computed as for any set; never NaN. A NaN in x spreads inside its own set.
///
/// An operator is a struct of options, a constructor that hands name and options to this class, and `pool`.
class Readout : public Module {
 public:
  /// Checks the input and pools it. Throws ShapeError if x is no matrix, has no columns or another width than
  /// the option `in_channels`, if the sets do not cover it or other inputs do not fit, and ValueError for
  /// negative weights or, where asked to, for an empty set.
  [[nodiscard]] Pooled forward(const SetInput& in);
  /// Width of the result for features of width in_dim.
  [[nodiscard]] virtual Size out_dim(Size in_dim) const { return in_dim; }
  /// The token graph this readout wants, or null if it looks at none.
  [[nodiscard]] virtual const TokenGraphOptions* token_graph_options() const { return nullptr; }
  [[nodiscard]] virtual RowOrder row_order() const { return RowOrder::ignored; }
  [[nodiscard]] virtual SetNeeds needs() const { return {}; }
  /// Rows of the largest set it takes.
  [[nodiscard]] virtual Size most_rows() const { return std::numeric_limits<Size>::max(); }
  /// The name in messages.
  [[nodiscard]] const std::string& name() const { return name_; }

 protected:
  /// Throws ValueError for options out of range, before a parameter is made of them.
  template <DescribedOptions Options>
  Readout(std::string name, const Options& options) : name_(std::move(name)) {
    check_options(options, name_);
    if constexpr (requires { options.in_channels; }) in_channels_ = options.in_channels;
  }
  /// The operator itself, on input that has been checked.
  [[nodiscard]] virtual Pooled pool(const SetInput& in) = 0;

 private:
  std::string name_;
  Size in_channels_ = 0;  // 0: any
};

}  // namespace TARN_PRECISION

/// Options of readouts without any.
struct NoOptions {
  void fields(Fields&) {}
};

/// What readouts with parameters are told of x.
struct WidthOptions {
  Size in_channels = 0;
  void fields(Fields& f) { f("in_channels", in_channels, at_least(1), "width of x"); }
};

inline namespace TARN_PRECISION {

/// All readouts by name. A program adds its own before `run_program`: `readouts().add<MyPool>("mine",
/// {"formula", "paper"})`.
[[nodiscard]] Registry<Readout>& readouts();
void register_readouts(Registry<Readout>& registry);

/// A readout for features of width in_dim: `in_channels` is set where the readout has such an option.
[[nodiscard]] std::unique_ptr<Readout> make_readout(std::string_view name, Size in_dim, Value options = {});

}  // namespace TARN_PRECISION
}  // namespace tarn
