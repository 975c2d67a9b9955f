#include "tarn/pooling/readouts/adapool.hpp"
#include "tarn/pooling/readouts/attentional.hpp"
#include "tarn/pooling/readouts/basic.hpp"
#include "tarn/pooling/readouts/deep_sets.hpp"
#include "tarn/pooling/readouts/degree_scaler.hpp"
#include "tarn/pooling/readouts/equilibrium.hpp"
#include "tarn/pooling/readouts/gated_sum.hpp"
#include "tarn/pooling/readouts/glot.hpp"
#include "tarn/pooling/readouts/hopfield_pooling.hpp"
#include "tarn/pooling/readouts/latent_attention.hpp"
#include "tarn/pooling/readouts/mlp_pool.hpp"
#include "tarn/pooling/readouts/multi.hpp"
#include "tarn/pooling/readouts/patch_transformer.hpp"
#include "tarn/pooling/readouts/power_mean.hpp"
#include "tarn/pooling/readouts/primitives.hpp"
#include "tarn/pooling/readouts/quantile.hpp"
#include "tarn/pooling/readouts/readout.hpp"
#include "tarn/pooling/readouts/recurrent.hpp"
#include "tarn/pooling/readouts/set2set.hpp"
#include "tarn/pooling/readouts/set_transformer.hpp"
#include "tarn/pooling/readouts/softmax.hpp"
#include "tarn/pooling/readouts/sort.hpp"
#include "tarn/pooling/readouts/super_global.hpp"
#include "tarn/pooling/readouts/weighted_mean.hpp"

