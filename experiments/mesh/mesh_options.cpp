#include "tarn/experiments/mesh/mesh_options.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/experiments/option_tables.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace tarn {

namespace {

/// Options of networks that follow from the data and the method.
constexpr std::array<const char*, 5> derived = {"in_channels_primal", "in_channels_dual", "num_classes",
                                                "configuration", "readout"};
constexpr std::array<const char*, 4> plain_tables = {"data", "generate", "graph", "augment"};

bool is_derived(std::string_view option) {
  return std::find(derived.begin(), derived.end(), option) != derived.end();
}

/// The tables of networks that a task has, each once.
std::vector<MeshMethod> network_tables(MeshTask task) {
  std::vector<MeshMethod> tables;
  for (const MeshMethod& method : mesh_methods(task)) {
    const bool known = std::any_of(tables.begin(), tables.end(),
                                   [&](const MeshMethod& other) { return other.table == method.table; });
    if (!method.network.empty() && !known) tables.push_back(method);
  }
  return tables;
}

std::vector<std::string> method_names(MeshTask task) {
  std::vector<std::string> names;
  for (const MeshMethod& method : mesh_methods(task)) names.push_back(method.name);
  return names;
}

/// What is neither a table nor the short form of `readouts`.
Value run_part(const Value& given, const MeshPreset& preset) {
  Value run{Value::Table{}};
  for (const auto& [key, value] : *given.table()) {
    const bool plain = std::find(plain_tables.begin(), plain_tables.end(), key) != plain_tables.end();
    const std::vector<MeshMethod> tables = network_tables(preset.task);
    const bool network =
        std::any_of(tables.begin(), tables.end(), [&, k = key](const MeshMethod& m) { return m.table == k; });
    if (!plain && !network && key != "readout") run.set(key, value);
  }
  const Value* one = given.find("readout");
  if (one == nullptr || one->is_null()) return run;
  if (one->string() == nullptr) {
    throw ConfigError(fmt::format("{}readout: got {}; expected one of {}", place_of(*one), one->text(),
                                  fmt::join(method_names(preset.task), ", ")));
  }
  Value list(Value::List{*one});
  list.set_where(one->where());
  run.set("readouts", std::move(list));
  return run;
}

void require_methods(const MeshRunOptions& run, const MeshPreset& preset) {
  if (run.readouts.empty()) throw ConfigError("readouts: got []; expected at least one");
  if (run.seeds.empty()) throw ConfigError("seeds: got []; expected at least one");
  const std::vector<std::string> names = method_names(preset.task);
  for (const std::string& readout : run.readouts) {
    if (std::find(names.begin(), names.end(), readout) != names.end()) continue;
    throw ConfigError(fmt::format("readouts: unknown readout '{}'{}", readout, suggestion(readout, names)));
  }
  for (auto it = run.readouts.begin(); it != run.readouts.end(); ++it) {
    if (std::find(run.readouts.begin(), it, *it) != it)
      throw ConfigError(fmt::format("readouts: '{}' is there twice; expected each once", *it));
  }
}

/// Options of a network by its name, without those that are derived.
Value resolve_network(const MeshMethod& method, const Value& given) {
  for (const auto& [key, value] : *given.table()) {
    if (!is_derived(key)) continue;
    throw ConfigError(fmt::format("{}{}.{}: follows from {}; expected it not to be set", place_of(value),
                                  method.table, key,
                                  key == "readout"         ? "readouts"
                                  : key == "configuration" ? "graph.configuration"
                                                           : "the data"));
  }
  const Value resolved = mesh_networks().at(method.network).resolve(given);
  Value own{Value::Table{}};
  for (const auto& [key, value] : *resolved.table()) {
    if (!is_derived(key)) own.set(key, value);
  }
  return own;
}

/// Options of a network that the user may set.
std::vector<FieldDescription> own_fields(const std::string& network) {
  std::vector<FieldDescription> fields = mesh_networks().at(network).describe();
  std::erase_if(fields, [](const FieldDescription& field) { return is_derived(field.name); });
  return fields;
}

}  // namespace

