#pragma once

#include "tarn/datasets/graphs/graph_records.hpp"

#include <utility>
#include <vector>

/// Records built graph by graph.
class RecordsBuilder {
 public:
  RecordsBuilder() {
    records_.name = "SET";
    records_.source = "SET";
  }

  /// Edges as (source, target) inside the graph; a label for each node and a class.
  RecordsBuilder& add(const std::vector<std::int64_t>& labels,
                      const std::vector<std::pair<tarn::NodeId, tarn::NodeId>>& edges,
                      std::int64_t graph_class) {
    records_.node_labels.cols = 1;
    records_.node_labels.values.insert(records_.node_labels.values.end(), labels.begin(), labels.end());
    for (const auto& [from, to] : edges) {
      records_.sources.push_back(from);
      records_.targets.push_back(to);
    }
    records_.node_offsets.push_back(records_.num_nodes() + static_cast<tarn::Size>(labels.size()));
    records_.edge_offsets.push_back(static_cast<tarn::Size>(records_.sources.size()));
    records_.classes.push_back(graph_class);
    return *this;
  }

  [[nodiscard]] tarn::GraphRecords& records() { return records_; }

 private:
  tarn::GraphRecords records_;
};
