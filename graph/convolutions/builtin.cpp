#include "tarn/graph/convolutions/convolution.hpp"
#include "tarn/graph/convolutions/gat.hpp"
#include "tarn/graph/convolutions/gatv2.hpp"
#include "tarn/graph/convolutions/gcn.hpp"
#include "tarn/graph/convolutions/gin.hpp"
#include "tarn/graph/convolutions/graph_conv.hpp"
#include "tarn/graph/convolutions/sage.hpp"
#include "tarn/graph/convolutions/transformer_conv.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

void register_convolutions(Registry<Convolution>& r) {
  r.add<Gat>("gat",
             {"softmax over incoming edges of leaky_relu(<att_src, W x_j> + <att_dst, W x_i> + edge term)",
              "Velickovic et al. 2018, Graph Attention Networks, arXiv 1710.10903"});
  r.add<Gatv2>("gatv2",
               {"softmax over incoming edges of <att, leaky_relu(lin_r x_i + lin_l x_j + edge term)>",
                "Brody et al. 2022, How Attentive are Graph Attention Networks?, arXiv 2105.14491"});
  r.add<Gcn>("gcn", {"y_i = sum r_j w_e r_i W x_j + bias, r = deg^(-1/2)",
                     "Kipf & Welling 2017, Semi-Supervised Classification with Graph Convolutional Networks, "
                     "arXiv 1609.02907"});
  r.add<Gin>("gin", {"y_i = nn((1 + eps) x_i + aggr x_j)",
                     "Xu et al. 2019, How Powerful are Graph Neural Networks?, arXiv 1810.00826"});
  r.add<Gine>("gine",
              {"y_i = nn((1 + eps) x_i + sum relu(x_j + l(edge_attr)))",
               "Hu et al. 2020, Strategies for Pre-training Graph Neural Networks, arXiv 1905.12265"});
  r.add<GraphConv>("graph-conv", {"y_i = lin_rel(aggr w_e x_j) + lin_root(x_i)",
                                  "Morris et al. 2019, Weisfeiler and Leman Go Neural, arXiv 1810.02244"});
  r.add<Sage>("sage",
              {"y_i = lin_l(aggr x_j) + lin_r(x_i)",
               "Hamilton et al. 2017, Inductive Representation Learning on Large Graphs, arXiv 1706.02216"});
  r.add<TransformerConv>("transformer-conv",
                         {"softmax over incoming edges of <query_i, key_j + edge term> / sqrt(C)",
                          "Shi et al. 2021, Masked Label Prediction, arXiv 2009.03509"});
}

Registry<Convolution>& convolutions() {
  static Registry<Convolution> registry = [] {
    Registry<Convolution> r("convolution");
    register_convolutions(r);
    return r;
  }();
  return registry;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
