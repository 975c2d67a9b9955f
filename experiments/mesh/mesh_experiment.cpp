#include "tarn/experiments/mesh/mesh_experiment.hpp"

#include "tarn/experiments/comparison.hpp"
#include "tarn/experiments/mesh/mesh_tables.hpp"
#include "tarn/experiments/mesh/mesh_trials.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace tarn {

namespace {

Value widths(std::initializer_list<Size> list) {
  return Value::List(list.begin(), list.end());
}

/// One convolution after the first in each block, and shares of edges to keep.
void set_blocks(Value& defaults, const std::string& table, const Value& channels, double keep) {
  const auto blocks = channels.list()->size();
  defaults.set_path(table + ".conv_primal_out_res", channels);
  defaults.set_path(table + ".conv_dual_out_res", channels);
  defaults.set_path(table + ".num_res_blocks", 1);
  const bool decodes = table == "unet";
  defaults.set_path(table + ".fractions_primal_edges_to_keep",
                    Value::List(decodes ? blocks - 1 : blocks, Value(keep)));
}

MeshPreset demo() {
  MeshPreset preset{.name = "mesh-demo", .task = MeshTask::classification, .embedded = true};
  Value& d = preset.defaults;
  d.set("readouts", Value::List{"both", "dual", "forest"});
  d.set("epochs", 40);
  d.set("lr", 2e-3);
  d.set("schedule", "cosine");
  set_blocks(d, "model", widths({16, 32}), 0.8);
  d.set_path("model.num_groups_norm_layer", 4);
  d.set_path("graph.ratios", "log");
  return preset;
}

MeshPreset shapes() {
  MeshPreset preset{.name = "mesh-shapes", .task = MeshTask::classification};
  Value& d = preset.defaults;
  d.set("readouts", Value::List{"both"});
  d.set("schedule", "cosine");
  d.set("lr", 2e-3);
  d.set("epochs", 40);
  d.set_path("graph.ratios", "log");
  d.set_path("graph.primal_features", "shape");
  set_blocks(d, "model", widths({32, 64}), 0.8);
  return preset;
}

MeshPreset parts() {
  MeshPreset preset{.name = "mesh-parts", .task = MeshTask::segmentation};
  Value& d = preset.defaults;
  d.set("readouts", Value::List{"unet", "majority"});
  d.set("schedule", "cosine");
  d.set("lr", 2e-3);
  d.set("batch", 2);
  d.set("epochs", 60);
  d.set_path("graph.ratios", "log");
  d.set_path("graph.primal_features", "shape");
  set_blocks(d, "unet", widths({32, 64, 128}), 0.7);
  d.set_path("unet.use_dual_primal_res_down_conv_blocks", true);
  set_blocks(d, "superpixel", widths({64, 96}), 0.8);
  return preset;
}

/// What a trial costs per epoch against others: meshes, and the two graphs of `both` against one.
double epoch_cost(const MeshTrial& trial, const MeshRunData& data) {
  if (trial.method.network.empty()) return 0;
  const double meshes = static_cast<double>(data.problems[trial.problem].folds[trial.partition].train.size());
  return meshes * (trial.method.name == "dual" ? 1 : 2);
}

std::vector<PlannedTrial> planned_trials(const std::vector<MeshTrial>& trials, const MeshPlan& plan,
                                         const MeshRunData& data) {
  std::vector<PlannedTrial> planned;
  for (const MeshTrial& trial : trials) {
    planned.push_back({.axes = mesh_trial_axes(trial, data),
                       .epochs = trial.method.network.empty() ? 0 : plan.run.epochs,
                       .epoch_cost = epoch_cost(trial, data)});
  }
  return planned;
}

/// What set and networks want to be said, each once.
std::vector<std::string> warnings_of(const MeshPlan& plan, const MeshRunData& data, MeshTask task) {
  std::vector<std::string> warnings = data.warnings;
  for (const MeshMethod& method : mesh_methods(task)) {
    if (std::find(plan.run.readouts.begin(), plan.run.readouts.end(), method.name) == plan.run.readouts.end())
      continue;
    for (std::string& text : plan.warnings(method)) {
      if (std::find(warnings.begin(), warnings.end(), text) == warnings.end())
        warnings.push_back(std::move(text));
    }
  }
  return warnings;
}

/// Pools that found nothing to contract: the network is not what its options say.
std::vector<std::string> idle_pools(const RunDirectory& run, const std::vector<PlannedTrial>& planned) {
  Size trials = 0;
  for (const PlannedTrial& trial : planned) {
    const std::vector<Value> epochs = run.epochs(trial.axes);
    trials += std::any_of(epochs.begin(), epochs.end(), [](const Value& epoch) {
      const Value* idle = epoch.find("idle_pools");
      return idle != nullptr && idle->number().value_or(0) > 0;
    });
  }
  if (trials == 0) return {};
  return {
      fmt::format("{} of {} trials have pools that contracted no edge of some batch; see idle_pools in "
                  "metrics.jsonl",
                  trials, planned.size())};
}

std::vector<std::string> notes_of(const MeshPlan& plan, const MeshRunData& data, MeshTask task) {
  std::vector<std::string> notes;
  if (task == MeshTask::classification) {
    notes.push_back(
        "accuracy: share of test meshes, after the last epoch. diagnostic_best_accuracy chooses the epoch by "
        "the "
        "tests and is comparable with nothing.");
    if (std::find(plan.run.readouts.begin(), plan.run.readouts.end(), "dual") != plan.run.readouts.end()) {
      notes.push_back(
          "dual, the published readout, never sees primal features: its primal weights get no gradient.");
    }
  } else {
    notes.push_back(
        "face_accuracy: correct faces over all test faces; area_weighted_accuracy: share of the area, meshes "
        "weighed by their faces; mean_iou: mean over the parts of a class. None is the edge accuracy of "
        "MeshCNN.");
  }
  notes.push_back(
      fmt::format("Split {}, partitions {}: partitions of a split may test the same mesh, which the "
                  "corrected test allows for.",
                  data.split, fmt::join(data.partitions, ", ")));
  return notes;
}

}  // namespace

