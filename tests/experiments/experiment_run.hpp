#pragma once

#include "tarn/core/files.hpp"
#include "tarn/experiments/config.hpp"
#include "tarn/experiments/experiment.hpp"
#include "tarn/experiments/interruption.hpp"
#include "tarn/experiments/json.hpp"

#include "experiments/run_progress.hpp"
#include "scratch_directory.hpp"
#include <catch2/catch.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

/// Sends standard output into a file while it lives.
class CapturedOutput {
 public:
  explicit CapturedOutput(const std::filesystem::path& path) {
    std::fflush(stdout);
    before_ = ::dup(STDOUT_FILENO);
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    ::dup2(file, STDOUT_FILENO);
    ::close(file);
  }
  ~CapturedOutput() {
    std::fflush(stdout);
    ::dup2(before_, STDOUT_FILENO);
    ::close(before_);
  }
  CapturedOutput(const CapturedOutput&) = delete;
  CapturedOutput& operator=(const CapturedOutput&) = delete;

 private:
  int before_;
};

/// The resolved configuration of `key=value` arguments, as the program completes it.
inline tarn::Value resolve(const tarn::Experiment& experiment, const std::vector<std::string>& arguments) {
  tarn::Value given{tarn::Value::Table{}};
  tarn::apply_overrides(given, arguments);
  tarn::Value config;
  config.set("experiment", experiment.name());
  config.merge(experiment.resolve(given));
  return config;
}

/// Runs an experiment in a directory, and returns what it printed.
inline std::string run_experiment(const tarn::Experiment& experiment, const tarn::Value& config,
                                  const std::filesystem::path& directory) {
  tarn::RunDirectory run(directory, config);
  tarn::Console console(tarn::Console::Talk::quiet, tarn::Log());
  tarn::ExperimentContext context{config, run, console};
  {
    const CapturedOutput capture(directory / "stdout");
    experiment.run(context);
  }
  return tarn::read_file(directory / "stdout");
}

/// results.json without what may differ between runs: times and the machine.
inline tarn::Value timeless_results(const std::filesystem::path& directory) {
  using namespace tarn;
  Value results = parse_json(read_file(directory / "results.json"), "results.json");
  Value::Table kept;
  for (auto& [key, value] : *results.table()) {
    if (key == "environment") continue;
    if (Value::List* list = value.list(); list != nullptr && (key == "trials" || key == "summary")) {
      for (Value& entry : *list) {
        Value::Table timeless;
        for (const auto& field : *entry.table()) {
          if (!field.first.starts_with("seconds")) timeless.push_back(field);
        }
        entry = timeless;
      }
    }
    kept.emplace_back(key, value);
  }
  return kept;
}

/// Runs an experiment in `whole`, and in `again`, where it is interrupted at once, and then each time that it
/// has written a little more than the last time, until it ends. Both must come to the same results.
inline void check_interrupted_runs(const tarn::Experiment& experiment, const tarn::Value& config,
                                   const ScratchDirectory& scratch) {
  run_experiment(experiment, config, scratch / "whole");
  int interruptions = 0;
  while (true) {
    const tarn::InterruptionGuard guard;
    if (interruptions == 0) tarn::request_interruption();
    const std::jthread interrupter([&, count = interruptions](const std::stop_token& ended) {
      const auto bytes = static_cast<std::uintmax_t>(150 * count + 1);
      if (wait_for_progress(scratch / "again", bytes, [&] { return ended.stop_requested(); }))
        tarn::request_interruption();
    });
    try {
      run_experiment(experiment, config, scratch / "again");
      break;
    } catch (const tarn::Interrupted&) {
      ++interruptions;
    }
  }
  CHECK(interruptions > 0);
  CHECK(timeless_results(scratch / "again") == timeless_results(scratch / "whole"));
}
