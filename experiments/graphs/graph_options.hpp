#pragma once

#include "tarn/datasets/graphs/chord_graphs.hpp"
#include "tarn/datasets/graphs/graph_set.hpp"
#include "tarn/experiments/graphs/graph_model.hpp"
#include "tarn/experiments/graphs/graph_trainer.hpp"
#include "tarn/experiments/graphs/protocols.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace tarn {

enum class StopOn { loss, metric };
inline std::span<const std::string_view> enum_names(StopOn) {
  static constexpr std::array<std::string_view, 2> names{"loss", "metric"};
  return names;
}
inline std::span<const std::string_view> enum_names(Normalisation) {
  static constexpr std::array<std::string_view, 2> names{"none", "standard"};
  return names;
}

/// Options of a run over a set of graphs that are no tables. What is not set takes the protocol's value.
struct GraphRunOptions {
  Protocol protocol = Protocol::gin_cv;
  std::vector<std::string> readouts{"sum",        "mean",       "max",    "gin-readout", "jumping-knowledge",
                                    "scalar-mix", "histograph", edge_free};
  std::optional<std::vector<Size>> seeds;
  Size folds = 10;
  Size repeats = 3;
  std::string split = "auto";
  Size split_seed = 0;
  double validation = 0.1;
  std::optional<Size> epochs;
  std::string epoch = "pass";
  Size batch = 32;
  double lr = 0.01;
  double backbone_lr = 1;
  double readout_lr = 1;
  double head_lr = 1;
  Size lr_step = 50;
  double lr_decay = 0.5;
  Size warmup = 0;
  double clip = 0;
  double weight_decay = 0;
  Size patience = 500;
  StopOn stop_on = StopOn::loss;
  Size retrain = 3;

  void fields(Fields& f);
  /// Number of batches that an epoch draws; 0 for a pass. Throws ConfigError for another text.
  [[nodiscard]] Size draws() const;
};

/// The table `data`.
struct GraphDataOptions : GraphSetOptions {
  std::string path;
  std::string root;
  std::string splits;
  std::optional<Size> train;
  Normalisation normalize_attributes = Normalisation::none;
  void fields(Fields& f);
};

/// What a name of `tarn run` stands for: where its set is and what differs from the defaults.
struct GraphPreset {
  std::string name;       ///< of the experiment: "mutag"
  std::string set;        ///< of the TU collection; "" for the embedded one or data.path
  bool embedded = false;  ///< generated, no file
  Value defaults{Value::Table{}};
};

/// A resolved configuration, read; with a point of the grid laid over it if one is given.
struct GraphPlan {
  GraphRunOptions run;
  GraphDataOptions data;
  ChordGraphOptions embedded;
  GraphModelOptions model;
  Value readouts;  ///< options by readout
  Value lr_of;     ///< learning rates by readout
  std::vector<Value> grid;

  [[nodiscard]] static GraphPlan read(const Value& resolved, const Value& point = {});
  /// The learning rate of a readout.
  [[nodiscard]] double lr(const std::string& readout) const;
  [[nodiscard]] GraphTrainingOptions training(const std::string& readout, const Rng& rng) const;
};

/// Every option filled in. Tables: `data`, `generate` (of the embedded set), `model`, `lr_of` (learning rates
/// of single readouts), `grid` (lists to try, for protocol fair), `readout` (options for all readouts that
/// have them) and one of each readout's name. Reads no data. Throws ConfigError or ValueError.
[[nodiscard]] Value resolve_graph_run(const Value& given, const GraphPreset& preset);

[[nodiscard]] std::vector<FieldDescription> describe_graph_run(const GraphPreset& preset);

}  // namespace tarn
