#pragma once

#include "tarn/core/options.hpp"
#include "tarn/experiments/console.hpp"
#include "tarn/experiments/run_directory.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tarn {

/// What an experiment works with while it runs.
struct ExperimentContext {
  const Value& config;  ///< as `Experiment::resolve` gave it
  RunDirectory& run;
  Console& console;
};

/// Something that `tarn run NAME` runs. One object serves every run; what a run needs lives in `run` alone.
class Experiment {
 public:
  virtual ~Experiment() = default;
  /// Lower case with dashes, as on the command line and in the key `experiment` of a TOML file.
  [[nodiscard]] virtual std::string name() const = 0;
  /// One line for `tarn list experiments`.
  [[nodiscard]] virtual std::string summary() const = 0;
  /// Where the protocol comes from, and what to know before believing its numbers; any number of lines.
  [[nodiscard]] virtual std::string help() const = 0;
  /// What `tarn describe NAME` prints of the options, tables inside tables by their dotted path.
  [[nodiscard]] virtual std::vector<FieldDescription> options() const = 0;
  /// The configuration with every option filled in; `given` holds what the user set, each value with its
  /// place, without the key `experiment`. Reads no data. Throws ConfigError or ValueError.
  [[nodiscard]] virtual Value resolve(const Value& given) const = 0;
  /// Runs all trials that `context.run` does not hold yet, prints the tables and calls `context.run.finish`.
  /// Throws Interrupted, after saving, when `interruption_requested()`.
  virtual void run(ExperimentContext& context) const = 0;
};

/// Experiments by name, in the order in which they were added.
class ExperimentList {
 public:
  /// Throws ValueError for a name that is there already.
  void add(std::unique_ptr<Experiment> experiment);
  [[nodiscard]] std::vector<std::string> names() const;
  /// Null if there is none of this name.
  [[nodiscard]] const Experiment* find(std::string_view name) const;

 private:
  std::vector<std::unique_ptr<Experiment>> entries_;
};

/// All experiments, the built-in ones first. A program adds its own before `run_program`.
[[nodiscard]] ExperimentList& experiments();

}  // namespace tarn
