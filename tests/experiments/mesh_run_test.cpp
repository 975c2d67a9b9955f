#include "tarn/core/checkpoint.hpp"
#include "tarn/core/errors.hpp"
#include "tarn/core/h5.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/datasets/mesh/mesh_file.hpp"
#include "tarn/datasets/mesh/mesh_store.hpp"
#include "tarn/experiments/interruption.hpp"
#include "tarn/experiments/mesh/mesh_experiment.hpp"
#include "tarn/experiments/mesh/mesh_run_data.hpp"
#include "tarn/experiments/mesh/mesh_tables.hpp"
#include "tarn/experiments/mesh/mesh_trials.hpp"
#include "tarn/experiments/report.hpp"
#include "tarn/graph/mesh/mesh_labels.hpp"

#include "experiments/experiment_run.hpp"
#include "scratch_directory.hpp"
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <set>

using namespace tarn;
using Arguments = std::vector<std::string>;
using Catch::Contains;

namespace {

namespace fs = std::filesystem;

MeshPreset preset(const std::string& name) {
  for (const MeshPreset& p : mesh_presets()) {
    if (p.name == name) return p;
  }
  throw std::logic_error(name);
}

MeshExperiment experiment(const std::string& name = "mesh-demo") {
  return MeshExperiment(preset(name));
}

Arguments joined(Arguments all, const Arguments& more) {
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

/// A demo of 27 meshes and networks of eight channels.
Arguments small(const Arguments& more = {}) {
  return joined({"generate.train=2", "generate.test=1", "epochs=2", "batch=8",
                 "model.conv_primal_out_res=[8, 8]", "model.conv_dual_out_res=[8, 8]",
                 "model.num_groups_norm_layer=2", "model.num_output_units_fc=8", "pictures=0"},
                more);
}

/// Cubes of 192 faces with three parts, two to train on and one to test of each of ten classes, in a store.
fs::path cube_store(const ScratchDirectory& scratch) {
  const fs::path path = scratch / "cubes.h5";
  write_mesh_store(path, generate_cube_engraving({.train = 2, .test = 1, .squares = 4}));
  return path;
}

/// Two classes of that store, networks of eight channels.
Arguments parts_of(const fs::path& store, const Arguments& more = {}) {
  return joined({"data.path=" + store.string(), "data.classes=[\"disc\", \"square\"]", "epochs=2", "batch=2",
                 "unet.conv_primal_out_res=[8, 8]", "unet.conv_dual_out_res=[8, 8]",
                 "unet.fractions_primal_edges_to_keep=[0.7]", "unet.num_groups_norm_layer=2", "pictures=0"},
                more);
}

double number(const Value& trial, const std::string& name) {
  const Value* value = trial.find(name);
  REQUIRE(value != nullptr);
  return value->number().value();
}

}  // namespace

TEST_CASE("mesh runs give the same results for any number of threads", "[experiments][mesh-run]") {
  const ScratchDirectory scratch;
  const MeshExperiment demo = experiment();
  const Value config = resolve(demo, small({"augment.slide_vertices=0.2", "augment.test_copies=1",
                                            "readouts=[\"both\", \"dual\", \"primal\", \"forest\"]"}));
  std::vector<Value> results;
  for (const int count : {1, 2, 3}) {
    const Threads threads(count);
    const fs::path run = scratch / std::to_string(count);
    const std::string printed = run_experiment(demo, config, run);
    CHECK_THAT(printed, Contains("forest") && Contains("never sees primal features"));
    results.push_back(timeless_results(run));
    CHECK(results.back() == results.front());
  }
  CHECK(results[0].find("trials")->list()->size() == 4);
  CHECK(*results[0].find("metric") == Value("accuracy"));
}

TEST_CASE("an interrupted mesh run ends with the same results", "[experiments][mesh-run]") {
  const ScratchDirectory scratch;
  const MeshExperiment demo = experiment();
  const Value config = resolve(demo, small({"epochs=6", "augment.slide_vertices=0.2", "pictures=1"}));
  check_interrupted_runs(demo, config, scratch);
  std::set<fs::path> names;
  for (const auto& entry : fs::directory_iterator(scratch / "whole" / "pictures")) {
    CHECK(read_file(entry.path()) == read_file(scratch / "again" / "pictures" / entry.path().filename()));
    names.insert(entry.path().extension());
  }
  CHECK(names == std::set<fs::path>{".json", ".ply", ".png"});
}

TEST_CASE("parts are learnt class by class, graphs stay in the store", "[experiments][mesh-run]") {
  const ScratchDirectory scratch;
  const fs::path store = cube_store(scratch);
  const MeshExperiment parts = experiment("mesh-parts");
  const Value config =
      resolve(parts, parts_of(store, {"pictures=1", "clusters=" + (scratch / "clusters").string()}));
  CHECK(!h5::File::open(store).has("graphs"));
  run_experiment(parts, config, scratch / "run");
  CHECK(h5::File::open(store).has("graphs/A-shape-" + std::string(sizeof(Real) == 8 ? "f64" : "f32")));
  const Value results = timeless_results(scratch / "run");
  CHECK(results.find("trials")->list()->size() == 4);
  for (const Value& trial : *results.find("trials")->list()) {
    for (const char* name : {"face_accuracy", "area_weighted_accuracy", "mean_iou", "rest_iou"}) {
      CHECK(number(trial, name) >= 0);
      CHECK(number(trial, name) <= 1);
    }
    CHECK(trial.find("correct") == nullptr);
    CHECK(trial.find("hard_edge_accuracy") == nullptr);
  }
  // The same from the graphs that were kept.
  run_experiment(parts, config, scratch / "again");
  CHECK(timeless_results(scratch / "again") == results);

  const PolygonSoup ply =
      read_mesh(scratch / "run" / "pictures" / "disc-cubes-unet-0-1-disc-2-predicted.ply");
  CHECK(ply.num_polygons() == 192);
  CHECK(ply.face_colours.size() == 192);
  const std::string csv = read_file(scratch / "clusters" / "disc-cubes-unet-0-1" / "disc-2.csv");
  CHECK_THAT(csv, Catch::StartsWith("face,cluster_1,part,predicted\n0,0,"));
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 193);
  static_cast<void>(write_report({(scratch / "run").string()}, (scratch / "run").string()));
  const std::string page = read_file(scratch / "run" / "report.html");
  CHECK_THAT(page, Contains("mean of 2") && Contains("n_test/n_train = 0.5"));
  CHECK_THAT(page, Contains("data:image/png;base64") && Contains("after pool 1") &&
                       Contains("face_accuracy") && Contains("majority"));
}

