#include "tarn/graph/norms/batch_norm.hpp"
#include "tarn/graph/norms/graph_norm.hpp"
#include "tarn/graph/norms/graph_size_norm.hpp"
#include "tarn/graph/norms/instance_norm.hpp"
#include "tarn/graph/norms/layer_norm.hpp"
#include "tarn/graph/norms/norm.hpp"
#include "tarn/graph/norms/pair_norm.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

void register_norms(Registry<Norm>& r) {
  r.add<NodeBatchNorm>("batch-norm", {"per channel over all nodes of the batch",
                                      "Ioffe & Szegedy 2015, Batch Normalization, arXiv 1502.03167"});
  r.add<GraphNorm>(
      "graph-norm",
      {"per graph and channel u = x - mean_scale mean, y = weight u / sqrt(mean(u^2) + eps) + bias",
       "Cai et al. 2021, GraphNorm, arXiv 2009.03294"});
  r.add<GraphSizeNorm>("graph-size-norm",
                       {"x / sqrt(number of nodes)",
                        "Dwivedi et al. 2020, Benchmarking Graph Neural Networks, arXiv 2003.00982"});
  r.add<InstanceNorm>("instance-norm", {"per graph and channel (x - mean) / sqrt(var + eps)",
                                        "Ulyanov et al. 2016, Instance Normalization, arXiv 1607.08022"});
  r.add<NodeLayerNorm>("layer-norm", {"(x - mean) / sqrt(var + eps) over all values of a graph, or of a node",
                                      "Ba et al. 2016, Layer Normalization, arXiv 1607.06450"});
  r.add<PairNorm>("pair-norm", {"per graph u = x - mean, y = scale u / sqrt(eps + mean |u|^2)",
                                "Zhao & Akoglu 2020, PairNorm, arXiv 1909.12223"});
}

Registry<Norm>& norms() {
  static Registry<Norm> registry = [] {
    Registry<Norm> r("norm");
    register_norms(r);
    return r;
  }();
  return registry;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
