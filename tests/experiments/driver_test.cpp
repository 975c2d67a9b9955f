#include "experiments/program_fixture.hpp"
#include <catch2/catch.hpp>

using Catch::Contains;

TEST_CASE("the driver in C++ cross-validates readouts", "[experiments][driver][slow]") {
  const Program driver(TARN_DRIVER_CROSS_VALIDATE);
  const Outcome outcome = driver({});
  CHECK(outcome.code == 0);
  for (const char* readout : {"sum", "mean", "max", "scalar-mix", "edge-free"}) {
    CHECK_THAT(outcome.out, Contains(readout));
  }
  const Outcome missing = driver({"nowhere"});
  CHECK(missing.code == 1);
  CHECK(missing.err == "nowhere: no such file or folder; expected a folder or a zip archive\n");
}
