#include "tarn/core/files.hpp"
#include "tarn/core/h5.hpp"

#include "datasets/tu_fixture.hpp"
#include "experiments/experiment_run.hpp"
#include "experiments/killed_runs.hpp"
#include "experiments/program_fixture.hpp"
#include <catch2/catch.hpp>

using namespace tarn;
using Catch::Contains;
using Catch::EndsWith;

namespace fs = std::filesystem;

TEST_CASE("a TU folder becomes a store and the store that folder", "[program][convert][graphs]") {
  const Program tarn;
  TuFixture tu;
  tu.set("A", "1, 2\n2, 1\n2, 3\n3, 2\n3, 1\n1, 3\n4, 5\n5, 4\n")
      .set("node_attributes", "0.10000000000000001\n1\n-2.5\n3\n4\n");
  fs::copy(tu.folder(), tarn / "SET");
  write_file_atomically(tarn / "SET-splits.json",
                        R"({"graphs": 2, "one": {"about": "a", "test": [[1], [0]]}})");
  const Outcome there = tarn({"convert", "tu", "SET", "set.h5"});
  CHECK(there.code == 0);
  CHECK_THAT(there.err,
             Contains("SET: class -1 has 1 graph, fewer than 10") && Contains("set.h5: 2 graphs written"));
  CHECK(tarn({"convert", "tu", "set.h5", "back"}).code == 0);
  for (const auto& entry : fs::directory_iterator(tarn / "SET")) {
    CHECK(read_file(entry.path()) == read_file(tarn / "back" / "SET" / entry.path().filename().string()));
  }
  CHECK_THAT(read_file(tarn / "back" / "SET-splits.json"), Contains("\"one\""));
  CHECK(tarn({"convert", "tu", "set.h5", "other/SET"}).code == 0);
  CHECK(fs::exists(tarn / "other" / "SET" / "SET_A.txt"));
}

TEST_CASE("generated graphs are a store that inspect counts", "[program][generate][inspect][graphs]") {
  const Program tarn;
  CHECK(tarn({"generate", "graphs", "chords.h5", "graphs=40", "seed=5"}).code == 0);
  const Outcome shown = tarn({"inspect", "chords.h5"});
  CHECK(shown.code == 0);
  CHECK_THAT(shown.out, Contains("chords.h5: graph store\n") && Contains("  graphs      40\n") &&
                            Contains("  class 0     20 graphs\n") && Contains("1 column of labels: 0..1"));
  {
    h5::File file = h5::File::open(tarn / "chords.h5", h5::Access::update);
    file.dataset("labels").write({0}, {1}, std::span<const Size>(std::vector<Size>{7}));
    file.close();
  }
  const Outcome broken = tarn({"inspect", "chords.h5"});
  CHECK(broken.code == 1);
  CHECK_THAT(broken.out, Contains("broken: chords.h5:/labels: graph 0 has class 7; expected 0 to 1"));
}

TEST_CASE("a graph run killed again and again ends with the same results", "[program][run][graphs][slow]") {
  const Program tarn;
  const auto arguments = [](const std::string& out) {
    return Program::Arguments{"run",
                              "graphs-demo",
                              "generate.graphs=80",
                              "readouts=[\"sum\", \"histograph\"]",
                              "epochs=25",
                              "folds=3",
                              "protocol=gin-cv",
                              "--threads",
                              "1",
                              "--out",
                              out};
  };
  check_killed_runs(tarn, arguments, 8);
}

TEST_CASE("a set that is nowhere is said where to get", "[program][run][graphs][errors]") {
  const Program tarn;
  const Outcome missing = tarn({"run", "mutag", "data.root=nowhere"});
  CHECK(missing.code == 1);
  CHECK_THAT(missing.err, Contains("MUTAG: not in nowhere; expected MUTAG.zip or a folder MUTAG there") &&
                              Contains("graphkerneldatasets/MUTAG.zip"));
  const Outcome described = tarn({"describe", "mutag"});
  CHECK_THAT(described.out, Contains("lr_of.histograph") || Contains("lr_of.READOUT"));
  CHECK_THAT(described.out, Contains("data.path") && Contains("TARN_DATA"));
}

TEST_CASE("graph data that cannot be used say why", "[program][convert][generate][graphs][errors]") {
  const Program tarn;
  const Outcome missing = tarn({"convert", "tu", "nowhere", "out.h5"});
  CHECK(missing.code == 1);
  CHECK(missing.err == "nowhere: no such file or folder; expected a folder or a zip archive\n");
  const Outcome kind = tarn({"convert", "ut", "a", "b"});
  CHECK(kind.code == 2);
  CHECK_THAT(kind.err,
             Contains("convert: unknown kind 'ut'; did you mean 'tu'? (known: store, tu, ogb, mesh, fits)"));
  const Outcome option = tarn({"generate", "graphs", "out.h5", "graps=4"});
  CHECK(option.code == 2);
  CHECK_THAT(option.err, Contains("did you mean 'graphs'?"));
  CHECK(!fs::exists(tarn / "out.h5"));
}
