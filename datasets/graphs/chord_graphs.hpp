#pragma once

#include "tarn/core/options.hpp"
#include "tarn/datasets/graphs/graph_records.hpp"

namespace tarn {

struct ChordGraphOptions {
  Size graphs = 500;
  Size min_nodes = 16;
  Size max_nodes = 32;
  double noise = 0;
  Size seed = 0;
  void fields(Fields& f) {
    f("graphs", graphs, at_least(2), "how many, half of each class");
    f("min_nodes", min_nodes, at_least(8), "nodes of the smallest graph; rounded up to a multiple of 4");
    f("max_nodes", max_nodes, at_least(8), "nodes of the largest graph; rounded down to a multiple of 4");
    f("noise", noise, between(0, 1), "share of chords that are drawn without regard to labels");
    f("seed", seed, at_least(0), "of everything that is drawn");
  }
};

/// Graphs whose class lies in their structure alone: rings of n nodes, half of them labelled 0 and half 1 in
/// a random order, with n / 2 chords that join every node to exactly one other. In class 1 a chord joins
/// equal labels, in class 0 different ones.
///
/// Every node has degree 3 and every graph as many nodes of either label, with n drawn from the same
/// multiples of 4 for both classes: who sees nodes without their edges sees the same in both classes and
/// guesses. Edges that join equal labels tell, but the ring has a random number of them: a model that counts
/// those of all edges is right for most graphs, and one that sees whole neighbourhoods for nearly all. Chords
/// never lie on the ring.
///
/// Graph i draws from the stream (seed, i) alone; classes are exactly half and half, shuffled. Throws
/// ValueError for options out of range or sizes without a multiple of 4 between them.
[[nodiscard]] GraphRecords generate_chord_graphs(const ChordGraphOptions& options = {});

}  // namespace tarn
