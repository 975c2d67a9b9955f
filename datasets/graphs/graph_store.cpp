#include "tarn/datasets/graphs/graph_store.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/h5.hpp"
#include "tarn/datasets/graphs/one_hot.hpp"
#include "tarn/datasets/graphs/stored_splits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace tarn {

namespace {

using detail::LabelColumn;

constexpr const char* format_name = "tarn-graph-store";
constexpr Size newest_version = 1;
constexpr Size rows_per_block = 16384;

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

// === Features: attributes, then labels one-hot

/// Writes a table of features block by block, as T.
template <class T>
void write_rows(h5::Dataset data, Size rows, Size width, const Columns<double>& attributes,
                const Columns<std::int64_t>& labels, const std::vector<LabelColumn>& columns) {
  std::vector<T> block;
  for (Size begin = 0; begin < rows; begin += rows_per_block) {
    const Size count = std::min(rows_per_block, rows - begin);
    block.assign(idx(count * width), T{0});
    for (Size i = 0; i < count; ++i) {
      T* const row = block.data() + i * width;
      for (Size c = 0; c < attributes.cols; ++c) row[c] = static_cast<T>(attributes.row(begin + i)[idx(c)]);
      Size first = attributes.cols;
      for (std::size_t c = 0; c < columns.size(); ++c) {
        row[first + labels.row(begin + i)[c] - columns[c].minimum] = T{1};
        first += columns[c].width;
      }
    }
    data.write({begin, 0}, {count, width}, std::span<const T>(block));
  }
}

void write_features(h5::File& file, const char* name, const std::string& kind, Size rows,
                    const Columns<double>& attributes, const Columns<std::int64_t>& labels) {
  const std::vector<LabelColumn> columns =
      detail::label_columns(labels, file.where() + ": " + kind + " labels");
  std::vector<std::int64_t> minimum, width;
  Size total = attributes.cols;
  for (const LabelColumn& column : columns) {
    minimum.push_back(column.minimum);
    width.push_back(column.width);
    total += column.width;
  }
  file.set_attribute("num_" + kind + "_attributes", attributes.cols);
  file.set_attribute(kind + "_label_min", std::span<const std::int64_t>(minimum));
  file.set_attribute(kind + "_label_width", std::span<const std::int64_t>(width));
  if (total == 0) return;
  const bool plain = !attributes.given();
  h5::Dataset data = file.create_dataset(name, plain ? h5::Type::u8 : h5::Type::f64, {rows, total});
  if (plain) {
    write_rows<std::uint8_t>(std::move(data), rows, total, attributes, labels, columns);
  } else {
    write_rows<double>(std::move(data), rows, total, attributes, labels, columns);
  }
}

struct ReadFeatures {
  Columns<double> attributes;
  Columns<std::int64_t> labels;
};

/// The label that a one-hot part of a row stands for.
std::int64_t label_of(std::span<const double> part, const LabelColumn& column, const h5::Dataset& data,
                      Size row) {
  const auto one = std::find(part.begin(), part.end(), 1.0);
  const bool good = one != part.end() && std::count(part.begin(), part.end(), 0.0) == std::ssize(part) - 1;
  if (!good)
    refuse(data, fmt::format("row {} has no single 1 among its {} label columns", row, column.width),
           "one-hot labels");
  return column.minimum + (one - part.begin());
}

ReadFeatures read_features(const h5::File& file, const char* name, const std::string& kind, Size rows) {
  ReadFeatures result;
  result.attributes.cols = file.attribute<std::int64_t>("num_" + kind + "_attributes");
  const auto minimum = file.attribute_list<std::int64_t>(kind + "_label_min");
  const auto width = file.attribute_list<std::int64_t>(kind + "_label_width");
  if (minimum.size() != width.size() || result.attributes.cols < 0) {
    refuse(file, fmt::format("{} {} label minima and {} widths", minimum.size(), kind, width.size()),
           "as many of each");
  }
  std::vector<LabelColumn> columns;
  Size total = result.attributes.cols;
  for (std::size_t c = 0; c < width.size(); ++c) {
    if (width[c] < 1 || width[c] > detail::widest_one_hot) {
      refuse(file, fmt::format("a {} label column of width {}", kind, width[c]),
             fmt::format("1 to {}", detail::widest_one_hot));
    }
    columns.push_back({minimum[c], width[c]});
    total += width[c];
  }
  result.labels.cols = static_cast<Size>(columns.size());
  if (total == 0) return result;
  const h5::Dataset data = file.dataset(name);
  if (data.shape() != Shape{rows, total}) {
    refuse(data, "shape " + data.shape().text(), Shape{rows, total}.text());
  }
  for (Size begin = 0; begin < rows; begin += rows_per_block) {
    const Size count = std::min(rows_per_block, rows - begin);
    const std::vector<double> block = data.read<double>({begin, 0}, {count, total});
    for (Size i = 0; i < count; ++i) {
      const std::span<const double> row = std::span(block).subspan(idx(i * total), idx(total));
      for (Size c = 0; c < result.attributes.cols; ++c) {
        if (!std::isfinite(row[idx(c)]))
          refuse(data, fmt::format("row {} holds {}", begin + i, row[idx(c)]), "finite numbers");
        result.attributes.values.push_back(row[idx(c)]);
      }
      Size first = result.attributes.cols;
      for (const LabelColumn& column : columns) {
        result.labels.values.push_back(
            label_of(row.subspan(idx(first), idx(column.width)), column, data, begin + i));
        first += column.width;
      }
    }
  }
  return result;
}

// === Graphs and labels

void write_edges(h5::File& file, const GraphRecords& r) {
  const Size edges = r.num_edges();
  h5::Dataset data = file.create_dataset("edges", h5::Type::i32, {2, edges});
  if (edges > 0) {
    data.write({0, 0}, {1, edges}, std::span<const NodeId>(r.sources));
    data.write({1, 0}, {1, edges}, std::span<const NodeId>(r.targets));
  }
  if (!r.edge_lines.empty()) file.write("edge_lines", r.edge_lines);
}

void write_labels(h5::File& file, const GraphRecords& r) {
  if (!r.classes.empty()) {
    std::vector<std::int64_t> values = r.classes;
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    std::vector<std::int64_t> numbers;
    for (const std::int64_t c : r.classes) {
      numbers.push_back(std::lower_bound(values.begin(), values.end(), c) - values.begin());
    }
    file.write("labels", numbers);
    file.write("classes", values);
  }
  const Columns<double>& targets = r.targets_of_graphs;
  if (targets.given()) {
    file.write("targets", {targets.rows(), targets.cols}, std::span<const double>(targets.values));
  }
}

void read_labels(const h5::File& file, GraphRecords& r) {
  if (file.has("labels")) {
    const h5::Dataset labels = file.dataset("labels");
    const auto values = file.dataset("classes").read<std::int64_t>();
    for (const std::int64_t c : labels.read<std::int64_t>()) {
      if (c < 0 || c >= std::ssize(values)) {
        refuse(labels, fmt::format("graph {} has class {}", r.classes.size(), c),
               fmt::format("0 to {}", std::ssize(values) - 1));
      }
      r.classes.push_back(values[idx(c)]);
    }
  }
  if (!file.has("targets")) return;
  const h5::Array<double> targets = file.array<double>("targets");
  if (targets.shape.rank() != 2) refuse(file.dataset("targets"), "shape " + targets.shape.text(), "[G, T]");
  r.targets_of_graphs = {targets.shape[1], targets.values};
}

void require_format(const h5::File& file) {
  const std::string format = h5::format_of(file);
  if (format != format_name) refuse(file, fmt::format("format '{}'", format), format_name);
  const Size version = file.attribute<std::int64_t>("version");
  if (version > newest_version) {
    refuse(file, fmt::format("version {}", version),
           fmt::format("at most {}, the newest that this reader knows", newest_version));
  }
}

}  // namespace