TEST_CASE("the table of a run tests networks against the baseline", "[experiments][mesh-run]") {
  const ScratchDirectory scratch;
  MeshSet set = generate_shapes({.train = 2, .test = 1});
  Fold turned = set.splits[0].folds[0];
  for (std::size_t m = 0; m < 9; ++m) std::swap(turned.test[m], turned.train[2 * m]);
  set.splits[0].folds.push_back(turned);
  write_mesh_store(scratch / "set.h5", set);
  const MeshPreset shapes = preset("mesh-shapes");
  const MeshPlan plan =
      MeshPlan::read(resolve(MeshExperiment(shapes), {"data.path=" + (scratch / "set.h5").string(),
                                                      "readouts=[\"both\", \"forest\"]"}));
  const MeshRunData data = load_mesh_run(plan, shapes);
  TrialSet trials;
  const std::array<double, 4> scores{0.75, 0.5, 0.5, 0.5};  // both on two partitions, then the forest
  for (std::size_t i = 0; i < 4; ++i) {
    Trial trial;
    trial.axes = {{"dataset", "shapes"},
                  {"readout", i < 2 ? "both" : "forest"},
                  {"seed", Size{0}},
                  {"fold", static_cast<Size>(i % 2)}};
    trial.metrics = {{"accuracy", scores[i]}, {"macro_f1", 0.25}, {"parameters", 7}};
    trials.add(trial);
  }
  const std::string csv = mesh_table(trials, plan, data, MeshTask::classification).csv();
  // Differences 0.25 and 0: mean 0.125, s^2 = 1 / 32, t = 0.125 / sqrt((1/2 + 1/2) / 32) = 0.707, one degree
  // of freedom: p = 0.61.
  CHECK_THAT(csv, Contains("shapes,both,62.5 ± 17.7,25.0 ± 0.0,2,12.5,0.71,0.61,7,-,-\n"));
  CHECK_THAT(csv, Contains("shapes,forest,50.0 ± 0.0,25.0 ± 0.0,2,-,-,-,7,-,-\n"));
}

