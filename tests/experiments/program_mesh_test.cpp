#include "tarn/core/files.hpp"
#include "tarn/datasets/mesh/mesh_store.hpp"

#include "experiments/experiment_run.hpp"
#include "experiments/killed_runs.hpp"
#include "experiments/program_fixture.hpp"
#include <catch2/catch.hpp>

using namespace tarn;
using Catch::Contains;

namespace fs = std::filesystem;

TEST_CASE("a folder of meshes becomes a store with labels and splits", "[program][convert][mesh]") {
  const Program tarn;
  CHECK(tarn({"generate", "shapes", "folder", "train=2", "test=1"}).code == 0);
  CHECK(fs::exists(tarn / "folder" / "torus" / "test"));
  const Outcome made = tarn({"convert", "mesh", "folder", "set.h5"});
  CHECK(made.code == 0);
  CHECK_THAT(made.err,
             Contains("set.h5: 27 meshes of 9 classes written, 1 splits; cleaning dropped 0 faces"));
  const Outcome shown = tarn({"inspect", "set.h5"});
  CHECK(shown.code == 0);
  CHECK_THAT(shown.out, Contains("set.h5: mesh store\n") && Contains("meshes         27") &&
                            Contains("torus: 3 meshes, 0 parts") && Contains("folders 1: 18 train, 9 test"));
  const Outcome run = tarn({"run", "mesh-shapes", "data.path=set.h5", "readout=forest", "--out", "run"});
  CHECK(run.code == 0);
  CHECK_THAT(tarn({"inspect", "set.h5"}).out, Contains("graphs         A-shape-"));
}

TEST_CASE("engraved cubes keep their parts in a store", "[program][generate][mesh]") {
  const Program tarn;
  CHECK(tarn({"generate", "cube-engraving", "cubes.h5", "train=1", "test=1", "squares=4"}).code == 0);
  CHECK_THAT(tarn({"inspect", "cubes.h5"}).out, Contains("disc: 2 meshes, 3 parts"));
  const Outcome option = tarn({"generate", "shapes", "out.h5", "trian=4"});
  CHECK(option.code == 2);
  CHECK_THAT(option.err, Contains("did you mean 'train'?"));
}

TEST_CASE("mesh data that cannot be used say why", "[program][convert][mesh][errors]") {
  const Program tarn;
  const Outcome missing = tarn({"convert", "mesh", "nowhere", "out.h5"});
  CHECK(missing.code == 1);
  CHECK_THAT(missing.err, Contains("nowhere: ") && Contains("expected a folder"));
  fs::create_directories(tarn / "empty");
  const Outcome empty = tarn({"convert", "mesh", "empty", "out.h5"});
  CHECK(empty.code == 1);
  CHECK_THAT(empty.err, Contains("holds no meshes; expected index.csv"));
  CHECK(!fs::exists(tarn / "out.h5"));
  CHECK_THAT(tarn({"list", "mesh networks"}).out, Contains("pd-mesh-unet-segmenter"));
  CHECK_THAT(tarn({"describe", "dual-primal-edge-pool"}).out, Contains("on_shortfall"));
  const Outcome described = tarn({"describe", "mesh-parts"});
  CHECK_THAT(described.out, Contains("unet.heads_encoder") && Contains("augment.test_copies") &&
                                !Contains("unet.num_classes"));
}

TEST_CASE("a mesh run killed again and again ends with the same results", "[program][run][mesh][slow]") {
  const Program tarn;
  const auto arguments = [](const std::string& out) {
    return Program::Arguments{"run",
                              "mesh-demo",
                              "generate.train=4",
                              "generate.test=1",
                              "readouts=[\"both\", \"dual\"]",
                              "epochs=10",
                              "augment.slide_vertices=0.2",
                              "pictures=1",
                              "--threads",
                              "1",
                              "--out",
                              out};
  };
  check_killed_runs(tarn, arguments, 6);
}
