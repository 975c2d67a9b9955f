#include "tarn/datasets/graphs/stored_splits.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>

namespace tarn::detail {

namespace {

constexpr std::array<std::pair<const char*, std::vector<Size> Fold::*>, 3> fold_parts = {
    {{"train", &Fold::train}, {"validation", &Fold::validation}, {"test", &Fold::test}}};

}  // namespace

void write_splits(h5::File& file, const std::vector<SplitLists>& splits) {
  for (const SplitLists& split : splits) {
    h5::Group group = file.create_group("splits/" + split.name);
    group.set_attribute("about", split.about);
    group.set_attribute("folds", static_cast<Size>(split.folds.size()));
    for (std::size_t k = 0; k < split.folds.size(); ++k) {
      for (const auto& [part, member] : fold_parts) {
        const std::vector<Size>& list = split.folds[k].*member;
        if (!list.empty()) group.write(fmt::format("{}/{}", part, k), list);
      }
    }
  }
}

std::vector<SplitLists> read_splits(const h5::File& file) {
  std::vector<SplitLists> splits;
  if (!file.has("splits")) return splits;
  const h5::Group all = file.group("splits");
  for (const std::string& name : all.children()) {
    const h5::Group group = all.group(name);
    SplitLists split{name, group.has_attribute("about") ? group.attribute<std::string>("about") : "", {}};
    const Size folds = group.attribute<std::int64_t>("folds");
    if (folds < 0 || folds > 1'000'000) {
      throw DataError(fmt::format("{}: {} folds; expected 0 to 1000000", group.where(), folds));
    }
    split.folds.resize(static_cast<std::size_t>(folds));
    for (std::size_t k = 0; k < split.folds.size(); ++k) {
      for (const auto& [part, member] : fold_parts) {
        const std::string path = fmt::format("{}/{}", part, k);
        if (group.has(path)) split.folds[k].*member = group.dataset(path).read<Size>();
      }
    }
    splits.push_back(std::move(split));
  }
  return splits;
}

}  // namespace tarn::detail