TEST_CASE("majority is the part that most training faces have", "[experiments][mesh-run]") {
  const ScratchDirectory scratch;
  const fs::path store = cube_store(scratch);
  const MeshExperiment parts = experiment("mesh-parts");
  run_experiment(parts, resolve(parts, parts_of(store, {"readout=majority"})), scratch / "run");
  const MeshSet set = read_mesh_store(store);
  const Value results = timeless_results(scratch / "run");
  REQUIRE(results.find("trials")->list()->size() == 2);
  for (const Value& trial : *results.find("trials")->list()) {
    const LabelledMesh& test = set.meshes[*trial.find("dataset") == Value("disc") ? 2U : 5U];
    const auto rest = std::count(test.face_labels.begin(), test.face_labels.end(), 0);
    CHECK(number(trial, "face_accuracy") == Approx(static_cast<double>(rest) / 192));
    CHECK(number(trial, "rest_iou") == Approx(static_cast<double>(rest) / 192));
  }
}

TEST_CASE("edge accuracies are measured where mesh edges have labels", "[experiments][mesh-run]") {
  MeshRunData data;
  data.set = generate_cube_engraving({.train = 1, .test = 1, .squares = 4});
  data.graphs = build_mesh_graphs(data.set, {});
  const MeshProblem problem{
      .name = "disc", .num_classes = 3, .class_names = {"rest", "the wall", "engraved"}};
  const Fold fold{.train = {0}, .validation = {}, .test = {1}};
  LabelledMesh& mesh = data.set.meshes[1];
  const auto metrics = [&] {
    return mesh_metrics(data, problem, fold, MeshTask::segmentation, mesh.face_labels);
  };
  CHECK(metrics().at("face_accuracy") == 1);
  CHECK(metrics().find("the_wall_iou") == 1.0);
  CHECK(!metrics().find("hard_edge_accuracy"));
  const SoftEdgeLabels edges =
      edge_labels_from_faces(mesh.mesh, HalfEdges(mesh.mesh), mesh.face_labels, problem.num_classes);
  double expected = 0;
  for (std::size_t e = 0; e < edges.areas.size(); ++e) {
    const auto weights = edges.of(static_cast<Size>(e));
    mesh.edge_labels.push_back(std::max_element(weights.begin(), weights.end()) - weights.begin());
    expected +=
        weights[static_cast<std::size_t>(mesh.edge_labels.back())] / static_cast<double>(edges.areas.size());
  }
  CHECK(metrics().at("hard_edge_accuracy") == Approx(expected));
  CHECK(!metrics().find("soft_edge_accuracy"));
  mesh.edge_weights = edges.weights;
  CHECK(metrics().at("soft_edge_accuracy") == Approx(1));
}

TEST_CASE("checkpoints of mesh runs say what their use needs", "[experiments][mesh-run]") {
  const ScratchDirectory scratch;
  const MeshExperiment demo = experiment();
  run_experiment(demo, resolve(demo, small({"epochs=1"})), scratch / "run");
  const std::string meta =
      read_checkpoint_meta(scratch / "run" / "checkpoints" / "shapes-shapes-both-0-1" / "last.h5");
  CHECK_THAT(meta, Contains("pd-mesh-classifier") && Contains("conv_dual_out_res") &&
                       Contains("\"capsule\"") && Contains("\"std\"") && Contains("\"ratios\":\"log\""));
}

TEST_CASE("pools that find nothing are warned of", "[experiments][mesh-run]") {
  const ScratchDirectory scratch;
  const MeshExperiment demo = experiment();
  run_experiment(
      demo,
      resolve(demo, small({"epochs=1", "readout=dual", "model.fractions_primal_edges_to_keep=[1, 0.8]"})),
      scratch / "run");
  CHECK_THAT(timeless_results(scratch / "run").find("warnings")->text(),
             Contains("1 of 1 trials have pools that contracted no edge of some batch"));
}

TEST_CASE("the forest tells generated shapes apart", "[experiments][mesh-run]") {
  const ScratchDirectory scratch;
  const MeshExperiment demo = experiment();
  run_experiment(demo, resolve(demo, {"generate.train=6", "generate.test=2", "readout=forest"}),
                 scratch / "run");
  const Value results = timeless_results(scratch / "run");
  CHECK(number(results.find("trials")->list()->front(), "accuracy") > 0.7);
}

