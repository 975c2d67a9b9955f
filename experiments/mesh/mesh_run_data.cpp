#include "tarn/experiments/mesh/mesh_run_data.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/experiments/graphs/splits.hpp"
#include "tarn/experiments/json.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <exception>

namespace tarn {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

constexpr const char* default_set = "psb19_500";

MeshSet generate(const ProceduralOptions& o) {
  if (o.kind == ProceduralMeshes::shapes) return generate_shapes(o);
  return generate_cube_engraving(
      {.train = o.train, .test = o.test, .squares = o.squares, .depth = o.depth, .seed = o.seed});
}

std::vector<Size> labels_of(const MeshSet& set) {
  std::vector<Size> labels;
  for (const LabelledMesh& mesh : set.meshes) labels.push_back(mesh.label);
  return labels;
}

Size num_training(const SplitLists& split) {
  Size count = 0;
  for (const Fold& fold : split.folds) count = std::max(count, static_cast<Size>(fold.train.size()));
  return count;
}

/// The split that a run asks for, over all meshes.
SplitLists chosen_split(const MeshSet& set, const MeshRunOptions& run) {
  if (run.split == "auto") {
    const auto largest = std::max_element(
        set.splits.begin(), set.splits.end(),
        [](const SplitLists& a, const SplitLists& b) { return num_training(a) < num_training(b); });
    if (largest != set.splits.end()) return *largest;
  }
  if (run.split == "auto" || run.split == "stratified") {
    return {.name = "stratified",
            .about = "",
            .folds = stratified_folds(set.num_meshes(), labels_of(set), run.folds,
                                      static_cast<std::uint64_t>(run.split_seed))};
  }
  if (const SplitLists* split = set.find_split(run.split)) return *split;
  std::vector<std::string> known{"auto", "stratified"};
  for (const SplitLists& other : set.splits) known.push_back(other.name);
  throw ConfigError(
      fmt::format("split: {} has no split '{}'{}", set.name, run.split, suggestion(run.split, known)));
}

/// Parts of a split may test the same mesh, but none may train on what it tests.
void check_fold(const Fold& fold, Size num_meshes, const std::string& where) {
  for (const std::vector<Size>* list : {&fold.train, &fold.test}) {
    for (const Size mesh : *list) {
      if (mesh >= 0 && mesh < num_meshes) continue;
      throw DataError(fmt::format("{}: names mesh {}; expected 0 to {}", where, mesh, num_meshes - 1));
    }
  }
  for (const Size mesh : fold.test) {
    if (std::find(fold.train.begin(), fold.train.end(), mesh) == fold.train.end()) continue;
    throw DataError(fmt::format("{}: tests mesh {}, which it trains on; expected others", where, mesh));
  }
}

/// Numbers of the classes that a run names.
std::vector<bool> chosen_classes(const MeshSet& set, const MeshDataOptions& data) {
  std::vector<bool> chosen(set.class_names.size(), data.classes.empty());
  for (const std::string& name : data.classes) {
    const auto found = std::find(set.class_names.begin(), set.class_names.end(), name);
    if (found == set.class_names.end()) {
      throw ConfigError(fmt::format("data.classes: {} has no class '{}'{}", set.name, name,
                                    suggestion(name, set.class_names)));
    }
    chosen[static_cast<std::size_t>(found - set.class_names.begin())] = true;
  }
  return chosen;
}

/// The problems of a run, and what is odd about them.
class ProblemMaker {
 public:
  ProblemMaker(const MeshPlan& plan, const MeshPreset& preset, const MeshSet& set)
      : plan_(plan), preset_(preset), set_(set), labels_(labels_of(set)) {}

