#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/datasets/graphs/tu_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

namespace fs = std::filesystem;

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

void append(std::string& text, double value) {
  fmt::format_to(std::back_inserter(text), "{:.17g}", value);
}
void append(std::string& text, std::int64_t value) {
  text += fmt::format_int(value).c_str();
}

class TuWriter {
 public:
  TuWriter(const GraphRecords& records, const fs::path& folder) : r_(records), folder_(folder) {}

  void run() {
    check_records(r_);
    const std::vector<double>& targets = r_.targets_of_graphs.values;
    if (std::any_of(targets.begin(), targets.end(), [](double t) { return std::isnan(t); })) {
      throw DataError(
          fmt::format("{}: targets are missing; expected all of them for the TU form", r_.source));
    }
    std::error_code failure;
    fs::create_directories(folder_, failure);
    if (failure) throw_write_error(folder_, failure.message());
    write_indicator();
    write_edges();
    if (!r_.classes.empty()) write("graph_labels", Columns<std::int64_t>{1, r_.classes});
    write("graph_attributes", r_.targets_of_graphs);
    write("node_labels", r_.node_labels);
    write("node_attributes", r_.node_attributes);
    write("edge_labels", r_.edge_labels, &line_of_);
    write("edge_attributes", r_.edge_attributes, &line_of_);
  }

 private:
  [[nodiscard]] fs::path file(const char* part) const {
    return folder_ / fmt::format("{}_{}.txt", r_.name, part);
  }

  void write_indicator() {
    std::string text;
    for (Size g = 0; g < r_.num_graphs(); ++g) {
      for (Size node = r_.node_offsets[idx(g)]; node < r_.node_offsets[idx(g + 1)]; ++node) {
        append(text, g + 1);
        text += '\n';
      }
    }
    write_file_atomically(file("graph_indicator"), text);
  }

  void write_edges() {
    std::vector<Size> graph_of;
    for (Size g = 0; g < r_.num_graphs(); ++g) {
      graph_of.resize(idx(r_.edge_offsets[idx(g + 1)]), g);
    }
    // Edge that stands in each line.
    line_of_.resize(idx(r_.num_edges()));
    for (Size e = 0; e < r_.num_edges(); ++e) {
      line_of_[idx(r_.edge_lines.empty() ? e : r_.edge_lines[idx(e)])] = e;
    }
    std::string text;
    for (const Size e : line_of_) {
      const Size first = r_.node_offsets[idx(graph_of[idx(e)])] + 1;
      append(text, first + r_.sources[idx(e)]);
      text += ", ";
      append(text, first + r_.targets[idx(e)]);
      text += '\n';
    }
    write_file_atomically(file("A"), text);
  }

  /// One line a row; rows in `order` where one is given.
  template <class T>
  void write(const char* part, const Columns<T>& table, const std::vector<Size>* order = nullptr) const {
    if (!table.given()) return;
    std::string text;
    for (Size i = 0; i < table.rows(); ++i) {
      const std::span<const T> row = table.row(order == nullptr ? i : (*order)[idx(i)]);
      for (std::size_t c = 0; c < row.size(); ++c) {
        if (c > 0) text += ", ";
        append(text, row[c]);
      }
      text += '\n';
    }
    write_file_atomically(file(part), text);
  }

  const GraphRecords& r_;
  const fs::path& folder_;
  std::vector<Size> line_of_;
};

}  // namespace

void write_tu(const GraphRecords& records, const fs::path& folder) {
  TuWriter(records, folder).run();
}

}  // namespace tarn
