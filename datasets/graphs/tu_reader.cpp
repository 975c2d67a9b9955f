#include "tarn/core/errors.hpp"
#include "tarn/datasets/graphs/file_collection.hpp"
#include "tarn/datasets/graphs/number_lines.hpp"
#include "tarn/datasets/graphs/tu_files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <numeric>

namespace tarn {

namespace {

using detail::FileCollection;
using detail::LineRule;

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// The files of one set inside a collection.
class TuFolder {
 public:
  explicit TuFolder(const std::filesystem::path& path) : files_(FileCollection::open(path)) {
    const std::string& name = files_.name();
    for (const std::string& folder : {std::string(), name + "/", std::string("raw/"), name + "/raw/"}) {
      folder_ = folder;
      if (has("A")) return;
    }
    fail_without_edges(path);
  }

  [[nodiscard]] const std::string& name() const { return files_.name(); }
  [[nodiscard]] bool has(const std::string& part) const { return files_.has(file(part)); }
  [[nodiscard]] std::string where(const std::string& part) const { return files_.where(file(part)); }
  [[nodiscard]] std::string short_name(const std::string& part) const { return name() + "_" + part + ".txt"; }

  void require(const std::string& part) const {
    if (!has(part)) fail_missing(short_name(part));
  }
  [[noreturn]] void fail_missing(const std::string& wanted) const {
    const std::string folder = folder_.empty() ? "" : folder_.substr(0, folder_.size() - 1);
    throw DataError(fmt::format("{}: holds no {}; expected it beside {}", files_.where(folder), wanted,
                                fmt::join(files_.names(folder), ", ")));
  }

  [[nodiscard]] Columns<std::int64_t> whole(const std::string& part, const LineRule& rule) const {
    return detail::read_whole_numbers(files_.read(file(part)), where(part), rule);
  }
  [[nodiscard]] Columns<double> real(const std::string& part, const LineRule& rule) const {
    return detail::read_real_numbers(files_.read(file(part)), where(part), rule);
  }

 private:
  [[nodiscard]] std::string file(const std::string& part) const { return folder_ + short_name(part); }

  [[noreturn]] void fail_without_edges(const std::filesystem::path& path) const {
    std::vector<std::string> there;
    for (const std::string& folder : {std::string(), files_.name(), std::string("raw")}) {
      for (const std::string& found : files_.names(folder)) {
        if (found.ends_with("_A.txt")) {
          throw DataError(fmt::format("{}: holds the set '{}' ({}); expected {}_A.txt, or the name '{}' here",
                                      path.string(), found.substr(0, found.size() - 6), found, files_.name(),
                                      found.substr(0, found.size() - 6)));
        }
        there.push_back(folder.empty() ? found : folder + "/" + found);
      }
    }
    throw DataError(fmt::format("{}: holds no {}_A.txt; expected a set in TU form, there is {}",
                                path.string(), files_.name(),
                                there.empty() ? "nothing" : fmt::format("{}", fmt::join(there, ", "))));
  }

  FileCollection files_;
  std::string folder_;
};

class TuReader {
 public:
  TuReader(const std::filesystem::path& path, const TuOptions& options) : tu_(path), options_(options) {
    records_.name = tu_.name();
    records_.source = path.string();
  }

  GraphRecords run() {
    tu_.require("graph_indicator");
    if (!tu_.has("graph_labels") && !tu_.has("graph_attributes")) {
      tu_.fail_missing(tu_.short_name("graph_labels") + " or " + tu_.short_name("graph_attributes"));
    }
    read_indicator();
    read_graphs();
    read_nodes();
    read_edges();
    return std::move(records_);
  }

 private:
  [[nodiscard]] LineRule per_node(Size cols) const {
    return {cols, num_nodes_, "node of " + tu_.short_name("graph_indicator"), false};
  }
  [[nodiscard]] LineRule per_edge(Size cols) const {
    return {cols, num_lines_, "line of " + tu_.short_name("A"), false};
  }
  [[nodiscard]] LineRule per_graph(Size cols) const {
    // Graphs without nodes may stand at the end of the set, where the indicator cannot tell them.
    const Size rows = options_.allow_empty_graphs ? -1 : num_graphs();
    return {cols, rows, "graph of " + tu_.short_name("graph_indicator"), false};
  }
  [[nodiscard]] Size num_graphs() const { return records_.num_graphs(); }

  void read_indicator() {
    const Columns<std::int64_t> numbers = tu_.whole("graph_indicator", {.cols = 1});
    num_nodes_ = numbers.rows();
    if (num_nodes_ == 0)
      throw DataError(tu_.where("graph_indicator") + ": is empty; expected one line a node");
    if (num_nodes_ > std::numeric_limits<NodeId>::max()) {
      throw DataError(fmt::format("{}: has {} lines; expected at most {}", tu_.where("graph_indicator"),
                                  num_nodes_, std::numeric_limits<NodeId>::max()));
    }
    graph_of_.reserve(idx(num_nodes_));
    for (Size node = 0; node < num_nodes_; ++node) {
      const std::int64_t graph = numbers.values[idx(node)];
      if (graph != num_graphs() || node == 0) begin_graph(node, graph);
      graph_of_.push_back(static_cast<NodeId>(graph - 1));
      records_.node_offsets.back() = node + 1;
    }
  }