std::vector<MeshPreset> mesh_presets() {
  return {demo(), shapes(), parts()};
}

std::string MeshExperiment::summary() const {
  if (preset_.embedded) return "classes of generated meshes, no files needed";
  return preset_.task == MeshTask::classification ? "classes of meshes in a folder, archive or store"
                                                  : "parts of meshes, face by face, a network per class";
}

std::string MeshExperiment::help() const {
  std::string text =
      "Primal-dual mesh networks: a node per face in the primal graph, a node per pair of faces in the dual "
      "one; "
      "attention on the dual graph weighs the primal edges, and pooling contracts those of most attention. "
      "Milano "
      "et al. 2020, Primal-Dual Mesh Convolutional Neural Networks, arXiv 2010.12455.\n";
  if (preset_.task == MeshTask::classification) {
    text +=
        "readouts: both (means of the two graphs, the default), dual (the published one, which never sees "
        "primal "
        "features), primal, and forest, 500 trees on 56 statistics of the features, which belongs in every "
        "comparison. readout=NAME is short for one.\n";
  } else {
    text +=
        "readouts: unet, superpixel (each face has the scores of its cluster) and majority, the part that "
        "most "
        "training faces have.\n";
  }
  if (preset_.embedded) {
    return text +
           "Meshes: spheres, tori, planes, cylinders, cones, boxes, capsules, octahedra, tetrahedra; "
           "generate.kind=cubes engraves ten outlines in a cube. data.path=FILE takes a set of yours.";
  }
  return text +
         "data.path names a folder, zip archive or store (tarn convert mesh); without it psb19_500 is looked "
         "for in "
         "data.root, TARN_DATA and ../shared/data/meshes. Test meshes never choose an epoch: the last one "
         "counts.";
}

void MeshExperiment::run(ExperimentContext& context) const {
  const MeshPlan plan = MeshPlan::read(context.config);
  const MeshRunData data = load_mesh_run(plan, preset_);
  std::vector<std::string> warnings = warnings_of(plan, data, preset_.task);
  for (const std::string& warning : warnings) context.console.warning(warning);
  keep_partitions(context.run, data);
  warn_of_emulated_products(plan.run.products, context.console);

  const std::vector<MeshTrial> trials = mesh_trials(plan, data, preset_.task);
  const std::vector<PlannedTrial> planned = planned_trials(trials, plan, data);
  const std::vector<std::size_t> pending = restore_trials(context, planned);
  const std::vector<std::string> diverged =
      run_trials(context, planned, pending, [&](std::size_t index, const TrainingHooks& hooks) {
        return run_mesh_trial(plan, data, preset_.task, trials[index], hooks, context.run.path());
      });

  for (std::string& text : idle_pools(context.run, planned)) {
    context.console.warning(text);
    warnings.push_back(std::move(text));
  }
  const TrialSet finished = finished_trials(context.run, planned);
  const Table table = mesh_table(finished, plan, data, preset_.task);
  const RunSummary summary{.experiment = name(),
                           .metric = mesh_metric(preset_.task),
                           .axes = {"seed", "fold"},
                           .notes = notes_of(plan, data, preset_.task),
                           .warnings = warnings,
                           .tables = {table}};
  context.console.result(table.text() + "\n" + result_tables_text(finished, summary.metric));
  for (const std::string& note : summary.notes) context.console.result(note);
  finish_run(context, planned, summary, diverged);
}

}  // namespace tarn
