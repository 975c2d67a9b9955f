#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/datasets/graphs/number_lines.hpp"
#include "tarn/experiments/graphs/splits.hpp"
#include "tarn/experiments/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tarn {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<const char*, std::vector<Size> Fold::*>, 3> lists = {
    {{"train", &Fold::train}, {"validation", &Fold::validation}, {"test", &Fold::test}}};

class SplitJson {
 public:
  SplitJson(const fs::path& path, Size num_graphs) : where_(path.string()), num_graphs_(num_graphs) {}

  std::vector<SplitLists> run() {
    const Value file = parse_json(read_file(where_), where_);
    if (file.table() == nullptr) fail("is no object", "splits by name");
    if (const Value* base = file.find("index_base")) {
      if (base->integer() == nullptr || *base->integer() < 0 || *base->integer() > 1) {
        fail("index_base is " + base->text(), "0 or 1");
      }
      base_ = *base->integer();
    }
    const Value* graphs = file.find("graphs");
    if (graphs != nullptr && num_graphs_ >= 0 && graphs->number() != static_cast<double>(num_graphs_)) {
      fail(fmt::format("is for {} graphs", graphs->text()), fmt::format("{}, as the set has", num_graphs_));
    }
    std::vector<SplitLists> splits;
    for (const auto& [name, value] : *file.table()) {
      if (value.table() != nullptr) splits.push_back(read_split(name, value));
    }
    return splits;
  }

 private:
  SplitLists read_split(const std::string& name, const Value& value) {
    SplitLists split{name, "", {}};
    if (const Value* about = value.find("about"); about != nullptr && about->string() != nullptr) {
      split.about = *about->string();
    }
    const Value* test = value.find("test");
    if (test == nullptr) fail(fmt::format("split '{}' has no test lists", name), "a list of lists");
    for (const auto& [list, member] : lists) {
      const Value* folds = value.find(list);
      if (folds == nullptr) continue;
      if (folds->list() == nullptr) fail(fmt::format("{}.{} is no list", name, list), "a list of lists");
      split.folds.resize(test->list() == nullptr ? 0 : test->list()->size());
      if (folds->list()->size() != split.folds.size()) {
        fail(fmt::format("{}.{} has {} lists", name, list, folds->list()->size()),
             fmt::format("{}, as test has", split.folds.size()));
      }
      for (std::size_t k = 0; k < split.folds.size(); ++k) {
        split.folds[k].*member = numbers((*folds->list())[k], fmt::format("{}.{}, fold {}", name, list, k));
      }
    }
    return split;
  }

  std::vector<Size> numbers(const Value& value, const std::string& place) const {
    if (value.list() == nullptr) fail(fmt::format("{}: is {}", place, value.text()), "a list of numbers");
    std::vector<Size> result;
    for (const Value& item : *value.list()) {
      const Size* number = item.integer();
      if (number == nullptr || *number < base_ || (num_graphs_ >= 0 && *number >= num_graphs_ + base_)) {
        fail(fmt::format("{}: graph {}", place, item.text()),
             num_graphs_ < 0 ? fmt::format("whole numbers from {}", base_)
                             : fmt::format("{} to {}", base_, num_graphs_ + base_ - 1));
      }
      result.push_back(*number - base_);
    }
    return result;
  }

  [[noreturn]] void fail(const std::string& given, const std::string& expected) const {
    throw DataError(fmt::format("{}: {}; expected {}", where_, given, expected));
  }

  std::string where_;
  Size num_graphs_;
  Size base_ = 0;
};

fs::path list_file(const fs::path& folder, const char* list, Size fold) {
  return folder / fmt::format("{}_idx-{}.txt", list, fold);
}

std::vector<Size> read_list(const fs::path& path) {
  return detail::read_whole_numbers(read_file(path), path.string(), {.cols = 1}).values;
}

}  // namespace

std::vector<SplitLists> read_split_json(const fs::path& path, Size num_graphs) {
  return SplitJson(path, num_graphs).run();
}

std::string write_split_json(const std::string& dataset, Size num_graphs,
                             const std::vector<SplitLists>& splits) {
  Value file;
  file.set("dataset", dataset);
  file.set("graphs", num_graphs);
  file.set("index_base", Size{0});
  for (const SplitLists& split : splits) {
    Value value;
    value.set("about", split.about);
    for (const auto& [list, member] : lists) {
      const auto pointer = member;
      const bool given = std::any_of(split.folds.begin(), split.folds.end(),
                                     [&](const Fold& fold) { return !(fold.*pointer).empty(); });
      if (!given && std::string_view(list) != "test") continue;
      Value::List folds;
      for (const Fold& fold : split.folds) {
        folds.emplace_back(Value::List((fold.*member).begin(), (fold.*member).end()));
      }
      value.set(list, std::move(folds));
    }
    file.set(split.name, std::move(value));
  }
  return to_json(file) + "\n";
}

SplitLists read_split_folder(const fs::path& folder) {
  SplitLists split{folder.lexically_normal().filename().string(), "", {}};
  for (Size k = 1; fs::exists(list_file(folder, "test", k)); ++k) {
    Fold fold;
    fold.test = read_list(list_file(folder, "test", k));
    if (const fs::path train = list_file(folder, "train", k); fs::exists(train))
      fold.train = read_list(train);
    split.folds.push_back(std::move(fold));
  }
  if (split.folds.empty()) {
    throw DataError(
        fmt::format("{}: holds no test_idx-1.txt; expected a file for every fold", folder.string()));
  }
  return split;
}

void write_split_folder(const fs::path& folder, const SplitLists& split) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure) throw_write_error(folder, failure.message());
  const auto text = [](const std::vector<Size>& graphs) {
    std::string lines;
    for (const Size g : graphs) lines += fmt::format("{}\n", g);
    return lines;
  };
  for (std::size_t k = 0; k < split.folds.size(); ++k) {
    const Fold& fold = split.folds[k];
    if (!fold.validation.empty()) {
      throw DataError(
          fmt::format("{}: fold {} has a validation list; expected train and test alone in the plain form",
                      split.name, k));
    }
    write_file_atomically(list_file(folder, "test", static_cast<Size>(k + 1)), text(fold.test));
    write_file_atomically(list_file(folder, "train", static_cast<Size>(k + 1)), text(fold.train));
  }
}

}  // namespace tarn
