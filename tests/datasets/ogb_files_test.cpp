#include "tarn/datasets/graphs/ogb_files.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/datasets/graphs/graph_store.hpp"

#include "scratch_directory.hpp"
#include <catch2/catch.hpp>
#include <zlib.h>

#include <cmath>

using namespace tarn;

namespace {

/// Two graphs of three and two nodes with packed files, as the benchmark distributes them.
class OgbFixture {
 public:
  OgbFixture() {
    std::filesystem::create_directories(folder() / "raw");
    std::filesystem::create_directories(folder() / "split" / "scaffold");
    pack("raw/num-node-list", "3\n2\n");
    pack("raw/num-edge-list", "2\n1\n");
    pack("raw/edge", "0,1\n1,2\n0,1\n");
    pack("raw/node-feat", "5,0\n6,0\n5,1\n7,0\n5,0\n");
    pack("raw/edge-feat", "0,1\n2,0\n1,1\n");
    pack("raw/graph-label", "0\n1\n");
    pack("split/scaffold/train", "0\n");
    pack("split/scaffold/valid", "1\n");
    pack("split/scaffold/test", "1\n");
  }
  [[nodiscard]] std::filesystem::path folder() const { return scratch_ / "ogbg"; }

  void pack(const std::string& stem, const std::string& text) const {
    gzFile file = gzopen((folder() / (stem + ".csv.gz")).c_str(), "wb");
    gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    gzclose(file);
  }

 private:
  ScratchDirectory scratch_;
};

}  // namespace

TEST_CASE("an OGB folder gives every edge its reverse with the same features", "[datasets][ogb]") {
  const OgbFixture ogb;
  CHECK(is_ogb_folder(ogb.folder()));
  const GraphRecords r = read_ogb(ogb.folder());
  CHECK(r.name == "ogbg");
  CHECK(r.node_offsets == std::vector<Size>{0, 3, 5});
  CHECK(r.edge_offsets == std::vector<Size>{0, 4, 6});
  CHECK(r.sources == std::vector<NodeId>{0, 1, 1, 2, 0, 1});
  CHECK(r.targets == std::vector<NodeId>{1, 0, 2, 1, 1, 0});
  CHECK(r.edge_labels == Columns<std::int64_t>{2, {0, 1, 0, 1, 2, 0, 2, 0, 1, 1, 1, 1}});
  CHECK(r.node_labels.row(3)[0] == 7);
  CHECK(r.classes == std::vector<std::int64_t>{0, 1});
  CHECK(r.splits == std::vector<SplitLists>{{"scaffold", "distributed with the set", {{{0}, {1}, {1}}}}});
}

TEST_CASE("labels that are missing stay missing, also through a store", "[datasets][ogb]") {
  const OgbFixture ogb;
  ogb.pack("raw/graph-label", "0,,1\n,,\n");
  const GraphRecords r = read_ogb(ogb.folder());
  CHECK(r.classes.empty());
  CHECK(r.targets_of_graphs.cols == 3);
  CHECK(r.targets_of_graphs.values[2] == 1);
  for (const std::size_t i : {1, 3, 4, 5}) CHECK(std::isnan(r.targets_of_graphs.values[i]));
  write_graph_store(ogb.folder() / "set.h5", r);
  CHECK(std::isnan(read_graph_store(ogb.folder() / "set.h5").targets_of_graphs.values[1]));
}

TEST_CASE("files that are not packed are read too", "[datasets][ogb]") {
  const OgbFixture ogb;
  std::filesystem::remove(ogb.folder() / "raw" / "edge.csv.gz");
  write_file_atomically(ogb.folder() / "raw" / "edge.csv", "0,1\n1,2\n1,0\n");
  CHECK(read_ogb(ogb.folder()).sources[4] == 1);
}

TEST_CASE("an OGB folder that does not fit names file, line and value", "[datasets][ogb][errors]") {
  const OgbFixture ogb;
  ogb.pack("raw/edge", "0,1\n1,2\n0,2\n");
  CHECK_THROWS_WITH(read_ogb(ogb.folder()),
                    Catch::EndsWith("raw/edge.csv.gz:3: node 2 in graph 1; expected 0 to 1"));
  ogb.pack("raw/edge", "0,1\n1,2\n");
  CHECK_THROWS_WITH(
      read_ogb(ogb.folder()),
      Catch::EndsWith("raw/edge.csv.gz:2: is the last line; expected 3 lines, one for each edge of "
                      "num-edge-list.csv"));
  ogb.pack("raw/num-edge-list", "2\n-1\n");
  CHECK_THROWS_WITH(read_ogb(ogb.folder()),
                    Catch::Contains("raw/num-edge-list.csv.gz:2: -1 after 2; expected counts"));
  std::filesystem::remove(ogb.folder() / "raw" / "num-edge-list.csv.gz");
  CHECK_THROWS_WITH(
      read_ogb(ogb.folder()),
      Catch::Contains("raw: holds no num-edge-list.csv.gz; expected it beside edge-feat.csv.gz, "));
}

TEST_CASE("damaged gzip data is refused", "[datasets][ogb][errors]") {
  const OgbFixture ogb;
  const auto path = ogb.folder() / "raw" / "edge.csv.gz";
  const std::string whole = read_file(path);
  write_file_atomically(path, whole.substr(0, whole.size() / 2));
  CHECK_THROWS_WITH(read_ogb(ogb.folder()),
                    Catch::Contains("raw/edge.csv.gz: ends early; expected gzip data"));
  write_file_atomically(path, "no gzip at all");
  CHECK_THROWS_WITH(read_ogb(ogb.folder()), Catch::Contains("expected gzip data"));
}
