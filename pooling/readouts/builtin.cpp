#include "tarn/pooling/readouts/adapool.hpp"
#include "tarn/pooling/readouts/basic.hpp"
#include "tarn/pooling/readouts/glot.hpp"
#include "tarn/pooling/readouts/mlp_pool.hpp"
#include "tarn/pooling/readouts/primitives.hpp"
#include "tarn/pooling/readouts/readout.hpp"

namespace tarn {

namespace {

constexpr const char* pyg = "Fey & Lenssen 2019, arXiv 1903.02428 (torch_geometric.nn.aggr)";
constexpr const char* glot_paper =
    "Mantri et al. 2026, Towards Improved Sentence Representations using Token Graphs, arXiv 2603.03389";

/// One line per readout: class, name, primitives, formula, source.
template <class Add>
void list_readouts(Add add) {
  add(Op<SumReadout>(), "sum", "P1", {"sum of the rows", ""});
  add(Op<MeanReadout>(), "mean", "P1", {"mean of the rows", ""});
  add(Op<MaxReadout>(), "max", "P1", {"maximum per feature", ""});
  add(Op<MinReadout>(), "min", "P1", {"minimum per feature", ""});
  add(Op<MulReadout>(), "mul", "P1", {"product per feature", pyg});
  add(Op<VarReadout>(), "var", "P1", {"population variance per feature", pyg});
  add(Op<StdReadout>(), "std", "P1", {"standard deviation per feature", pyg});
  add(Op<VariancePreservingReadout>(), "variance-preserving", "P1",
      {"sum / sqrt(n)", "Schneckenreiter et al. 2024, GNN-VPA, arXiv 2403.04747"});
  add(Op<FirstReadout>(), "first", "P1 on the first rows",
      {"first row (CLS), or the mean of the first k", ""});
  add(Op<LastReadout>(), "last", "P1 on the last rows", {"last row, or the mean of the last k", ""});
  add(Op<AdaPool>(), "adapool", "P4, P2",
      {"y = sum a_i x_i, a = softmax of linear(tanh(linear(x)))", glot_paper});
  add(Op<MlpPool>(), "mlp-pool", "P4, P1", {"mean of mlp(x_i)", glot_paper});
  add(Op<Glot>(), "glot", "token graph, P4, P2",
      {"token graph, convolutions, y = sum a_i [x_i, h_1i, ..], a = softmax of a scorer", glot_paper});
}

}  // namespace

Primitives readout_primitives() {
  Primitives notes;
  list_readouts(noting_in(notes));
  return notes;
}

inline namespace TARN_PRECISION {

void register_readouts(Registry<Readout>& r) {
  list_readouts(adding_to(r));
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
