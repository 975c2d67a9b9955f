#include "tarn/datasets/graphs/graph_set.hpp"
#include "tarn/datasets/graphs/graph_store.hpp"
#include "tarn/datasets/graphs/tu_files.hpp"

#include "scratch_directory.hpp"
#include <catch2/catch.hpp>

#include <cstdlib>

using namespace tarn;

namespace {

/// TARN_DATA, or the folder beside the project.
std::filesystem::path data_root() {
  const char* const given = std::getenv("TARN_DATA");
  return given != nullptr ? std::filesystem::path(given)
                          : std::filesystem::path(TARN_TESTS_DIR) / ".." / ".." / "shared" / "data" / "tu";
}

struct Published {
  const char* name;
  Size graphs, nodes, lines, edges, features;
};

}  // namespace

TEST_CASE("the TU collection's sets have their published counts", "[datasets][tu]") {
  for (const Published& p :
       {Published{"MUTAG", 188, 3371, 7442, 7442, 7}, Published{"PTC_MR", 344, 4915, 10108, 10108, 18},
        Published{"PROTEINS", 1113, 43471, 162088, 162088, 3},
        Published{"IMDB-BINARY", 1000, 19773, 386124, 193062, 65}}) {
    const std::filesystem::path zip = data_root() / (std::string(p.name) + ".zip");
    if (!std::filesystem::exists(zip)) {
      WARN("left out: " << zip.string() << " is missing; TARN_DATA names the folder of the TU sets");
      continue;
    }
    const GraphRecords r = read_tu(zip);
    CHECK(r.num_graphs() == p.graphs);
    CHECK(r.num_nodes() == p.nodes);
    CHECK(r.num_edges() == p.lines);
    const GraphSet set = GraphSet::make(r);
    CHECK(set.num_edges() == p.edges);
    CHECK(set.feature_dim() == p.features);
    CHECK(set.num_classes() == 2);
    CHECK(set.findings().one_way == 0);
    CHECK(set.findings().isolated == (set.name() == "PROTEINS" ? 5 : 0));
    const ScratchDirectory scratch;
    write_graph_store(scratch / "set.h5", r);
    write_tu(read_graph_store(scratch / "set.h5"), scratch / p.name);
    const GraphRecords again = read_tu(scratch / p.name);
    CHECK(again.sources == r.sources);
    CHECK(again.edge_lines == r.edge_lines);
    CHECK(again.node_attributes == r.node_attributes);
    CHECK(again.node_labels == r.node_labels);
    CHECK(again.edge_labels == r.edge_labels);
    CHECK(again.classes == r.classes);
  }
}