namespace tarn {

namespace {

constexpr const char* pyg = "Fey & Lenssen 2019, arXiv 1903.02428 (torch_geometric.nn.aggr)";
constexpr const char* glot_paper =
    "Mantri et al. 2026, Towards Improved Sentence Representations using Token Graphs, arXiv 2603.03389";

/// One line per readout: class, name, primitives, formula, source.
template <class Add>
void list_readouts(Add add) {
  add(Op<MeanReadout>(), "mean", "P1", {"mean of the rows", ""});
  add(Op<SumReadout>(), "sum", "P1", {"sum of the rows", ""});
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
  add(Op<WeightedMean>(), "weighted-mean", "P1 with weights", {"sum w_i x_i / sum w_i, w given", ""});
  add(Op<PositionWeightedMean>(), "position-weighted-mean", "P1 with weights",
      {"sum i x_i / (n (n + 1) / 2) in the order of the rows", "Muennighoff 2022, SGPT, arXiv 2202.08904"});
  add(Op<Median>(), "median", "P5", {"lower median per feature", pyg});
  add(Op<Quantile>(), "quantile", "P5", {"quantiles per feature, side by side", pyg});
  add(Op<Sort>(), "sort", "P5",
      {"first k rows by their last feature, side by side", "Zhang et al. 2018, DGCNN, AAAI"});
  add(Op<Gem>(), "gem", "P1 under powers",
      {"(mean max(x, eps)^p)^(1/p), p per group of features",
       "Radenovic et al. 2018, arXiv 1711.02512; Ko et al. 2022, arXiv 2212.04114"});
  add(Op<PowerMeanReadout>(), "power-mean", "P1 under powers",
      {"clamp(mean clamp(x)^p)^(1/p)", "Li et al. 2020, DeeperGCN, arXiv 2006.07739"});
  add(Op<SoftmaxReadout>(), "softmax", "P2 per column",
      {"sum a_i x_i, a = softmax(t x_i) per feature", "Li et al. 2020, DeeperGCN, arXiv 2006.07739"});
  add(Op<AttSets>(), "attsets", "P4, P2 per column",
      {"sum a_i x_i, a = softmax of fc(x_i) per feature", "Yang et al. 2019, AttSets, arXiv 1808.00758"});
  add(Op<DeepSets>(), "deep-sets", "P4, P1",
      {"global(sum local(x_i))", "Zaheer et al. 2017, Deep Sets, arXiv 1703.06114"});
  add(Op<MlpReadout>(), "mlp", "P5 (i-th rows), P4",
      {"mlp of the rows side by side", "Buterez et al. 2022, arXiv 2211.04952"});
  add(Op<Attentional>(), "attentional", "P4, P2",
      {"sum a_i value(x_i), a = softmax (or another normaliser) of gate(x_i)",
       "Li et al. 2019, arXiv 1904.12787"});
  add(Op<GatedSum>(), "gated-sum", "P4, P1",
      {"act(sum sigmoid(gate(x_i)) act(value(x_i)))",
       "Li et al. 2016, Gated Graph Sequence Neural Networks, arXiv 1511.05493"});
  add(Op<MilAttention>(), "mil-attention", "P4, P2",
      {"sum a_ik x_i, a = softmax (or another normaliser) of w(tanh(V x) sigmoid(U x))",
       "Ilse et al. 2018, arXiv 1802.04712"});
  add(Op<Pma>(), "pma", "P4, P3 with shared queries",
      {"learned seeds attend to the rows", "Lee et al. 2019, Set Transformer, arXiv 1810.00825"});
  add(Op<SetTransformer>(), "set-transformer", "P4, P3",
      {"self-attention blocks, seeds that attend, self-attention blocks",
       "Lee et al. 2019, Set Transformer, arXiv 1810.00825"});
  add(Op<Gmt>(), "gmt", "P4, P3",
      {"k seeds, self-attention blocks on them, one seed", "Baek et al. 2021, arXiv 2102.11533"});
  add(Op<LatentAttention>(), "latent-attention", "P4, P3 with shared keys, P1",
      {"rows attend to latents, gated map, mean", "Lee et al. 2024, NV-Embed, arXiv 2405.17428"});
  add(Op<PerceiverPooling>(), "perceiver-pooling", "P4, P3 with shared queries, P1",
      {"latents attend to rows, gated map, mean", "Tang & Yang 2024, arXiv 2409.02727"});
  add(Op<HopfieldPooling>(), "hopfield-pooling", "P4, P3 with shared queries, repeated",
      {"learned states retrieve from the rows, update steps",
       "Ramsauer et al. 2020, Hopfield Networks is All You Need, arXiv 2008.02217"});
  add(Op<Set2Set>(), "set2set", "P4, P3 with one query per set, per step",
      {"rounds of an LSTM that attends to the rows", "Vinyals et al. 2016, Order Matters, arXiv 1511.06391"});
  add(Op<LstmReadout>(), "lstm", "P4, P5 (sweep)",
      {"last state of an LSTM over the rows", "Hamilton et al. 2017, GraphSAGE, arXiv 1706.02216"});
  add(Op<GruReadout>(), "gru", "P4, P5 (sweep)",
      {"last state of a GRU over the rows", "Buterez et al. 2022, arXiv 2211.04952"});
  add(Op<Janossy>(), "janossy", "P4, P5 (sweep)",
      {"mean over orders of a recurrent cell's last state", "Murphy et al. 2019, arXiv 1811.01900"});
  add(Op<Lcm>(), "lcm", "P4, P5 (tree)",
      {"neighbours joined by a commutative cell, level by level", "Ong & Velickovic 2022, arXiv 2212.08541"});
  add(Op<PatchTransformer>(), "patch-transformer", "P5 (i-th rows), P4, P3, P1",
      {"runs of rows attend to each other and are reduced", pyg});
  add(Op<Equilibrium>(), "equilibrium", "P4, P1, per step",
      {"gradient descent on a learned energy of set and result", "Bartunov et al. 2022, arXiv 2202.12795"});
  add(Op<Multi>(), "multi", "P1 once for all statistics, members' own, P4 or P3",
      {"several readouts side by side, mapped, attended or joined element by element",
       "Corso et al. 2020, PNA, arXiv 2004.05718"});
  add(Op<DegreeScaler>(), "degree-scaler", "P1 once for all statistics, members' own",
      {"several readouts scaled by functions of the set's size", "Corso et al. 2020, PNA, arXiv 2004.05718"});
  add(Op<RegionalGem>(), "regional-gem", "window means, P1 under powers",
      {"gem of (x_i + power mean of its window) / 2", "Shao et al. 2023, SuperGlobal, arXiv 2308.06954"});
  add(Op<ScaleGem>(), "scale-gem", "P4, P1",
      {"maximum of normalised rows, or a shifted power mean",
       "Shao et al. 2023, SuperGlobal, arXiv 2308.06954"});
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
