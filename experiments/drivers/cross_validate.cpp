// Which readout suits which graphs? cross_validate SET...: accuracy of readouts in five folds of every set
// named, a TU folder or zip, an OGB folder or a graph store; of generated graphs without one.
#include "tarn/core/parallel.hpp"
#include "tarn/datasets/graphs/chord_graphs.hpp"
#include "tarn/experiments/graphs/graph_source.hpp"
#include "tarn/experiments/graphs/graph_trainer.hpp"
#include "tarn/experiments/graphs/splits.hpp"
#include "tarn/experiments/table.hpp"

#include <cstdio>

using namespace tarn;

/// Accuracy on the fold's test graphs after 30 epochs.
double one_fold(const std::string& readout, const GraphSet& set, const Fold& fold, std::uint64_t number) {
  const GraphTaskInfo task = task_of(set);
  const GraphModelShape shape{set.feature_dim(), set.edge_dim(), task.outputs};
  const auto model = make_graph_model({.conv = "gin", .widths = {32, 32, 32}}, readout, {}, shape);
  const GraphTrainingOptions options{.epochs = 30, .batch = 32, .lr = 0.01, .rng = Rng(0).split(number)};
  return train_graphs(*model, {set, task, fold}, options).last().metrics.at(task.metric);
}

void compare_readouts(const GraphRecords& records, Table& table) {
  const GraphSet set = GraphSet::make(records);
  const std::vector<Fold> folds = stratified_folds(set.num_graphs(), set.classes(), 5, 0);
  for (const char* readout : {"sum", "mean", "max", "scalar-mix", edge_free}) {
    std::vector<double> scores(folds.size());
    for_jobs(5, [&](Size k) {
      const auto fold = static_cast<std::size_t>(k);
      scores[fold] = one_fold(readout, set, folds[fold], fold);
    });
    table.add_row({set.name(), readout, format_interval(mean(scores), t_interval(scores))});
  }
}

int main(int argc, char** argv) try {
  Table table("Accuracy in percent, mean ± half the 95 % interval", {{"set"}, {"readout"}, {"accuracy"}});
  if (argc == 1) compare_readouts(generate_chord_graphs({.graphs = 200}), table);
  for (int i = 1; i < argc; ++i) compare_readouts(read_graphs(argv[i]), table);
  std::fputs(table.text().c_str(), stdout);
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return error.exit_code();
}