void write_graph_store(const std::filesystem::path& path, const GraphRecords& records) {
  check_records(records);
  h5::write_atomically(path, [&](h5::File& file) {
    file.set_attribute("format", format_name);
    file.set_attribute<std::int32_t>("version", newest_version);
    file.set_attribute("name", records.name);
    file.write("offsets", records.node_offsets);
    file.write("edge_offsets", records.edge_offsets);
    write_edges(file, records);
    write_features(file, "x", "node", records.num_nodes(), records.node_attributes, records.node_labels);
    write_features(file, "edge_attr", "edge", records.num_edges(), records.edge_attributes,
                   records.edge_labels);
    write_labels(file, records);
    detail::write_splits(file, records.splits);
  });
}

GraphRecords read_graph_store(const std::filesystem::path& path) {
  const h5::File file = h5::File::open(path);
  require_format(file);
  GraphRecords r;
  r.name = file.attribute<std::string>("name");
  r.source = path.string();
  r.node_offsets = file.dataset("offsets").read<Size>();
  r.edge_offsets = file.dataset("edge_offsets").read<Size>();
  if (r.node_offsets.empty() || r.edge_offsets.empty())
    refuse(file, "empty offsets", "one more than there are graphs");
  const h5::Dataset edges = file.dataset("edges");
  if (edges.shape() != Shape{2, r.num_edges()})
    refuse(edges, "shape " + edges.shape().text(), Shape{2, r.num_edges()}.text());
  if (r.num_edges() > 0) {
    r.sources = edges.read<NodeId>({0, 0}, {1, r.num_edges()});
    r.targets = edges.read<NodeId>({1, 0}, {1, r.num_edges()});
  }
  if (file.has("edge_lines")) r.edge_lines = file.dataset("edge_lines").read<Size>();
  ReadFeatures nodes = read_features(file, "x", "node", r.num_nodes());
  r.node_attributes = std::move(nodes.attributes);
  r.node_labels = std::move(nodes.labels);
  ReadFeatures ends = read_features(file, "edge_attr", "edge", r.num_edges());
  r.edge_attributes = std::move(ends.attributes);
  r.edge_labels = std::move(ends.labels);
  read_labels(file, r);
  r.splits = detail::read_splits(file);
  check_records(r);
  return r;
}

bool is_graph_store(const std::filesystem::path& path) {
  return h5::is_file_of(path, format_name);
}

}  // namespace tarn
