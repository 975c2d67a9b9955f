#pragma once

#include "experiments/experiment_run.hpp"
#include "experiments/program_fixture.hpp"
#include "experiments/run_progress.hpp"
#include <catch2/catch.hpp>

#include <functional>

/// Runs the program in `whole`, and in `killed`, where it is killed at once, and then each time that it has
/// written a little more than the last time, until it ends or was killed `most` times. Both must come to the
/// same results. `arguments` gives the command for a run directory.
inline void check_killed_runs(const Program& tarn,
                              const std::function<Program::Arguments(const std::string& out)>& arguments,
                              int most = 6) {
  REQUIRE(tarn(arguments("whole")).code == 0);
  int killed = 0;
  for (; killed < most; ++killed) {
    const pid_t child = tarn.start(arguments("killed"));
    if (killed > 0)
      wait_for_progress(tarn / "killed", static_cast<std::uintmax_t>(150 * killed),
                        [&] { return has_ended(child); });
    ::kill(child, SIGKILL);
    if (tarn.finish(child).code != 128 + SIGKILL) break;
  }
  CHECK(killed >= 1);
  REQUIRE(tarn(arguments("killed")).code == 0);
  CHECK(timeless_results(tarn / "killed") == timeless_results(tarn / "whole"));
}
