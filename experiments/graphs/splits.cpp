#include "tarn/experiments/graphs/splits.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace tarn {

namespace {

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// Members of `graphs` by class, in the order given.
std::map<Size, std::vector<Size>> by_class(std::span<const Size> graphs, std::span<const Size> classes) {
  std::map<Size, std::vector<Size>> members;
  for (const Size g : graphs) members[classes.empty() ? 0 : classes[idx(g)]].push_back(g);
  return members;
}

std::vector<Size> all_graphs(Size count) {
  std::vector<Size> all(idx(count));
  for (Size g = 0; g < count; ++g) all[idx(g)] = g;
  return all;
}

/// The graphs class by class in a random order of their own.
std::vector<Size> shuffled_by_class(std::span<const Size> graphs, std::span<const Size> classes,
                                    const Rng& rng) {
  std::vector<Size> result;
  for (const auto& [label, members] : by_class(graphs, classes)) {
    for (const Size i :
         permutation(static_cast<Size>(members.size()), rng.split(static_cast<std::uint64_t>(label)))) {
      result.push_back(members[idx(i)]);
    }
  }
  return result;
}

/// Every `num_parts`-th of the shuffled graphs, from the part's number on, in ascending order.
std::vector<std::vector<Size>> deal(std::span<const Size> graphs, std::span<const Size> classes,
                                    Size num_parts, const Rng& rng) {
  std::vector<std::vector<Size>> parts(idx(num_parts));
  std::size_t next = 0;
  for (const Size g : shuffled_by_class(graphs, classes, rng)) parts[next++ % parts.size()].push_back(g);
  for (std::vector<Size>& part : parts) std::sort(part.begin(), part.end());
  return parts;
}

/// `graphs` ascend.
void remove_all(std::vector<Size>& from, const std::vector<Size>& graphs) {
  std::erase_if(from, [&](Size g) { return std::binary_search(graphs.begin(), graphs.end(), g); });
}

class FoldCheck {
 public:
  FoldCheck(const std::vector<Fold>& folds, Size num_graphs, std::span<const Size> classes,
            const std::string& where)
      : folds_(folds), num_graphs_(num_graphs), classes_(classes), where_(where) {}

  std::vector<std::string> run() {
    if (folds_.empty()) throw DataError(fmt::format("{}: has no folds; expected at least one", where_));
    tested_in_.assign(idx(num_graphs_), -1);
    for (fold_ = 0; fold_ < static_cast<Size>(folds_.size()); ++fold_) check_fold(folds_[idx(fold_)]);
    return small_classes();
  }

 private:
  void check_fold(const Fold& fold) {
    std::vector<const char*> list_of(idx(num_graphs_), nullptr);
    enter(list_of, "train", fold.train);
    enter(list_of, "validation", fold.validation);
    enter(list_of, "test", fold.test);
    if (fold.train.empty()) fail("has no training graphs", "at least one");
    for (const Size g : fold.test) {
      Size& other = tested_in_[idx(g)];
      if (other >= 0)
        fail(fmt::format("tests graph {}, and so does fold {}", g, other), "each graph in one test");
      other = fold_;
    }
    require_classes(fold);
  }

  void enter(std::vector<const char*>& list_of, const char* list, const std::vector<Size>& graphs) const {
    for (const Size g : graphs) {
      if (g < 0 || g >= num_graphs_) {
        fail(fmt::format("graph {} in {}", g, list), fmt::format("0 to {}", num_graphs_ - 1));
      }
      if (list_of[idx(g)] != nullptr) {
        fail(fmt::format("graph {} in {} and in {}", g, list_of[idx(g)], list), "lists that do not overlap");
      }
      list_of[idx(g)] = list;
    }
  }

  void require_classes(const Fold& fold) const {
    if (classes_.empty()) return;
    const auto training = by_class(fold.train, classes_);
    for (const auto& entry : by_class(all_graphs(num_graphs_), classes_)) {
      if (training.count(entry.first) == 0) {
        fail(fmt::format("trains on no graph of class {}", entry.first), "some of every class");
      }
    }
  }

