#include "tarn/datasets/graphs/graph_store.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/core/h5.hpp"
#include "tarn/datasets/graphs/tu_files.hpp"

#include "datasets/tu_fixture.hpp"
#include <catch2/catch.hpp>

using namespace tarn;

namespace {

/// Everything that a set may have.
GraphRecords rich_records(TuFixture& tu) {
  tu.set("A", "4,5\n1,2\n2,1\n5,4\n3,1\n1,3\n1,1\n1,2\n");
  tu.set("edge_labels", "-7\n-7\n-5\n-5\n-7\n-7\n-6\n-7\n");
  tu.set("node_labels", "3,0\n4,0\n6,1\n3,0\n3,0\n");
  tu.set("node_attributes", "0.1\n0.30000000000000004\n-1e-310\n1e300\n-0\n");
  tu.set("edge_attributes", "1,2\n3,4\n5,6\n7,8\n9,10\n11,12\n13,14\n15,0.2\n");
  tu.set("graph_attributes", "0.25\n-1\n");
  GraphRecords r = read_tu(tu.folder());
  r.splits = {{"two", "for this test", {{{1}, {}, {0}}, {{}, {}, {1}}}}};
  return r;
}

void check_equal(const GraphRecords& a, const GraphRecords& b) {
  CHECK(a.name == b.name);
  CHECK(a.node_offsets == b.node_offsets);
  CHECK(a.edge_offsets == b.edge_offsets);
  CHECK(a.sources == b.sources);
  CHECK(a.targets == b.targets);
  CHECK(a.edge_lines == b.edge_lines);
  CHECK(a.node_attributes == b.node_attributes);
  CHECK(a.node_labels == b.node_labels);
  CHECK(a.edge_attributes == b.edge_attributes);
  CHECK(a.edge_labels == b.edge_labels);
  CHECK(a.classes == b.classes);
  CHECK(a.targets_of_graphs == b.targets_of_graphs);
  CHECK(a.splits == b.splits);
}

}  // namespace

TEST_CASE("a graph store gives back every record", "[datasets][graph-store]") {
  TuFixture tu;
  const GraphRecords r = rich_records(tu);
  const auto path = tu.scratch() / "set.h5";
  write_graph_store(path, r);
  check_equal(read_graph_store(path), r);
  CHECK(is_graph_store(path));
  CHECK(!is_graph_store(tu.file("A")));
  CHECK(!is_graph_store(tu.scratch() / "nothing.h5"));
}

TEST_CASE("TU text through a store and back is the same text", "[datasets][graph-store]") {
  TuFixture tu;
  static_cast<void>(rich_records(tu));
  write_tu(read_tu(tu.folder()), tu.scratch() / "once" / "SET");
  write_graph_store(tu.scratch() / "set.h5", read_tu(tu.scratch() / "once" / "SET"));
  write_tu(read_graph_store(tu.scratch() / "set.h5"), tu.scratch() / "twice" / "SET");
  for (const auto& entry : std::filesystem::directory_iterator(tu.scratch() / "once" / "SET")) {
    CHECK(read_file(entry.path()) ==
          read_file(tu.scratch() / "twice" / "SET" / entry.path().filename().string()));
  }
}

TEST_CASE("a store says what Python readers look for", "[datasets][graph-store]") {
  TuFixture tu;
  const auto path = tu.scratch() / "set.h5";
  write_graph_store(path, read_tu(tu.folder()));
  const h5::File file = h5::File::open(path);
  CHECK(file.attribute<std::string>("format") == "tarn-graph-store");
  CHECK(file.attribute<std::int64_t>("version") == 1);
  CHECK(file.dataset("x").shape() == Shape{5, 4});
  CHECK(file.dataset("x").type() == h5::Type::u8);
  CHECK(file.dataset("edges").shape() == Shape{2, 8});
  CHECK(file.dataset("edge_attr").shape() == Shape{8, 3});
  CHECK(file.dataset("labels").read<Size>() == std::vector<Size>{0, 1});
  CHECK(file.dataset("classes").read<Size>() == std::vector<Size>{-1, 1});
  CHECK(file.dataset("x").read<double>({1, 0}, {1, 4}) == std::vector<double>{0, 1, 0, 0});
  CHECK(file.attribute_list<std::int64_t>("node_label_min") == std::vector<std::int64_t>{3});
}