TEST_CASE("the embedded meshes are learnt", "[experiments][mesh-run][slow]") {
  const ScratchDirectory scratch;
  const MeshExperiment demo = experiment();
  run_experiment(demo,
                 resolve(demo, {"readouts=[\"both\", \"dual\"]", "generate.train=8", "generate.test=4",
                                "epochs=25", "batch=8", "pictures=0"}),
                 scratch / "run");
  const Value results = timeless_results(scratch / "run");
  REQUIRE(results.find("trials")->list()->size() == 2);
  for (const Value& trial : *results.find("trials")->list()) CHECK(number(trial, "accuracy") > 0.6);
}

TEST_CASE("readout is short for a list of one", "[experiments][mesh-run][options]") {
  CHECK(*resolve(experiment("mesh-shapes"), {}).find("readouts") == Value(Value::List{"both"}));
  CHECK(*resolve(experiment("mesh-shapes"), {"readout=dual"}).find("readouts") == Value(Value::List{"dual"}));
  CHECK(resolve(experiment("mesh-shapes"), {"readout=dual"}).find("readout") == nullptr);
}

TEST_CASE("options of a mesh run that do not fit say so", "[experiments][mesh-run][errors]") {
  const MeshExperiment shapes = experiment("mesh-shapes"), parts = experiment("mesh-parts");
  const auto message = [](const MeshExperiment& e, const Arguments& arguments) -> std::string {
    try {
      static_cast<void>(resolve(e, arguments));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK_THAT(message(shapes, {"readout=duel"}),
             Contains("readouts: unknown readout 'duel'; did you mean 'dual'?") && Contains("forest"));
  CHECK_THAT(message(parts, {"readout=both"}), Contains("unknown readout 'both'") && Contains("superpixel"));
  CHECK_THAT(message(shapes, {"readout=3"}), Contains("readout: got 3; expected one of both, dual"));
  CHECK_THAT(message(shapes, {"readout=dual", "readouts=[\"both\"]"}),
             Contains("readout: readouts is set, too; expected one of them"));
  CHECK_THAT(message(shapes, {"readouts=[]"}), Contains("readouts: got []; expected at least one"));
  CHECK_THAT(message(shapes, {"readouts=[\"dual\", \"dual\"]"}), Contains("'dual' is there twice"));
  CHECK_THAT(message(shapes, {"seeds=[]"}), Contains("seeds: got []; expected at least one"));
  CHECK_THAT(message(shapes, {"model.num_classes=4"}),
             Contains("model.num_classes: follows from the data; expected it not to be set"));
  CHECK_THAT(message(shapes, {"model.readout=dual"}), Contains("model.readout: follows from readouts"));
  CHECK_THAT(message(shapes, {"model.configuration=B"}), Contains("follows from graph.configuration"));
  CHECK_THAT(message(shapes, {"model=4"}), Contains("model: got 4; expected a table"));
  CHECK_THAT(message(shapes, {"graph.configuration=D"}),
             Contains("graph.configuration: got") && Contains("A, B"));
  CHECK_THAT(message(shapes, {"model.heds=4"}), Contains("did you mean 'heads'?"));
  CHECK_THAT(message(shapes, {"label_smoothing=1"}),
             Contains("label_smoothing: got 1") && Contains("[0, 1)"));
  CHECK_THAT(message(shapes, {"epocs=4"}), Contains("did you mean 'epochs'?"));
  CHECK_THAT(message(shapes, {"model.fractions_primal_edges_to_keep=[0.8]"}),
             Contains("got 1 entries for 2 blocks"));
  CHECK_THAT(message(shapes, {"generate.train=3"}),
             Contains("generate: mesh-shapes takes its set from files; expected data.path or data.root"));
}

TEST_CASE("splits, partitions and classes that a set has not are told", "[experiments][mesh-run][errors]") {
  const ScratchDirectory scratch;
  const fs::path store = cube_store(scratch);
  const auto message = [&](const std::string& name, const Arguments& arguments) -> std::string {
    const MeshExperiment e = experiment(name);
    try {
      static_cast<void>(load_mesh_run(MeshPlan::read(resolve(e, arguments)), preset(name)));
    } catch (const std::exception& error) {
      return error.what();
    }
    return "";
  };
  const std::string path = "data.path=" + store.string();
  CHECK_THAT(
      message("mesh-shapes", {path, "split=cube"}),
      Contains("split: cube-engraving has no split 'cube'; did you mean 'cubes'?") && Contains("stratified"));
  CHECK_THAT(message("mesh-shapes", {path, "partitions=[2]"}),
             Contains("partitions: got 2 for split cubes of 1 part; expected 1 to 1"));
  CHECK_THAT(message("mesh-shapes", {path, "partitions=[]"}), Contains("partitions: got []"));
  CHECK_THAT(message("mesh-shapes", {path, "data.classes=[\"disk\"]"}),
             Contains("data.classes: cube-engraving has no class 'disk'; did you mean 'disc'?"));
  CHECK_THAT(message("mesh-shapes", {"data.root=" + (scratch / "none").string()}),
             Contains("psb19_500: not in ") && Contains("TARN_DATA") && Contains("data.path=FILE"));

  MeshSet set = generate_shapes({.train = 2, .test = 1});
  write_mesh_store(store, set);
  CHECK_THAT(
      message("mesh-parts", {path}),
      Contains("shapes: no chosen class has meshes with two parts or more") && Contains("CLASS/ID.seg"));
  set.splits[0].folds[0].test.push_back(set.splits[0].folds[0].train[0]);
  write_mesh_store(store, set);
  CHECK_THAT(message("mesh-shapes", {path}),
             Contains("shapes, split shapes 1: tests mesh 0, which it trains on; expected others"));
  set.splits[0].folds[0].test.clear();
  write_mesh_store(store, set);
  CHECK_THAT(message("mesh-shapes", {path}),
             Contains("shapes, split shapes 1: 18 meshes of shapes train and 0 test"));
  set.splits.clear();
  write_mesh_store(store, set);
  CHECK(message("mesh-shapes", {path, "folds=3"}).empty());
}

TEST_CASE("unlabelled meshes are left out and told", "[experiments][mesh-run]") {
  const ScratchDirectory scratch;
  MeshSet set = generate_cube_engraving({.train = 2, .test = 1, .squares = 4});
  set.meshes[1].face_labels.clear();
  for (std::size_t m = 3; m < 6; ++m) set.meshes[m].face_labels.clear();
  set.part_names[1].clear();
  write_mesh_store(scratch / "cubes.h5", set);
  const MeshPreset parts = preset("mesh-parts");
  const MeshRunData data = load_mesh_run(
      MeshPlan::read(resolve(MeshExperiment(parts), {"data.path=" + (scratch / "cubes.h5").string()})),
      parts);
  REQUIRE(data.warnings.size() == 2);
  CHECK_THAT(data.warnings[0], Contains("1 meshes of class disc have no part labels and are left out"));
  CHECK_THAT(data.warnings[1], Contains("class square has no two parts and is left out"));
  CHECK(data.problems.size() == 9);
  CHECK(data.problems[0].folds[0].train == std::vector<Size>{0});
}

TEST_CASE("a mesh run keeps its partitions and refuses others", "[experiments][mesh-run][errors]") {
  const ScratchDirectory scratch;
  MeshSet set = generate_shapes({.train = 2, .test = 1});
  write_mesh_store(scratch / "set.h5", set);
  const MeshExperiment shapes = experiment("mesh-shapes");
  const Value config = resolve(shapes, {"data.path=" + (scratch / "set.h5").string(), "readout=forest"});
  run_experiment(shapes, config, scratch / "run");
  CHECK_NOTHROW(run_experiment(shapes, config, scratch / "run"));
  std::swap(set.splits[0].folds[0].train[0], set.splits[0].folds[0].test[0]);
  write_mesh_store(scratch / "set.h5", set);
  CHECK_THROWS_WITH(run_experiment(shapes, config, scratch / "run"),
                    Contains("partitions.json: holds other partitions than the set gives now"));
}

TEST_CASE("norms that leave nothing are warned of", "[experiments][mesh-run]") {
  const auto warnings = [](const Arguments& arguments) {
    const MeshExperiment shapes = experiment("mesh-shapes");
    return MeshPlan::read(resolve(shapes, arguments)).warnings(mesh_methods(MeshTask::classification)[0]);
  };
  CHECK(warnings({"model.norm_layer_type=none", "model.conv_dual_out_res=[16, 32]"}).empty());
  const std::vector<std::string> found =
      warnings({"model.conv_dual_out_res=[16, 32]", "model.num_groups_norm_layer=16"});
  REQUIRE(found.size() == 1);
  CHECK_THAT(found[0],
             Contains("model.conv_dual_out_res: group_norm with 16 groups of 16 channels makes every row "
                      "equal to the bias") &&
                 Contains("num_groups_norm_layer=4"));
}