  [[nodiscard]] std::vector<std::string> small_classes() const {
    std::vector<std::string> warnings;
    if (classes_.empty()) return warnings;
    for (const auto& [label, members] : by_class(all_graphs(num_graphs_), classes_)) {
      if (members.size() >= folds_.size()) continue;
      warnings.push_back(fmt::format("{}: class {} has {} graphs for {} folds; some tests lack it", where_,
                                     label, members.size(), folds_.size()));
    }
    return warnings;
  }

  [[noreturn]] void fail(const std::string& given, const std::string& expected) const {
    throw DataError(fmt::format("{}: fold {}: {}; expected {}", where_, fold_, given, expected));
  }

  const std::vector<Fold>& folds_;
  Size num_graphs_;
  std::span<const Size> classes_;
  const std::string& where_;
  Size fold_ = 0;
  std::vector<Size> tested_in_;
};

}  // namespace

std::vector<Fold> stratified_folds(Size num_graphs, std::span<const Size> classes, Size num_folds,
                                   std::uint64_t seed) {
  if (num_folds < 2) throw ValueError(fmt::format("folds: got {}; expected at least 2", num_folds));
  if (num_graphs < num_folds) {
    throw ValueError(
        fmt::format("folds: got {} for {} graphs; expected at most one a graph", num_folds, num_graphs));
  }
  const std::vector<Size> all = all_graphs(num_graphs);
  std::vector<Fold> folds;
  for (std::vector<Size>& test : deal(all, classes, num_folds, Rng(seed).split("folds"))) {
    folds.push_back({.train = {}, .validation = {}, .test = std::move(test)});
  }
  complete_training(folds, num_graphs);
  return folds;
}

void hold_out_validation(Fold& fold, std::span<const Size> classes, double share, std::uint64_t seed) {
  if (!(share > 0 && share <= 0.5)) {
    throw ValueError(fmt::format("validation: got a share of {}; expected a number in (0, 0.5]", share));
  }
  const auto parts = static_cast<Size>(std::llround(1 / share));
  fold.validation = deal(fold.train, classes, parts, Rng(seed).split("validation")).front();
  remove_all(fold.train, fold.validation);
}

void limit_training(Fold& fold, std::span<const Size> classes, Size count, std::uint64_t seed) {
  if (count >= static_cast<Size>(fold.train.size())) return;
  const auto total = static_cast<double>(fold.train.size());
  const Rng rng = Rng(seed).split("limit");
  std::vector<Size> kept;
  for (const auto& [label, members] : by_class(fold.train, classes)) {
    const std::vector<Size> order = shuffled_by_class(members, classes, rng);
    const auto share = static_cast<double>(members.size()) / total;
    const auto wanted = std::max<Size>(1, std::llround(share * static_cast<double>(count)));
    kept.insert(kept.end(), order.begin(), order.begin() + std::min<Size>(wanted, std::ssize(order)));
  }
  std::sort(kept.begin(), kept.end());
  fold.train = std::move(kept);
}

void complete_training(std::vector<Fold>& folds, Size num_graphs) {
  for (Fold& fold : folds) {
    if (!fold.train.empty()) continue;
    std::vector<bool> taken(idx(num_graphs), false);
    for (const std::vector<Size>* list : {&fold.validation, &fold.test}) {
      for (const Size g : *list) {
        if (g >= 0 && g < num_graphs) taken[idx(g)] = true;
      }
    }
    for (Size g = 0; g < num_graphs; ++g) {
      if (!taken[idx(g)]) fold.train.push_back(g);
    }
  }
}

std::vector<std::string> check_folds(const std::vector<Fold>& folds, Size num_graphs,
                                     std::span<const Size> classes, const std::string& where) {
  return FoldCheck(folds, num_graphs, classes, where).run();
}

}  // namespace tarn
