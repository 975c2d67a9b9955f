#include "tarn/pooling/layer_readouts/layer_attention.hpp"
#include "tarn/pooling/layer_readouts/layer_mix.hpp"
#include "tarn/pooling/layer_readouts/layer_readout.hpp"
#include "tarn/pooling/layer_readouts/surface_fusion.hpp"

namespace tarn {

namespace {

template <class Add>
void list_layer_readouts(Add add) {
  add(Op<LayerMix>(), "layer-mix", "P1 per layer, P4",
      {"gamma sum_l softmax(s)_l x_il, then mean, last, max or first",
       "Peters et al. 2018, ELMo, arXiv 1802.05365"});
  add(Op<LayerAttentionReadout>(), "layer-attention", "P1 per layer, P4, P3 with shared queries",
      {"latents attend to one row per layer", "Tang & Yang 2024, arXiv 2409.02727"});
  add(Op<SurfaceFusion>(), "surface-fusion", "P4, P3 with one query per set",
      {"a query attends to layer 0 by the last layer; two predictions joined",
       "Liu et al. 2021, arXiv 2012.14768"});
}

}  // namespace

Primitives layer_readout_primitives() {
  Primitives notes;
  list_layer_readouts(noting_in(notes));
  return notes;
}

inline namespace TARN_PRECISION {

void register_layer_readouts(Registry<LayerReadout>& r) {
  list_layer_readouts(adding_to(r));
}

Registry<LayerReadout>& layer_readouts() {
  static Registry<LayerReadout> registry = [] {
    Registry<LayerReadout> r("layer readout");
    register_layer_readouts(r);
    return r;
  }();
  return registry;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
