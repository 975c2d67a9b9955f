#include "tarn/pooling/layer_pools/gin_readout.hpp"
#include "tarn/pooling/layer_pools/histograph.hpp"
#include "tarn/pooling/layer_pools/jumping_knowledge.hpp"
#include "tarn/pooling/layer_pools/layer_pool.hpp"
#include "tarn/pooling/layer_pools/scalar_mix.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

void register_layer_pools(Registry<LayerPool>& r) {
  r.add<Histograph>("histograph",
                    {"signed attention over layers, then self-attention over the nodes of a graph",
                     "Galron et al. 2026, Learning from Historical Activations in Graph Neural Networks, "
                     "arXiv 2601.01123"});
  r.add<LayerJump>(
      "jumping-knowledge",
      {"layers of a node side by side, their maximum, mean, sum, last, or an LSTM's weighted sum",
       "Xu et al. 2018, Representation Learning on Graphs with Jumping Knowledge Networks, "
       "arXiv 1806.03536"});
  r.add<ScalarMix>("scalar-mix",
                   {"y_v = gamma sum_l w_l x_{v,l}, one learned weight per layer",
                    "Peters et al. 2018, Deep contextualized word representations, arXiv 1802.05365"});
  r.add<GinReadout>("gin-readout",
                    {"sum over layers of a linear map of the pooled layer, or all side by side",
                     "Xu et al. 2019, How Powerful are Graph Neural Networks?, arXiv 1810.00826"});
}

Registry<LayerPool>& layer_pools() {
  static Registry<LayerPool> registry = [] {
    Registry<LayerPool> r("layer pool");
    register_layer_pools(r);
    return r;
  }();
  return registry;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