  /// The indicator's number changes to `graph` at `node`.
  void begin_graph(Size node, std::int64_t graph) {
    const Size last = num_graphs();
    const auto fail = [&](const std::string& expected) {
      throw DataError(fmt::format("{}:{}: graph {}{}; expected {}", tu_.where("graph_indicator"), node + 1,
                                  graph, node == 0 ? "" : fmt::format(" after {}", last), expected));
    };
    if (graph < last || graph < 1) fail(node == 0 ? "1, the first graph" : "numbers that never descend");
    if (graph > last + 1 && !options_.allow_empty_graphs) {
      fail(node == 0 ? "1, the first graph (or allow_empty_graphs)"
                     : fmt::format("{} or {} (or allow_empty_graphs)", last, last + 1));
    }
    // A number that is wrong by much would reserve memory for as many empty graphs.
    if (graph > last + 1'000'000) fail("at most a million graphs without nodes in a row");
    while (num_graphs() < graph) records_.node_offsets.push_back(node);
  }

  void read_graphs() {
    if (tu_.has("graph_labels")) {
      records_.classes = tu_.whole("graph_labels", per_graph(1)).values;
      take_graphs("graph_labels", static_cast<Size>(records_.classes.size()));
    }
    if (tu_.has("graph_attributes")) {
      records_.targets_of_graphs = tu_.real("graph_attributes", per_graph(-1));
      take_graphs("graph_attributes", records_.targets_of_graphs.rows());
    }
  }

  /// Only with allow_empty_graphs may `rows` differ from the graphs so far.
  void take_graphs(const std::string& part, Size rows) {
    if (rows < num_graphs() || (graphs_told_ && rows != num_graphs())) {
      throw DataError(fmt::format("{}:{}: is the last line; expected {} lines, one for each graph",
                                  tu_.where(part), rows, num_graphs()));
    }
    records_.node_offsets.resize(idx(rows + 1), num_nodes_);
    graphs_told_ = true;
  }

  void read_nodes() {
    if (tu_.has("node_labels")) records_.node_labels = tu_.whole("node_labels", per_node(-1));
    if (tu_.has("node_attributes")) records_.node_attributes = tu_.real("node_attributes", per_node(-1));
  }

  void read_edges() {
    const Columns<std::int64_t> lines = tu_.whole("A", {.cols = 2});
    num_lines_ = lines.rows();
    if (num_lines_ > std::numeric_limits<NodeId>::max()) {
      throw DataError(fmt::format("{}: has {} lines; expected at most {}", tu_.where("A"), num_lines_,
                                  std::numeric_limits<NodeId>::max()));
    }
    place_edges(lines.values);
    if (tu_.has("edge_labels")) records_.edge_labels = in_edge_order(tu_.whole("edge_labels", per_edge(-1)));
    if (tu_.has("edge_attributes")) {
      records_.edge_attributes = in_edge_order(tu_.real("edge_attributes", per_edge(-1)));
    }
  }

  /// The graph of an edge's line, its ends checked.
  Size graph_of_line(std::span<const std::int64_t> ends, Size line) const {
    for (const std::int64_t node : ends) {
      if (node >= 1 && node <= num_nodes_) continue;
      throw DataError(
          fmt::format("{}:{}: node {}; expected 1 to {}", tu_.where("A"), line + 1, node, num_nodes_));
    }
    const NodeId from = graph_of_[idx(ends[0] - 1)], to = graph_of_[idx(ends[1] - 1)];
    if (from != to) {
      throw DataError(fmt::format(
          "{}:{}: joins node {} of graph {} to node {} of graph {}; expected two nodes of one graph",
          tu_.where("A"), line + 1, ends[0], from + 1, ends[1], to + 1));
    }
    return from;
  }

  /// Edges graph by graph in the order of their lines.
  void place_edges(const std::vector<std::int64_t>& ends) {
    std::vector<Size>& offsets = records_.edge_offsets;
    offsets.assign(idx(num_graphs() + 1), 0);
    bool in_order = true;
    Size last = 0;
    for (Size line = 0; line < num_lines_; ++line) {
      const Size graph = graph_of_line(std::span(ends).subspan(idx(2 * line), 2), line);
      ++offsets[idx(graph + 1)];
      in_order = in_order && graph >= last;
      last = graph;
    }
    std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
    records_.sources.resize(idx(num_lines_));
    records_.targets.resize(idx(num_lines_));
    if (!in_order) records_.edge_lines.resize(idx(num_lines_));
    std::vector<Size> next(offsets.begin(), offsets.end() - 1);
    for (Size line = 0; line < num_lines_; ++line) {
      const std::int64_t from = ends[idx(2 * line)] - 1, to = ends[idx(2 * line + 1)] - 1;
      const auto graph = static_cast<Size>(graph_of_[idx(from)]);
      const Size edge = next[idx(graph)]++;
      const Size first = records_.node_offsets[idx(graph)];
      records_.sources[idx(edge)] = static_cast<NodeId>(from - first);
      records_.targets[idx(edge)] = static_cast<NodeId>(to - first);
      if (!in_order) records_.edge_lines[idx(edge)] = line;
    }
  }

  /// Rows from the order of lines to that of the edges.
  template <class T>
  Columns<T> in_edge_order(Columns<T> table) const {
    if (!table.given() || records_.edge_lines.empty()) return table;
    Columns<T> result{table.cols, {}};
    result.values.reserve(table.values.size());
    for (const Size line : records_.edge_lines) {
      const std::span<const T> row = table.row(line);
      result.values.insert(result.values.end(), row.begin(), row.end());
    }
    return result;
  }

  TuFolder tu_;
  TuOptions options_;
  GraphRecords records_;
  Size num_nodes_ = 0;
  Size num_lines_ = 0;
  bool graphs_told_ = false;
  std::vector<NodeId> graph_of_;
};

}  // namespace

GraphRecords read_tu(const std::filesystem::path& path, const TuOptions& options) {
  return TuReader(path, options).run();
}

}  // namespace tarn
