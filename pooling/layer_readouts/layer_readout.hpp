#pragma once

#include "tarn/core/module.hpp"
#include "tarn/core/registry.hpp"
#include "tarn/pooling/checks.hpp"
#include "tarn/pooling/readouts/primitives.hpp"

#include <string>

namespace tarn {

/// What a layer-aware readout cannot do without, beside x and its sets.
struct LayerNeeds {
  bool query = false;  ///< LayersInput::query
};

inline namespace TARN_PRECISION {

/// All layers of a language model's tokens, or of a graph network's nodes.
struct LayersInput {
  Var x;          ///< [N, L, D] the layers of every row, one set after another
  Segments sets;  ///< over the N rows
  Var layers{};   ///< [B, L, D] one row per set and layer, in place of x; for `layer-attention`
  Var query{};    ///< [B, D] a state per set; for `surface-fusion`
  EmptySets empty = EmptySets::zero;
};

struct LayersPooled {
  Var y;           ///< [B, out_dim]
  Var log_prob{};  ///< [B, V] log-probabilities, where the readout gives such
};

/// Turns the rows of each set, all their layers, into one vector. Rules as for `Readout`.
class LayerReadout : public Module {
 public:
  /// Checks the input and pools it. Throws ShapeError for x that is not [N, L, D] with as many layers and
  /// columns as the options say, sets that do not cover it, or other inputs that do not fit.
  [[nodiscard]] LayersPooled forward(const LayersInput& in);
  [[nodiscard]] virtual Size out_dim(Size in_dim) const { return in_dim; }
  [[nodiscard]] virtual LayerNeeds needs() const { return {}; }
  /// Whether the order of the rows inside a set is read.
  [[nodiscard]] virtual bool reads_order() const { return false; }
  /// Whether `LayersInput::layers` may stand in place of x.
  [[nodiscard]] virtual bool takes_layers() const { return false; }
  [[nodiscard]] const std::string& name() const { return name_; }

 protected:
  template <DescribedOptions Options>
  LayerReadout(std::string name, const Options& options) : name_(std::move(name)) {
    check_options(options, name_);
    in_channels_ = options.in_channels;
    if constexpr (requires { options.num_layers; }) num_layers_ = options.num_layers;
  }
  [[nodiscard]] virtual LayersPooled pool(const LayersInput& in) = 0;

 private:
  void check(const LayersInput& in) const;
  std::string name_;
  Size in_channels_ = 0;
  Size num_layers_ = 0;  // 0: any
};

/// Layer l of x [N, L, D], a view.
[[nodiscard]] Var layer_of(Var x, Size layer);

/// All layer-aware readouts by name.
[[nodiscard]] Registry<LayerReadout>& layer_readouts();
void register_layer_readouts(Registry<LayerReadout>& registry);

/// A layer-aware readout for L layers of width in_dim: the options `in_channels` and `num_layers` are set
/// where it has them.
[[nodiscard]] std::unique_ptr<LayerReadout> make_layer_readout(std::string_view name, Size num_layers,
                                                               Size in_dim, Value options = {});

}  // namespace TARN_PRECISION

[[nodiscard]] Primitives layer_readout_primitives();

}  // namespace tarn
