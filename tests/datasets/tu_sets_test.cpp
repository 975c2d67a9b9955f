#include "tarn/datasets/graphs/graph_set.hpp"
#include "tarn/datasets/graphs/graph_store.hpp"
#include "tarn/datasets/graphs/tu_files.hpp"

#include "scratch_directory.hpp"
#include <catch2/catch.hpp>

#include <chrono>
#include <cstdlib>

using namespace tarn;

namespace {

/// TARN_DATA, or the folder beside the project.
std::filesystem::path data_root() {
  const char* const given = std::getenv("TARN_DATA");
  return given != nullptr ? std::filesystem::path(given)
                          : std::filesystem::path(TARN_TESTS_DIR) / ".." / ".." / "shared" / "data" / "tu";
}

std::filesystem::path zip_of(const std::string& name) {
  const std::filesystem::path path = data_root() / (name + ".zip");
  if (!std::filesystem::exists(path)) {
    FAIL(path.string() << " is missing; expected the TU sets in the folder that TARN_DATA names");
  }
  return path;
}

struct Published {
  const char* name;
  Size graphs, nodes, lines, edges, features;
};

}  // namespace

TEST_CASE("the TU collection's sets have their published counts", "[datasets][tu][.data]") {
  for (const Published& p :
       {Published{"MUTAG", 188, 3371, 7442, 7442, 7}, Published{"PTC_MR", 344, 4915, 10108, 10108, 18},
        Published{"PROTEINS", 1113, 43471, 162088, 162088, 3},
        Published{"IMDB-BINARY", 1000, 19773, 386124, 193062, 65}}) {
    const GraphRecords r = read_tu(zip_of(p.name));
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

TEST_CASE("PROTEINS is read in well under 50 milliseconds", "[datasets][tu][.data]") {
  double best = 1;
  for (int repeat = 0; repeat < 5; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    const GraphSet set = GraphSet::make(read_tu(zip_of("PROTEINS")));
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    CHECK(set.num_graphs() == 1113);
  }
  CHECK(best < 0.05);
}
