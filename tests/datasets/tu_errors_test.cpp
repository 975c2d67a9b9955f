#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/datasets/graphs/tu_files.hpp"

#include "datasets/tu_fixture.hpp"
#include <catch2/catch.hpp>

using namespace tarn;

namespace {

/// What reading the fixture with one file changed says, without the folder's path.
std::string complaint(const std::string& part, const std::string& text) {
  TuFixture tu;
  tu.set(part, text);
  const std::string folder = tu.folder().string() + "/";
  try {
    static_cast<void>(read_tu(tu.folder()));
  } catch (const DataError& error) {
    std::string message = error.what();
    const std::size_t at = message.find(folder);
    return at == std::string::npos ? message : message.erase(at, folder.size());
  }
  return "";
}

const std::string five = "\n1\n1\n2\n2\n";

}  // namespace

TEST_CASE("the number of lines must fit nodes, edges and graphs", "[datasets][tu][errors]") {
  CHECK(complaint("node_labels", "1\n2\n3\n4\n") ==
        "SET_node_labels.txt:4: is the last line; expected 5 lines, one for each node of "
        "SET_graph_indicator.txt");
  CHECK(complaint("node_labels", "1\n2\n3\n4\n5\n6\n") ==
        "SET_node_labels.txt:6: '6' is one line too many; expected 5 lines, one for each node of "
        "SET_graph_indicator.txt");
  CHECK(complaint("node_attributes", "1.5\n") ==
        "SET_node_attributes.txt:1: is the last line; expected 5 lines, one for each node of "
        "SET_graph_indicator.txt");
  CHECK(complaint("edge_labels", "1\n") ==
        "SET_edge_labels.txt:1: is the last line; expected 8 lines, one for each line of SET_A.txt");
  CHECK(complaint("edge_attributes", "1\n1\n1\n1\n1\n1\n1\n1\n0.25\n") ==
        "SET_edge_attributes.txt:9: '0.25' is one line too many; expected 8 lines, one for each line of "
        "SET_A.txt");
  CHECK(complaint("graph_labels", "1\n") ==
        "SET_graph_labels.txt:1: is the last line; expected 2 lines, one for each graph of "
        "SET_graph_indicator.txt");
  CHECK(complaint("graph_attributes", "1\n2\n3\n") ==
        "SET_graph_attributes.txt:3: '3' is one line too many; expected 2 lines, one for each graph of "
        "SET_graph_indicator.txt");
}

TEST_CASE("the graph indicator climbs from 1 without a gap", "[datasets][tu][errors]") {
  CHECK(complaint("graph_indicator", "1\n1\n2\n1\n2\n") ==
        "SET_graph_indicator.txt:4: graph 1 after 2; expected numbers that never descend");
  CHECK(complaint("graph_indicator", "2\n2\n2\n3\n3\n") ==
        "SET_graph_indicator.txt:1: graph 2; expected 1, the first graph (or allow_empty_graphs)");
  CHECK(complaint("graph_indicator", "0" + five) ==
        "SET_graph_indicator.txt:1: graph 0; expected 1, the first graph");
  CHECK(complaint("graph_indicator", "1\n1\n1\n3\n3\n") ==
        "SET_graph_indicator.txt:4: graph 3 after 1; expected 1 or 2 (or allow_empty_graphs)");
  CHECK(complaint("graph_indicator", "") == "SET_graph_indicator.txt: is empty; expected one line a node");
  TuFixture tu;
  tu.set("graph_indicator", "1\n1\n1\n9000000000000000000\n2\n");
  CHECK_THROWS_WITH(
      read_tu(tu.folder(), {.allow_empty_graphs = true}),
      Catch::Contains("_graph_indicator.txt:4: graph 9000000000000000000 after 1; expected at most a "
                      "million graphs without nodes in a row"));
}

TEST_CASE("edges join two nodes of one graph", "[datasets][tu][errors]") {
  CHECK(complaint("A", "1,2\n2,6\n") == "SET_A.txt:2: node 6; expected 1 to 5");
  CHECK(complaint("A", "0,2\n") == "SET_A.txt:1: node 0; expected 1 to 5");
  CHECK(complaint("A", "1,2\n2,1\n3,4\n") ==
        "SET_A.txt:3: joins node 3 of graph 1 to node 4 of graph 2; expected two nodes of one graph");
}

