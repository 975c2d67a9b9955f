#include "tarn/pooling/readouts/adapool.hpp"
#include "tarn/pooling/readouts/basic.hpp"
#include "tarn/pooling/readouts/glot.hpp"
#include "tarn/pooling/readouts/mlp_pool.hpp"
#include "tarn/pooling/readouts/readout.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

void register_readouts(Registry<Readout>& r) {
  const std::string glot =
      "Mantri et al. 2026, Towards Improved Sentence Representations using Token Graphs, arXiv 2603.03389";
  r.add<MeanReadout>("mean", {"mean of the rows", ""});
  r.add<MaxReadout>("max", {"maximum per feature", ""});
  r.add<SumReadout>("sum", {"sum of the rows", ""});
  r.add<FirstReadout>("first", {"first row (CLS), or the mean of the first k", ""});
  r.add<LastReadout>("last", {"last row, or the mean of the last k", ""});
  r.add<AdaPool>("adapool", {"y = sum a_i x_i, a = softmax of linear(tanh(linear(x)))", glot});
  r.add<MlpPool>("mlp-pool", {"mean of mlp(x_i)", glot});
  r.add<Glot>("glot",
              {"token graph, convolutions, y = sum a_i [x_i, h_1i, ..], a = softmax of a scorer", glot});
}

Registry<Readout>& readouts() {
  static Registry<Readout> registry = [] {
    Registry<Readout> r("readout");
    register_readouts(r);
    return r;
  }();
  return registry;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