  void run(std::string& split_name, std::vector<Size>& partitions, std::vector<MeshProblem>& problems,
           std::vector<std::string>& warnings) {
    const SplitLists split = chosen_split(set_, plan_.run);
    split_name = split.name;
    partitions = chosen_partitions(split);
    for (const Size number : partitions) folds_.push_back(split.folds[idx(number - 1)]);
    for (std::size_t k = 0; k < folds_.size(); ++k) {
      check_fold(folds_[k], set_.num_meshes(), where(split, partitions[k]));
    }
    if (preset_.task == MeshTask::classification) {
      problems.push_back(classes());
    } else {
      parts(problems, warnings);
    }
    for (const MeshProblem& problem : problems) {
      for (std::size_t k = 0; k < problem.folds.size(); ++k) {
        if (!problem.folds[k].train.empty() && !problem.folds[k].test.empty()) continue;
        throw DataError(fmt::format("{}: {} meshes of {} train and {} test; expected at least one of each",
                                    where(split, partitions[k]), problem.folds[k].train.size(), problem.name,
                                    problem.folds[k].test.size()));
      }
    }
  }

 private:
  [[nodiscard]] std::string where(const SplitLists& split, Size partition) const {
    return fmt::format("{}, split {} {}", set_.name, split.name, partition);
  }

  [[nodiscard]] std::vector<Size> chosen_partitions(const SplitLists& split) const {
    const auto count = static_cast<Size>(split.folds.size());
    std::vector<Size> all;
    for (Size number = 1; number <= count; ++number) all.push_back(number);
    if (!plan_.run.partitions) return all;
    if (plan_.run.partitions->empty()) throw ConfigError("partitions: got []; expected at least one");
    for (const Size number : *plan_.run.partitions) {
      if (number <= count) continue;
      throw ConfigError(fmt::format("partitions: got {} for split {} of {} {}; expected 1 to {}", number,
                                    split.name, count, count == 1 ? "part" : "parts", count));
    }
    return *plan_.run.partitions;
  }

  /// The folds with the meshes that `keep` wants.
  template <class Keep>
  [[nodiscard]] std::vector<Fold> filtered(Keep keep) const {
    std::vector<Fold> result = folds_;
    for (std::size_t k = 0; k < result.size(); ++k) {
      for (std::vector<Size>* list : {&result[k].train, &result[k].test})
        std::erase_if(*list, [&](Size mesh) { return !keep(mesh); });
      if (plan_.data.train)
        limit_training(result[k], labels_, *plan_.data.train, static_cast<std::uint64_t>(k));
    }
    return result;
  }

  [[nodiscard]] MeshProblem classes() const {
    const std::vector<bool> chosen = chosen_classes(set_, plan_.data);
    return {.name = set_.name,
            .num_classes = static_cast<Size>(set_.class_names.size()),
            .class_names = set_.class_names,
            .folds = filtered([&](Size mesh) { return chosen[idx(labels_[idx(mesh)])]; })};
  }

  void parts(std::vector<MeshProblem>& problems, std::vector<std::string>& warnings) const {
    const std::vector<bool> chosen = chosen_classes(set_, plan_.data);
    for (Size c = 0; c < static_cast<Size>(set_.class_names.size()); ++c) {
      if (!chosen[idx(c)]) continue;
      Size unlabelled = 0, labelled = 0;
      for (const LabelledMesh& mesh : set_.meshes) {
        if (mesh.label == c) ++(mesh.face_labels.empty() ? unlabelled : labelled);
      }
      if (labelled == 0 || num_parts(set_, c) < 2) {
        if (unlabelled + labelled > 0) warnings.push_back(left_out(c));
        continue;
      }
      if (unlabelled > 0) {
        warnings.push_back(fmt::format("{}: {} meshes of class {} have no part labels and are left out",
                                       set_.name, unlabelled, set_.class_names[idx(c)]));
      }
      problems.push_back(problem_of(c));
    }
    if (!problems.empty()) return;
    throw DataError(
        fmt::format("{}: no chosen class has meshes with two parts or more; expected labels of faces, such "
                    "as CLASS/ID.seg",
                    set_.name));
  }

  [[nodiscard]] std::string left_out(Size c) const {
    return fmt::format("{}: class {} has no two parts and is left out", set_.name, set_.class_names[idx(c)]);
  }