TEST_CASE("every line has as many fields as it should", "[datasets][tu][errors]") {
  CHECK(complaint("A", "1,2\n2,1,0\n") == "SET_A.txt:2: has 3 fields; expected 2");
  CHECK(complaint("A", "1\n") == "SET_A.txt:1: has 1 field; expected 2");
  CHECK(complaint("graph_labels", "1,1\n0,0\n") == "SET_graph_labels.txt:1: has 2 fields; expected 1");
  CHECK(complaint("node_attributes", "1,2\n1,2\n1\n1,2\n1,2\n") ==
        "SET_node_attributes.txt:3: has 1 field; expected 2, as the first line");
  CHECK(complaint("A", "1,2\n\n2,1\n") == "SET_A.txt:2: is empty; expected numbers, or no more lines");
}

TEST_CASE("every field is a finite number, and a whole one where it counts", "[datasets][tu][errors]") {
  CHECK(complaint("A", "1,2\n1,x7\n") == "SET_A.txt:2: field 2 is 'x7'; expected a whole number");
  CHECK(complaint("A", "1 2\n") == "SET_A.txt:1: field 1 is '1 2'; expected a whole number");
  CHECK(complaint("A", "1,\n") == "SET_A.txt:1: field 2 is ''; expected a whole number");
  CHECK(complaint("A", std::string("1,2\0\n", 5)) == "SET_A.txt:1: field 2 is '2?'; expected a whole number");
  CHECK(complaint("graph_labels", "1\n1.5\n") ==
        "SET_graph_labels.txt:2: field 1 is '1.5'; expected a whole number");
  CHECK(
      complaint("node_labels", "1\n2\n3\n9223372036854775808\n5\n") ==
      "SET_node_labels.txt:4: field 1 is '9223372036854775808'; expected a whole number of at most 64 bits");
  CHECK(complaint("node_attributes", "1\nnan\n") ==
        "SET_node_attributes.txt:2: field 1 is 'nan'; expected a finite number");
  CHECK(complaint("node_attributes", "1\n2\n-inf\n") ==
        "SET_node_attributes.txt:3: field 1 is '-inf'; expected a finite number");
  CHECK(complaint("node_attributes", "1e999\n") ==
        "SET_node_attributes.txt:1: field 1 is '1e999'; expected a finite number");
  CHECK(complaint("node_attributes", "1.0.0\n") ==
        "SET_node_attributes.txt:1: field 1 is '1.0.0'; expected a finite number");
  CHECK(complaint("edge_attributes", std::string(60, 'y') + "\n") ==
        "SET_edge_attributes.txt:1: field 1 is '" + std::string(40, 'y') + "...'; expected a finite number");
}

TEST_CASE("files that must be there are named with what is there", "[datasets][tu][errors]") {
  TuFixture tu;
  const std::string folder = tu.folder().string();
  tu.remove("graph_indicator");
  CHECK_THROWS_WITH(read_tu(tu.folder()),
                    folder +
                        "/: holds no SET_graph_indicator.txt; expected it beside SET_A.txt, "
                        "SET_edge_labels.txt, SET_graph_labels.txt, SET_node_labels.txt");
  tu.set("graph_indicator", "1\n1\n1\n2\n2\n").remove("graph_labels");
  CHECK_THROWS_WITH(
      read_tu(tu.folder()),
      Catch::Contains("holds no SET_graph_labels.txt or SET_graph_attributes.txt; expected it beside"));
  tu.remove("A");
  CHECK_THROWS_WITH(read_tu(tu.folder()),
                    folder +
                        ": holds no SET_A.txt; expected a set in TU form, there is SET_edge_labels.txt, "
                        "SET_graph_indicator.txt, SET_node_labels.txt");
  CHECK_THROWS_WITH(read_tu(tu.scratch() / "nowhere"),
                    Catch::EndsWith("nowhere: no such file or folder; expected a folder or a zip archive"));
}

TEST_CASE("a set's name is that of its folder", "[datasets][tu][errors]") {
  const TuFixture tu;
  std::filesystem::rename(tu.folder(), tu.scratch() / "OTHER");
  CHECK_THROWS_WITH(
      read_tu(tu.scratch() / "OTHER"),
      Catch::EndsWith("OTHER: holds the set 'SET' (SET_A.txt); expected OTHER_A.txt, or the name "
                      "'SET' here"));
}

TEST_CASE("a damaged zip is refused", "[datasets][tu][errors]") {
  const TuFixture tu;
  write_file_atomically(tu.scratch() / "SET.zip", "PK\3\4 and then nothing that makes sense");
  CHECK_THROWS_WITH(read_tu(tu.scratch() / "SET.zip"), Catch::Contains("expected a folder or a zip archive"));
}