TEST_CASE("a set without any feature or edge has a store", "[datasets][graph-store]") {
  TuFixture tu;
  tu.set("A", "").remove("edge_labels").remove("node_labels");
  const GraphRecords r = read_tu(tu.folder());
  write_graph_store(tu.scratch() / "bare.h5", r);
  check_equal(read_graph_store(tu.scratch() / "bare.h5"), r);
}

TEST_CASE("a store that breaks a rule is refused with the place", "[datasets][graph-store][errors]") {
  TuFixture tu;
  const auto path = tu.scratch() / "set.h5";
  const auto complaint = [&](auto change) {
    write_graph_store(path, rich_records(tu));
    {
      h5::File file = h5::File::open(path, h5::Access::update);
      change(file);
      file.close();
    }
    try {
      static_cast<void>(read_graph_store(path));
    } catch (const DataError& error) {
      return std::string(error.what()).substr(path.string().size());
    }
    return std::string();
  };
  CHECK(complaint([](h5::File& f) { f.set_attribute("format", "tarn-token-store"); }) ==
        ":/: format 'tarn-token-store'; expected tarn-graph-store");
  CHECK(complaint([](h5::File& f) { f.set_attribute("version", 2); }) ==
        ":/: version 2; expected at most 1, the newest that this reader knows");
  CHECK(complaint([](h5::File& f) {
          f.dataset("x").write({2, 1}, {1, 2}, std::span<const double>(std::vector<double>{1, 1}));
        }) == ":/x: row 2 has no single 1 among its 4 label columns; expected one-hot labels");
  CHECK(complaint([](h5::File& f) {
          f.dataset("x").write({4, 0}, {1, 1}, std::span<const double>(std::vector<double>{NAN}));
        }) == ":/x: row 4 holds nan; expected finite numbers");
  CHECK(complaint([](h5::File& f) {
          f.dataset("labels").write({1}, {1}, std::span<const Size>(std::vector<Size>{2}));
        }) == ":/labels: graph 1 has class 2; expected 0 to 1");
  CHECK(complaint([](h5::File& f) {
          f.dataset("edges").write({1, 3}, {1, 1}, std::span<const NodeId>(std::vector<NodeId>{9}));
        }) == ": edge 3 of graph 0 runs from node 0 to node 9; expected nodes in [0, 3)");
  CHECK(complaint([](h5::File& f) {
          f.dataset("edge_lines").write({0}, {1}, std::span<const Size>(std::vector<Size>{2}));
        }) == ": edge 1 has line 2; expected each of 0 to 7 once");
  CHECK(complaint([](h5::File& f) { f.remove("edges"); }) != "");
  CHECK(complaint([](h5::File& f) {
          f.dataset("splits/two/test/1").write({0}, {1}, std::span<const Size>(std::vector<Size>{2}));
        }) == ": split two, fold 1: graph 2; expected 0 to 1");
}

TEST_CASE("a summary counts what a set holds", "[datasets][graph-store]") {
  TuFixture tu;
  const std::string text = describe_graphs(rich_records(tu));
  CHECK(text.find("  graphs      2\n") != std::string::npos);
  CHECK(text.find("  nodes       5; 2.50 a graph, 2 to 3; 1 attributes; 2 columns of labels: 3..6, 0..1\n") !=
        std::string::npos);
  CHECK(text.find("  class -1    1 graphs\n") != std::string::npos);
  CHECK(text.find("  split       two: 2 folds, the first with 1 train, 1 test\n") != std::string::npos);
}
