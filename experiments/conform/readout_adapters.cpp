#include "tarn/experiments/conform/readout_adapters.hpp"

#include "tarn/pooling/layer_readouts/layer_readout.hpp"
#include "tarn/pooling/query_readouts/query_readout.hpp"
#include "tarn/pooling/readouts/append_tokens.hpp"
#include "tarn/pooling/readouts/super_global_rerank.hpp"

#include <utility>

namespace tarn {

namespace {

void run_layer_readout(CaseRun& run) {
  const GoldenCase& golden = run.golden();
  const Shape& shape = golden.input("x").shape;
  const std::shared_ptr<LayerReadout> readout =
      make_layer_readout(golden.op, shape[1], shape[2], golden.user_options());
  run.keep(readout);
  run.load(*readout);
  const LayersPooled pooled =
      readout->forward({.x = run.input("x"), .sets = run.sets(), .query = run.input("query")});
  run.output(golden.outputs.contains("surface") ? "surface" : "out", pooled.y);
  if (pooled.log_prob.given()) run.output("log_prob", pooled.log_prob);
}

void run_query_readout(CaseRun& run) {
  const GoldenCase& golden = run.golden();
  const std::shared_ptr<QueryReadout> readout =
      make_query_readout(golden.op, golden.input("x").shape[-1], golden.user_options());
  run.keep(readout);
  run.load(*readout);
  run.output("out",
             readout->forward({.x = run.input("x"), .sets = run.sets(), .queries = run.input("queries")}));
}

void run_append_tokens(CaseRun& run) {
  const GoldenCase& golden = run.golden();
  Value options = golden.user_options();
  options.set("in_channels", golden.input("x").shape[-1]);
  const auto append = std::make_shared<AppendTokens>(read_options<AppendTokensOptions>(options, golden.op));
  run.keep(append);
  run.load(*append);
  const Appended appended = append->forward(run.input("x"), run.sets());
  run.output("out", appended.x);
  const auto offsets = appended.sets.offsets();
  run.output("offsets_out", std::vector<Size>(offsets.begin(), offsets.end()));
}

void run_rerank(CaseRun& run) {
  const auto options = read_options<RerankOptions>(run.golden().user_options(), run.golden().op);
  Reranked reranked = super_global_rerank(run.input("x").value(), run.input("queries").value(), options);
  run.output("initial_ranks", std::move(reranked.initial_ranks));
  run.output("ranks", std::move(reranked.ranks));
  const auto refined = reranked.refined.flat();
  run.output("refined", std::vector<double>(refined.begin(), refined.end()));
}

}  // namespace

inline namespace TARN_PRECISION {

std::vector<Adapter> readout_adapters() {
  return {
      {"layer readout", [] { return layer_readouts().names(); }, run_layer_readout},
      {"query readout", [] { return query_readouts().names(); }, run_query_readout},
      {"set map", [] { return std::vector<std::string>{"append-tokens"}; }, run_append_tokens},
      {"reranking", [] { return std::vector<std::string>{"super-global-rerank"}; }, run_rerank},
  };
}

}  // namespace TARN_PRECISION
}  // namespace tarn