void MeshRunOptions::fields(Fields& f) {
  f("readouts", readouts, "methods side by side: what the classifier reads, or which segmenter; see help");
  f("seeds", seeds, at_least(0), "of parameters, order and augmentation");
  f("split", split,
    "name of a split that came with the set, or stratified: folds of one's own; auto: the set's split with "
    "most training meshes, else stratified");
  f("partitions", partitions, at_least(1), "which parts of the split, from 1; null: all");
  f("folds", folds, at_least(2), "of a stratified split");
  f("split_seed", split_seed, at_least(0), "of a stratified split");
  MeshTrainingOptions::fields(f);
  f("pictures", pictures, at_least(0), "test meshes per partition that are drawn, for the first seed");
  f("clusters", clusters, "folder for clusters of all test meshes as PLY and CSV; empty: none");
}

void MeshDataOptions::fields(Fields& f) {
  f("path", path, "folder, zip archive or mesh store");
  f("root", root, "folder that holds psb19_500; empty: TARN_DATA, then ../shared/data/meshes");
  f("classes", classes, "only meshes of these classes; empty: all");
  f("train", train, at_least(1), "training meshes of a part; null: all");
}

void ProceduralOptions::fields(Fields& f) {
  f("kind", kind, "shapes: nine solids and surfaces; cubes: ten outlines engraved in a cube");
  ShapesOptions::fields(f);
  f("squares", squares, between(4, 128), "of cubes: squares along a side");
  f("depth", depth, between(0, 0.5), "of cubes: how far the outline is pushed in");
}

void MeshGraphOptions::fields(Fields& f) {
  PrimalDualOptions::fields(f);
  f("ratios", ratios, "areas and ratios of lengths as they are, or their logarithms");
}

void MeshAugmentOptions::fields(Fields& f) {
  AugmentOptions::fields(f);
  f("redraw", redraw, "draw the copies anew in every epoch");
  f("test_copies", test_copies, at_least(0),
    "augmented copies of each test mesh whose probabilities the final prediction averages, with its own");
}

const std::vector<MeshMethod>& mesh_methods(MeshTask task) {
  static const std::vector<MeshMethod> classification = {{"both", "pd-mesh-classifier", "model"},
                                                         {"dual", "pd-mesh-classifier", "model"},
                                                         {"primal", "pd-mesh-classifier", "model"},
                                                         {forest_baseline, "", ""}};
  static const std::vector<MeshMethod> segmentation = {{"unet", "pd-mesh-unet-segmenter", "unet"},
                                                       {"superpixel", "pd-mesh-segmenter", "superpixel"},
                                                       {majority_baseline, "", ""}};
  return task == MeshTask::classification ? classification : segmentation;
}

MeshPlan MeshPlan::read(const Value& resolved) {
  MeshPlan plan;
  Value run{Value::Table{}}, networks{Value::Table{}};
  for (const auto& [key, value] : *resolved.table()) {
    if (key == "experiment") continue;
    if (value.table() == nullptr) {
      run.set(key, value);
    } else if (std::find(plain_tables.begin(), plain_tables.end(), key) == plain_tables.end()) {
      networks.set(key, value);
    }
  }
  plan.run = read_options<MeshRunOptions>(run, "mesh run");
  plan.data = read_options<MeshDataOptions>(table_of(resolved, "data"), "data");
  plan.generate = read_options<ProceduralOptions>(table_of(resolved, "generate"), "generate");
  plan.graph = read_options<MeshGraphOptions>(table_of(resolved, "graph"), "graph");
  plan.augment = read_options<MeshAugmentOptions>(table_of(resolved, "augment"), "augment");
  plan.networks = std::move(networks);
  return plan;
}

std::unique_ptr<MeshNetwork> MeshPlan::make_network(const MeshMethod& method, Size num_classes) const {
  if (method.network.empty()) return nullptr;
  Value options = table_of(networks, method.table);
  options.set("in_channels_primal", primal_width(graph));
  options.set("in_channels_dual", dual_width(graph));
  options.set("num_classes", num_classes);
  options.set("configuration",
              std::string(enum_names(graph.configuration)[static_cast<std::size_t>(graph.configuration)]));
  if (method.table == "model") options.set("readout", method.name);
  return mesh_networks().make(method.network, options);
}

