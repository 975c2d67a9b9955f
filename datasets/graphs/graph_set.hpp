#pragma once

#include "tarn/core/options.hpp"
#include "tarn/core/tensor.hpp"
#include "tarn/datasets/graphs/graph_records.hpp"
#include "tarn/graph/graph.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tarn {

/// How records become graphs with features.
struct GraphSetOptions {
  bool use_node_attributes = false;
  bool use_edge_attributes = false;
  bool keep_multi_edges = false;
  std::string features = "auto";
  bool log_degree = false;
  void fields(Fields& f) {
    f("use_node_attributes", use_node_attributes,
      "node attributes in front of the labels; most publish without them");
    f("use_edge_attributes", use_edge_attributes, "edge attributes in front of the labels");
    f("keep_multi_edges", keep_multi_edges, "do not merge edges that are listed more than once");
    f("features", features,
      "appended to the labels: none, degree, degree-max:K, constant, degree-value; auto: degree where there "
      "is "
      "nothing else");
    f("log_degree", log_degree, "log(1 + d) for degree-value");
  }
};

/// What reading a set came upon; the texts of `warnings` say it in words.
struct GraphSetFindings {
  Size loops = 0;       ///< self loops removed
  Size duplicates = 0;  ///< lines that repeat another edge
  bool uneven = false;  ///< some edges with attributes are listed more often than others
  Size one_way = 0;     ///< edges without their reverse
  Size isolated = 0;    ///< nodes without an edge
  std::vector<std::string> warnings;
};

inline namespace TARN_PRECISION {

/// Labelled graphs ready for training: simple graphs, features in columns, classes 0 .. C-1. Immutable;
/// copying copies a handle.
///
/// Features of a node, side by side: attributes (if used), each label column one-hot with width maximum -
/// minimum + 1 (unused values keep their column), what the option `features` appends. One-hot parts are kept
/// as one number a column and spread out batch by batch. Edge features alike, in the canonical order of each
/// graph; edges that are merged sum theirs.
class GraphSet {
 public:
  struct Storage;

  /// Self loops go with their attributes; edges are merged unless `keep_multi_edges`; degrees count outgoing
  /// edges after that. Columns of `degree` are the distinct degrees of the whole set in increasing order.
  /// Throws DataError for records that do not fit, ConfigError for an unknown `features`.
  [[nodiscard]] static GraphSet make(const GraphRecords& records, const GraphSetOptions& options = {});

  [[nodiscard]] const std::string& name() const;
  /// The option `features` with "auto" replaced by what it came to: "labels", "attributes+labels", "degree",
  /// ...
  [[nodiscard]] const std::string& features() const;
  [[nodiscard]] Size num_graphs() const;
  [[nodiscard]] Size num_nodes() const;
  [[nodiscard]] Size num_edges() const;
  [[nodiscard]] const Graph& graph(Size g) const;
  [[nodiscard]] Size num_nodes(Size g) const { return graph(g).num_nodes(); }
  [[nodiscard]] Size feature_dim() const;
  /// 0 without edge features.
  [[nodiscard]] Size edge_dim() const;

  /// Class of each graph, 0 .. C-1 in increasing order of the raw values; empty if there are none.
  [[nodiscard]] std::span<const Size> classes() const;
  /// Raw values [C] of the classes.
  [[nodiscard]] std::span<const std::int64_t> class_values() const;
  [[nodiscard]] Size num_classes() const { return static_cast<Size>(class_values().size()); }
  /// Real targets or tasks [G, T]; NaN where one is missing; no columns if there are none.
  [[nodiscard]] const Columns<double>& targets() const;
  [[nodiscard]] const std::vector<SplitLists>& splits() const;
  [[nodiscard]] const GraphSetFindings& findings() const;

  /// Writes the features of a graph's nodes, [n, feature_dim()].
  void write_features(Size g, MatrixView x) const;
  /// Writes the features of a graph's edges in its canonical order, [e, edge_dim()].
  void write_edge_features(Size g, MatrixView attr) const;
  /// Which feature columns are real numbers that a scale may act on: attributes and degree-value.
  [[nodiscard]] std::span<const Size> real_columns() const;
  [[nodiscard]] std::span<const Size> real_edge_columns() const;

 private:
  explicit GraphSet(std::shared_ptr<const Storage> storage) : storage_(std::move(storage)) {}
  std::shared_ptr<const Storage> storage_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