  [[nodiscard]] MeshProblem problem_of(Size c) const {
    MeshProblem problem{.name = set_.class_names[idx(c)], .num_classes = num_parts(set_, c)};
    if (c < static_cast<Size>(set_.part_names.size())) problem.class_names = set_.part_names[idx(c)];
    for (Size part = static_cast<Size>(problem.class_names.size()); part < problem.num_classes; ++part) {
      problem.class_names.push_back(fmt::format("part {}", part));
    }
    problem.folds = filtered(
        [&](Size mesh) { return labels_[idx(mesh)] == c && !set_.meshes[idx(mesh)].face_labels.empty(); });
    return problem;
  }

  const MeshPlan& plan_;
  const MeshPreset& preset_;
  const MeshSet& set_;
  std::vector<Size> labels_;
  std::vector<Fold> folds_;
};

/// The partitions by the names of their meshes.
std::string partition_text(const MeshSet& set, const std::vector<Size>& partitions,
                           const std::vector<MeshProblem>& problems) {
  const auto names = [&](const std::vector<Size>& meshes) {
    Value::List list;
    for (const Size mesh : meshes) list.emplace_back(set.meshes[idx(mesh)].name);
    return Value(std::move(list));
  };
  Value all{Value::Table{}};
  for (const MeshProblem& problem : problems) {
    for (std::size_t k = 0; k < problem.folds.size(); ++k) {
      Value fold;
      fold.set("train", names(problem.folds[k].train));
      fold.set("test", names(problem.folds[k].test));
      all.set(fmt::format("{}-{}", problem.name, partitions[k]), std::move(fold));
    }
  }
  return to_json(all) + "\n";
}

}  // namespace

fs::path find_mesh_set(const std::string& name, const std::string& root) {
  std::vector<fs::path> folders;
  const char* const variable = std::getenv("TARN_DATA");
  if (!root.empty()) {
    folders.emplace_back(root);
  } else {
    if (variable != nullptr && *variable != '\0') {
      folders.emplace_back(variable);
      folders.push_back(fs::path(variable) / "meshes");
    }
    folders.push_back(fs::path("..") / "shared" / "data" / "meshes");
  }
  std::vector<std::string> looked;
  for (const fs::path& folder : folders) {
    for (const fs::path& candidate : {folder / (name + ".h5"), folder / (name + ".zip"), folder / name}) {
      if (fs::exists(candidate)) return candidate;
    }
    looked.push_back(folder.string());
  }
  throw IoError(
      fmt::format("{0}: not in {1}; expected {0}.h5, {0}.zip or a folder {0} there (data.root=DIR or "
                  "TARN_DATA names its folder, data.path=FILE a set itself)",
                  name, fmt::join(looked, ", ")));
}

inline namespace TARN_PRECISION {

namespace {

/// From the store if that has them; a store that can be written gets what it lacks.
std::vector<PrimalDualMesh> graphs_of(const MeshSet& set, const fs::path& path,
                                      const PrimalDualOptions& options, std::vector<std::string>& warnings) {
  const bool store = !path.empty() && is_mesh_store(path);
  if (store) {
    if (auto kept = read_mesh_graphs(path, set, options)) return std::move(*kept);
  }
  std::vector<PrimalDualMesh> graphs = build_mesh_graphs(set, options);
  if (store) {
    try {
      write_mesh_graphs(path, graphs, options);
    } catch (const std::exception& error) {
      warnings.push_back(fmt::format("graphs are not kept: {}", error.what()));
    }
  }
  return graphs;
}

}  // namespace

MeshRunData load_mesh_run(const MeshPlan& plan, const MeshPreset& preset) {
  MeshRunData data;
  fs::path path = plan.data.path;
  if (path.empty() && !preset.embedded) path = find_mesh_set(default_set, plan.data.root);
  data.set = path.empty() ? generate(plan.generate) : read_mesh_set(path);
  data.graphs = graphs_of(data.set, path, plan.graph, data.warnings);
  ProblemMaker(plan, preset, data.set).run(data.split, data.partitions, data.problems, data.warnings);
  return data;
}

void keep_partitions(const RunDirectory& run, const MeshRunData& data) {
  run.keep("partitions.json", partition_text(data.set, data.partitions, data.problems), "partitions");
}

}  // namespace TARN_PRECISION
}  // namespace tarn
