#include "tarn/datasets/graphs/chord_graphs.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/rng.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

namespace {

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// Draws one after the other from one stream.
class Draws {
 public:
  explicit Draws(const Rng& rng) : rng_(rng) {}
  Size below(Size n) { return rng_.below(n, position_++); }
  double uniform() { return rng_.uniform(position_++); }
  void shuffle(std::vector<NodeId>& list) {
    for (std::size_t i = list.size(); i > 1; --i)
      std::swap(list[i - 1], list[idx(below(static_cast<Size>(i)))]);
  }

 private:
  Rng rng_;
  std::uint64_t position_ = 0;
};

using Chords = std::vector<std::pair<NodeId, NodeId>>;

/// Whether a and b are neighbours on the ring.
bool on_ring(NodeId a, NodeId b, Size nodes) {
  const Size distance = std::abs(static_cast<Size>(a) - b);
  return distance == 1 || distance == nodes - 1;
}

/// How many chords of each kind a graph has: both ends 0 or both 1, and mixed.
struct ChordCounts {
  Size each_pure = 0;
  Size mixed = 0;
};

/// A chord without regard to labels is mixed or pure by a fair coin. Pure ones come in pairs, one of each
/// label, since mixed ones use up as many of either.
ChordCounts draw_counts(Size nodes, bool pure, double noise, Draws& draws) {
  ChordCounts counts;
  for (Size pair = 0; pair < nodes / 4; ++pair) {
    const bool chosen = draws.uniform() < noise ? draws.uniform() < 0.5 : pure;
    if (chosen) {
      ++counts.each_pure;
    } else {
      counts.mixed += 2;
    }
  }
  return counts;
}

/// Nodes joined in random order; drawn again until no chord lies on the ring.
Chords draw_chords(const std::vector<std::int64_t>& labels, const ChordCounts& counts, Draws& draws) {
  const auto nodes = static_cast<Size>(labels.size());
  std::vector<NodeId> zeros, ones;
  for (Size v = 0; v < nodes; ++v) (labels[idx(v)] == 0 ? zeros : ones).push_back(static_cast<NodeId>(v));
  for (;;) {
    draws.shuffle(zeros);
    draws.shuffle(ones);
    Chords chords;
    for (Size k = 0; k < counts.each_pure; ++k) {
      chords.emplace_back(zeros[idx(2 * k)], zeros[idx(2 * k + 1)]);
      chords.emplace_back(ones[idx(2 * k)], ones[idx(2 * k + 1)]);
    }
    for (Size k = 2 * counts.each_pure; k < nodes / 2; ++k) chords.emplace_back(zeros[idx(k)], ones[idx(k)]);
    const bool clear = std::none_of(chords.begin(), chords.end(),
                                    [&](const auto& c) { return on_ring(c.first, c.second, nodes); });
    if (clear) return chords;
  }
}

void add_edge(GraphRecords& records, NodeId a, NodeId b) {
  records.sources.insert(records.sources.end(), {a, b});
  records.targets.insert(records.targets.end(), {b, a});
}

void add_graph(GraphRecords& records, Size nodes, bool pure, double noise, Draws& draws) {
  std::vector<NodeId> order(idx(nodes));
  for (Size v = 0; v < nodes; ++v) order[idx(v)] = static_cast<NodeId>(v);
  draws.shuffle(order);
  std::vector<std::int64_t> labels(idx(nodes), 0);
  for (Size v = 0; v < nodes / 2; ++v) labels[idx(order[idx(v)])] = 1;
  const Chords chords = draw_chords(labels, draw_counts(nodes, pure, noise, draws), draws);
  for (Size v = 0; v < nodes; ++v)
    add_edge(records, static_cast<NodeId>(v), static_cast<NodeId>((v + 1) % nodes));
  for (const auto& [a, b] : chords) add_edge(records, a, b);
  records.node_labels.values.insert(records.node_labels.values.end(), labels.begin(), labels.end());
  records.node_offsets.push_back(records.num_nodes() + nodes);
  records.edge_offsets.push_back(static_cast<Size>(records.sources.size()));
  records.classes.push_back(pure ? 1 : 0);
}

}  // namespace

GraphRecords generate_chord_graphs(const ChordGraphOptions& options) {
  check_options(options, "chord graphs");
  const Size low = (options.min_nodes + 3) / 4, high = options.max_nodes / 4;
  if (low > high) {
    throw ValueError(fmt::format("chord graphs: got {} to {} nodes; expected a multiple of 4 between them",
                                 options.min_nodes, options.max_nodes));
  }
  GraphRecords records;
  records.name = "chords";
  records.source = "chord graphs";
  records.node_labels.cols = 1;
  const Rng rng = Rng(static_cast<std::uint64_t>(options.seed)).split("chord graphs");
  const std::vector<Size> place = permutation(options.graphs, rng.split("classes"));
  for (Size g = 0; g < options.graphs; ++g) {
    Draws draws(rng.split(static_cast<std::uint64_t>(g)));
    const Size nodes = 4 * (low + draws.below(high - low + 1));
    add_graph(records, nodes, place[idx(g)] < options.graphs / 2, options.noise, draws);
  }
  return records;
}

}  // namespace tarn
