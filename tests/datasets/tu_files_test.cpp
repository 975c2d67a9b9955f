#include "tarn/datasets/graphs/tu_files.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"

#include "datasets/tu_fixture.hpp"
#include <catch2/catch.hpp>
#include <zip.h>

using namespace tarn;

namespace {

using Numbers = std::vector<std::int64_t>;

/// Packs files under the names they shall have in the archive.
void write_zip(const std::filesystem::path& path, const std::map<std::string, std::filesystem::path>& files) {
  int code = 0;
  zip_t* const archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  REQUIRE(archive != nullptr);
  for (const auto& [name, file] : files) {
    zip_source_t* const source = zip_source_file(archive, file.c_str(), 0, -1);
    REQUIRE(zip_file_add(archive, name.c_str(), source, 0) >= 0);
  }
  REQUIRE(zip_close(archive) == 0);
}

void check_fixture(const GraphRecords& r) {
  CHECK(r.name == "SET");
  CHECK(r.node_offsets == std::vector<Size>{0, 3, 5});
  CHECK(r.edge_offsets == std::vector<Size>{0, 6, 8});
  CHECK(r.sources == std::vector<NodeId>{0, 1, 1, 2, 2, 0, 0, 1});
  CHECK(r.targets == std::vector<NodeId>{1, 0, 2, 1, 0, 2, 1, 0});
  CHECK(r.classes == Numbers{-1, 1});
  CHECK(r.node_labels.values == Numbers{3, 4, 6, 3, 3});
  CHECK(r.edge_labels.values == Numbers{0, 0, 1, 1, 2, 2, 0, 0});
  CHECK(!r.node_attributes.given());
  CHECK(r.edge_lines.empty());
}

}  // namespace

TEST_CASE("a TU folder is read as it stands", "[datasets][tu]") {
  const TuFixture tu;
  check_fixture(read_tu(tu.folder()));
}

TEST_CASE("a zip of a TU folder or of its files is read in place", "[datasets][tu]") {
  const TuFixture tu;
  const std::filesystem::path folder = tu.folder();
  std::map<std::string, std::filesystem::path> inside, beside;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    inside["SET/" + entry.path().filename().string()] = entry.path();
    beside[entry.path().filename().string()] = entry.path();
  }
  write_zip(tu.scratch() / "SET.zip", inside);
  check_fixture(read_tu(tu.scratch() / "SET.zip"));
  write_zip(tu.scratch() / "SET.zip", beside);
  check_fixture(read_tu(tu.scratch() / "SET.zip"));
}

TEST_CASE("a folder raw inside a set's folder holds its files", "[datasets][tu]") {
  const TuFixture tu;
  const std::filesystem::path folder = tu.folder();
  std::filesystem::rename(folder, tu.scratch() / "raw");
  std::filesystem::create_directory(folder);
  std::filesystem::rename(tu.scratch() / "raw", folder / "raw");
  check_fixture(read_tu(folder));
}

TEST_CASE("CRLF, blanks, a missing last newline and empty lines at the end are fine", "[datasets][tu]") {
  TuFixture tu;
  tu.set("A", "1, 2\r\n2, 1\r\n2,3\r\n3,2\r\n\t3 ,\t1 \r\n1, 3\r\n4, 5\r\n5, 4");
  tu.set("graph_indicator", "1\n1\n1\n2\n2\n\n  \n\r\n");
  tu.set("graph_labels", " -1\n +1\n");
  tu.set("ORIGIN", "not a part of the form");
  check_fixture(read_tu(tu.folder()));
}

TEST_CASE("attributes, several columns and targets are read", "[datasets][tu]") {
  TuFixture tu;
  tu.remove("graph_labels").set("graph_attributes", "0.5, -1e3\n2, 3\n");
  tu.set("node_attributes", " 0.1,1\n1e-400, 2\n3,3\n-4.25 , 4\n5,5\n");
  tu.set("node_labels", "0,1\n1,2\n0,1\n1,1\n0,1\n");
  const GraphRecords r = read_tu(tu.folder());
  CHECK(r.classes.empty());
  CHECK(r.targets_of_graphs == Columns<double>{2, {0.5, -1000, 2, 3}});
  CHECK(r.node_attributes == Columns<double>{2, {0.1, 1, 0, 2, 3, 3, -4.25, 4, 5, 5}});
  CHECK(r.node_labels.cols == 2);
}

TEST_CASE("edges that are not listed graph by graph keep their lines", "[datasets][tu]") {
  TuFixture tu;
  tu.set("A", "4,5\n1,2\n2,1\n5,4\n3,1\n1,3\n");
  tu.set("edge_labels", "10\n11\n12\n13\n14\n15\n");
  const GraphRecords r = read_tu(tu.folder());
  CHECK(r.edge_offsets == std::vector<Size>{0, 4, 6});
  CHECK(r.edge_lines == std::vector<Size>{1, 2, 4, 5, 0, 3});
  CHECK(r.edge_labels.values == Numbers{11, 12, 14, 15, 10, 13});
  write_tu(r, tu.scratch() / "again" / "SET");
  CHECK(read_file(tu.scratch() / "again" / "SET" / "SET_A.txt") == "4, 5\n1, 2\n2, 1\n5, 4\n3, 1\n1, 3\n");
  CHECK(read_file(tu.scratch() / "again" / "SET" / "SET_edge_labels.txt") == "10\n11\n12\n13\n14\n15\n");
}

TEST_CASE("graphs without nodes are accepted where they are asked for", "[datasets][tu]") {
  TuFixture tu;
  tu.set("graph_indicator", "2\n2\n2\n4\n4\n").set("graph_labels", "0\n1\n0\n1\n0\n");
  const GraphRecords r = read_tu(tu.folder(), {.allow_empty_graphs = true});
  CHECK(r.node_offsets == std::vector<Size>{0, 0, 3, 3, 5, 5});
  CHECK(r.edge_offsets == std::vector<Size>{0, 0, 6, 6, 8, 8});
  write_tu(r, tu.scratch() / "again" / "SET");
  CHECK(read_tu(tu.scratch() / "again" / "SET", {.allow_empty_graphs = true}).node_offsets == r.node_offsets);
  CHECK_THROWS_WITH(read_tu(tu.scratch() / "again" / "SET"),
                    Catch::Contains("SET_graph_indicator.txt:1: graph 2; expected 1, the first graph"));
}

TEST_CASE("writing and reading a set again gives the same records", "[datasets][tu]") {
  TuFixture tu;
  tu.set("node_attributes", "0.1\n0.30000000000000004\n-1e-310\n1e300\n-0\n");
  tu.set("edge_attributes", "1,2\n3,4\n5,6\n7,8\n9,10\n11,12\n13,14\n15,0.2\n");
  const GraphRecords r = read_tu(tu.folder());
  write_tu(r, tu.scratch() / "again" / "SET");
  const GraphRecords again = read_tu(tu.scratch() / "again" / "SET");
  CHECK(again.node_attributes == r.node_attributes);
  CHECK(again.edge_attributes == r.edge_attributes);
  check_fixture([&] {
    GraphRecords plain = again;
    plain.node_attributes = {};
    return plain;
  }());
}

TEST_CASE("the TU form does not take targets that are missing", "[datasets][tu][errors]") {
  TuFixture tu;
  GraphRecords r = read_tu(tu.folder());
  r.targets_of_graphs = {1, {0.0, std::nan("")}};
  CHECK_THROWS_WITH(write_tu(r, tu.scratch() / "out"), Catch::Contains("targets are missing"));
}