std::vector<std::string> MeshPlan::warnings(const MeshMethod& method) const {
  std::vector<std::string> result;
  if (method.network.empty()) return result;
  const Value options = table_of(networks, method.table);
  const auto whole = [&](const char* name) -> Size {
    const Value* value = options.find(name);
    return value != nullptr && value->integer() != nullptr ? *value->integer() : 1;
  };
  const Value* blocks = options.find("use_dual_primal_res_down_conv_blocks");
  const bool grouped = *options.find("norm_layer_type") == Value("group_norm") &&
                       (blocks == nullptr || *blocks == Value(true));
  if (!grouped) return result;
  for (const char* side : {"primal", "dual"}) {
    const bool side_by_side = *options.find(fmt::format("concat_{}", side)) == Value(true);
    const Size heads = side_by_side ? whole("heads") * whole("heads_encoder") : 1;
    const std::string name = fmt::format("conv_{}_out_res", side);
    for (const Value& width : *options.find(name)->list()) {
      if (*width.integer() * heads != whole("num_groups_norm_layer")) continue;
      result.push_back(fmt::format(
          "{0}.{1}: group_norm with {2} groups of {2} channels makes every row equal to the bias; expected "
          "fewer "
          "groups, such as {0}.num_groups_norm_layer={3}",
          method.table, name, *width.integer() * heads, std::max<Size>(1, *width.integer() * heads / 4)));
    }
  }
  return result;
}

Value resolve_mesh_run(const Value& given, const MeshPreset& preset) {
  Value all = preset.defaults;
  const Value* short_form = given.find("readout");
  if (short_form != nullptr && given.find("readouts") != nullptr) {
    throw ConfigError(
        fmt::format("{}readout: readouts is set, too; expected one of them", place_of(*short_form)));
  }
  if (const Value* generate = given.find("generate"); generate != nullptr && !preset.embedded) {
    throw ConfigError(fmt::format("{}generate: {} takes its set from files; expected data.path or data.root",
                                  place_of(*generate), preset.name));
  }
  all.merge(given);
  const auto run = read_options<MeshRunOptions>(run_part(all, preset), preset.name);
  require_methods(run, preset);
  const auto data = read_options<MeshDataOptions>(table_of(all, "data"), "data");
  Value resolved = write_options(run);
  resolved.set("data", write_options(data));
  if (preset.embedded && data.path.empty()) {
    resolved.set("generate",
                 write_options(read_options<ProceduralOptions>(table_of(all, "generate"), "generate")));
  }
  resolved.set("graph", write_options(read_options<MeshGraphOptions>(table_of(all, "graph"), "graph")));
  resolved.set("augment",
               write_options(read_options<MeshAugmentOptions>(table_of(all, "augment"), "augment")));
  for (const MeshMethod& method : network_tables(preset.task)) {
    resolved.set(method.table, resolve_network(method, table_of(all, method.table)));
  }
  // Networks are made once for nothing, so that options that do not fit together are told before any data is
  // read.
  const MeshPlan plan = MeshPlan::read(resolved);
  for (const MeshMethod& method : mesh_methods(preset.task)) {
    const bool used = std::find(run.readouts.begin(), run.readouts.end(), method.name) != run.readouts.end();
    if (used) static_cast<void>(plan.make_network(method, 2));
  }
  return resolved;
}

std::vector<FieldDescription> describe_mesh_run(const MeshPreset& preset) {
  std::vector<FieldDescription> result = describe_options<MeshRunOptions>();
  describe_table(result, "data", describe_options<MeshDataOptions>());
  if (preset.embedded) describe_table(result, "generate", describe_options<ProceduralOptions>());
  describe_table(result, "graph", describe_options<MeshGraphOptions>());
  describe_table(result, "augment", describe_options<MeshAugmentOptions>());
  for (const MeshMethod& method : network_tables(preset.task)) {
    describe_table(result, method.table, own_fields(method.network));
  }
  describe_defaults(result, preset.defaults);
  return result;
}

}  // namespace tarn
