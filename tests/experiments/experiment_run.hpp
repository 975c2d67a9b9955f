#pragma once

#include "tarn/core/files.hpp"
#include "tarn/experiments/config.hpp"
#include "tarn/experiments/experiment.hpp"
#include "tarn/experiments/interruption.hpp"
#include "tarn/experiments/json.hpp"

#include "scratch_directory.hpp"
#include <catch2/catch.hpp>
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
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

/// Runs an experiment in `whole`, and in `again`, where it is interrupted later and later until it ends:
/// after `step`, two steps, ... Both must come to the same results.
inline void check_interrupted_runs(const tarn::Experiment& experiment, const tarn::Value& config,
                                   const ScratchDirectory& scratch, std::chrono::milliseconds step) {
  run_experiment(experiment, config, scratch / "whole");
  int interruptions = 0;
  for (auto after = step;; after += step) {
    const tarn::InterruptionGuard guard;
    const std::jthread killer([after] {
      std::this_thread::sleep_for(after);
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
