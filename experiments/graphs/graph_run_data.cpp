#include "tarn/experiments/graphs/graph_run_data.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/experiments/graphs/graph_source.hpp"
#include "tarn/experiments/graphs/splits.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

namespace {

namespace fs = std::filesystem;

GraphRecords read_records(const GraphPlan& plan, const GraphPreset& preset) {
  GraphRecords records = !plan.data.path.empty() ? read_graphs(plan.data.path)
                         : preset.embedded       ? generate_chord_graphs(plan.embedded)
                                                 : read_graphs(find_tu_set(preset.set, plan.data.root));
  if (!plan.data.splits.empty()) {
    const fs::path file = plan.data.splits;
    records.splits = fs::is_directory(file) ? std::vector<SplitLists>{read_split_folder(file)}
                                            : read_split_json(file, records.num_graphs());
  }
  return records;
}

/// Divides a set as a protocol says.
class FoldMaker {
 public:
  FoldMaker(const GraphPlan& plan, const GraphSet& set) : run_(plan.run), data_(plan.data), set_(set) {}

  void run(GraphRunData& result) {
    const SplitLists* given = chosen_split();
    result.split = given != nullptr ? given->name : fmt::format("stratified, seed {}", run_.split_seed);
    const Size repeats = run_.protocol == Protocol::repeated_cv ? run_.repeats : 1;
    if (given != nullptr && repeats > 1) {
      throw ConfigError(
          fmt::format("split: got '{}' for repeated-cv with {} repeats; expected stratified, or repeats=1",
                      given->name, repeats));
    }
    for (Size repeat = 0; repeat < repeats; ++repeat) {
      const auto seed = static_cast<std::uint64_t>(run_.split_seed + repeat);
      std::vector<Fold> folds = given != nullptr
                                    ? given->folds
                                    : stratified_folds(set_.num_graphs(), set_.classes(), run_.folds, seed);
      if (given == nullptr && run_.protocol == Protocol::holdout) folds.resize(1);
      complete_training(folds, set_.num_graphs());
      for (std::size_t k = 0; k < folds.size(); ++k) settle_validation(folds[k], seed + k);
      const std::vector<std::string> warnings = check_folds(
          folds, set_.num_graphs(), set_.classes(), fmt::format("{}, split {}", set_.name(), result.split));
      if (repeat == 0) result.warnings.insert(result.warnings.end(), warnings.begin(), warnings.end());
      require_tests(folds, result.split);
      result.folds.push_back(std::move(folds));
    }
  }

 private:
  /// Null for folds of one's own.
  [[nodiscard]] const SplitLists* chosen_split() const {
    if (run_.split == "stratified") return nullptr;
    const auto find = [&](const std::string& name) -> const SplitLists* {
      const auto found = std::find_if(set_.splits().begin(), set_.splits().end(),
                                      [&](const SplitLists& split) { return split.name == name; });
      return found == set_.splits().end() ? nullptr : &*found;
    };
    if (run_.split != "auto") {
      const SplitLists* split = find(run_.split);
      if (split != nullptr) return split;
      std::vector<std::string> known{"auto", "stratified"};
      for (const SplitLists& other : set_.splits()) known.push_back(other.name);
      throw ConfigError(fmt::format("split: {} has no split '{}'{}", set_.name(), run_.split,
                                    suggestion(run_.split, known)));
    }
    switch (run_.protocol) {
      case Protocol::gin_cv:
        return of_size(find("gin10_seed0"));
      case Protocol::fair:
        return of_size(find("fair10"));
      case Protocol::holdout:
        return first_holdout();
      default:
        return nullptr;
    }
  }

  [[nodiscard]] const SplitLists* of_size(const SplitLists* split) const {
    return split != nullptr && static_cast<Size>(split->folds.size()) == run_.folds ? split : nullptr;
  }

  [[nodiscard]] const SplitLists* first_holdout() const {
    for (const SplitLists& split : set_.splits()) {
      if (split.folds.size() == 1 && !split.folds[0].validation.empty()) return &split;
    }
    return nullptr;
  }

  void settle_validation(Fold& fold, std::uint64_t seed) const {
    if (run_.protocol == Protocol::gin_cv) {
      fold.train.insert(fold.train.end(), fold.validation.begin(), fold.validation.end());
      std::sort(fold.train.begin(), fold.train.end());
      fold.validation.clear();
    } else if (fold.validation.empty()) {
      hold_out_validation(fold, set_.classes(), run_.validation, seed);
    }
    if (data_.train) limit_training(fold, set_.classes(), *data_.train, seed);
  }

  void require_tests(const std::vector<Fold>& folds, const std::string& split) const {
    for (std::size_t k = 0; k < folds.size(); ++k) {
      if (!folds[k].test.empty()) continue;
      throw DataError(
          fmt::format("{}, split {}: fold {} tests no graph; expected at least one", set_.name(), split, k));
    }
    if (run_.protocol != Protocol::holdout || folds.size() == 1) return;
    throw ConfigError(
        fmt::format("split: got '{}' with {} folds for holdout; expected one with train, validation and test",
                    split, folds.size()));
  }

  const GraphRunOptions& run_;
  const GraphDataOptions& data_;
  const GraphSet& set_;
};

/// Macro averages leave out classes that a test has not: said once.
void warn_of_missing_classes(GraphRunData& data) {
  if (data.task.task != GraphTask::classes) return;
  Size lacking = 0;
  for (const std::vector<Fold>& folds : data.folds) {
    for (const Fold& fold : folds) {
      std::vector<bool> there(static_cast<std::size_t>(data.set.num_classes()), false);
      for (const Size g : fold.test) {
        there[static_cast<std::size_t>(data.set.classes()[static_cast<std::size_t>(g)])] = true;
      }
      lacking += std::find(there.begin(), there.end(), false) != there.end() ? 1 : 0;
    }
  }
  if (lacking == 0) return;
  data.warnings.push_back(
      fmt::format("{}: {} tests lack a class; balanced_accuracy and macro_f1 leave it out there",
                  data.set.name(), lacking));
}

}  // namespace

GraphRunData load_graph_run(const GraphPlan& plan, const GraphPreset& preset) {
  const GraphSet set = GraphSet::make(read_records(plan, preset), plan.data);
  GraphRunData data{
      .set = set, .task = task_of(set), .split = {}, .folds = {}, .warnings = set.findings().warnings};
  FoldMaker(plan, set).run(data);
  warn_of_missing_classes(data);
  return data;
}

void keep_folds(const RunDirectory& run, const GraphRunData& data) {
  std::vector<SplitLists> splits;
  for (std::size_t repeat = 0; repeat < data.folds.size(); ++repeat) {
    splits.push_back({fmt::format("repeat-{}", repeat), data.split, data.folds[repeat]});
  }
  run.keep("splits.json", write_split_json(data.set.name(), data.set.num_graphs(), splits), "folds");
}

}  // namespace tarn
