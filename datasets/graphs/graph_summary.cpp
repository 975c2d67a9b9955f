#include "tarn/datasets/graphs/graph_store.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace tarn {

namespace {

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// "17.93 a graph, 10 to 28"
std::string sizes_text(const std::vector<Size>& offsets) {
  const auto graphs = static_cast<double>(offsets.size() - 1);
  Size low = offsets.back(), high = 0;
  for (std::size_t g = 1; g < offsets.size(); ++g) {
    low = std::min(low, offsets[g] - offsets[g - 1]);
    high = std::max(high, offsets[g] - offsets[g - 1]);
  }
  return fmt::format("{:.2f} a graph, {} to {}", static_cast<double>(offsets.back()) / graphs, low, high);
}

/// "2 columns of labels: 0..6, 1..3"
std::string labels_text(const Columns<std::int64_t>& labels) {
  std::vector<std::string> ranges;
  for (Size c = 0; c < labels.cols && labels.rows() > 0; ++c) {
    std::int64_t low = labels.row(0)[idx(c)], high = low;
    for (Size i = 0; i < labels.rows(); ++i) {
      low = std::min(low, labels.row(i)[idx(c)]);
      high = std::max(high, labels.row(i)[idx(c)]);
    }
    ranges.push_back(fmt::format("{}..{}", low, high));
  }
  return fmt::format("{} {} of labels: {}", labels.cols, labels.cols == 1 ? "column" : "columns",
                     fmt::join(ranges, ", "));
}

std::string columns_text(const Columns<double>& attributes, const Columns<std::int64_t>& labels) {
  std::string text;
  if (attributes.given()) text += fmt::format("; {} attributes", attributes.cols);
  if (labels.given()) text += "; " + labels_text(labels);
  return text;
}

std::string targets_text(const Columns<double>& targets) {
  const auto missing =
      std::count_if(targets.values.begin(), targets.values.end(), [](double t) { return std::isnan(t); });
  return fmt::format("  targets     {} a graph, {} missing\n", targets.cols, missing);
}

std::string fold_text(const Fold& fold) {
  std::string text;
  const auto add = [&](const char* part, const std::vector<Size>& list) {
    if (!list.empty()) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", list.size(), part);
  };
  add("train", fold.train);
  add("validation", fold.validation);
  add("test", fold.test);
  return text;
}

}  // namespace

std::string describe_graphs(const GraphRecords& r) {
  std::string text = fmt::format("  name        {}\n  graphs      {}\n", r.name, r.num_graphs());
  text += fmt::format("  nodes       {}; {}{}\n", r.num_nodes(), sizes_text(r.node_offsets),
                      columns_text(r.node_attributes, r.node_labels));
  text += fmt::format("  edges       {} as listed; {}{}\n", r.num_edges(), sizes_text(r.edge_offsets),
                      columns_text(r.edge_attributes, r.edge_labels));
  std::map<std::int64_t, Size> counts;
  for (const std::int64_t c : r.classes) ++counts[c];
  for (const auto& [value, count] : counts) text += fmt::format("  class {:<5} {} graphs\n", value, count);
  if (r.targets_of_graphs.given()) text += targets_text(r.targets_of_graphs);
  for (const SplitLists& split : r.splits) {
    text += fmt::format("  split       {}: {} folds{}\n", split.name, split.folds.size(),
                        split.folds.empty() ? "" : ", the first with " + fold_text(split.folds.front()));
  }
  return text;
}

}  // namespace tarn
