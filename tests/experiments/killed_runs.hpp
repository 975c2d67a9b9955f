#pragma once

#include "experiments/experiment_run.hpp"
#include "experiments/program_fixture.hpp"
#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

/// When a program is killed: after `first`, `first + step`, ..., at most so many times.
struct Kills {
  std::chrono::milliseconds first;
  std::chrono::milliseconds step;
  int most = 6;
};

/// Runs the program in `whole`, and in `killed`, where it is killed again and again before it may end. Both
/// must come to the same results. `arguments` gives the command for a run directory.
inline void check_killed_runs(const Program& tarn,
                              const std::function<Program::Arguments(const std::string& out)>& arguments,
                              Kills kills) {
  REQUIRE(tarn(arguments("whole")).code == 0);
  int killed = 0;
  for (auto after = kills.first; killed < kills.most; after += kills.step) {
    const pid_t child = tarn.start(arguments("killed"));
    std::this_thread::sleep_for(after);
    ::kill(child, SIGKILL);
    if (tarn.finish(child).code != 128 + SIGKILL) break;
    ++killed;
  }
  CHECK(killed >= std::min(2, kills.most));
  REQUIRE(tarn(arguments("killed")).code == 0);
  CHECK(timeless_results(tarn / "killed") == timeless_results(tarn / "whole"));
}
