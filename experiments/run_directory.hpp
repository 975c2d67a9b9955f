#pragma once

#include "tarn/core/value.hpp"
#include "tarn/experiments/table.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace tarn {

/// What `results.json` says beside the trials themselves.
struct RunSummary {
  std::string experiment;
  std::string metric;             ///< the main one
  std::vector<std::string> axes;  ///< numbers among the entries of a trial that are axes, not metrics
  std::vector<std::string> notes;
  std::vector<std::string> warnings;
  std::vector<Table> tables{};  ///< of the experiment's own; the report shows them first
};

/// Holds a file for this process while it lives. Throws IoError if another one holds it.
class FileLock {
 public:
  FileLock() = default;
  explicit FileLock(const std::filesystem::path& path);
  FileLock(FileLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  int file_ = -1;
};

/// The directory of one run, made so that a run killed at any moment goes on where it was:
///
/// config.toml    every option resolved; another configuration is refused
/// metrics.jsonl  one object per epoch and trial
/// trials.jsonl   finished trials, in the order in which they ended
/// checkpoints/   per trial last.h5 and best.h5
/// results.json   written at the end: all trials in the order of the plan, and their summary
/// results.h5     the same as columns: trials/NAME, epochs/NAME
/// tables.json    tables of the experiment's own, which may hold times; none without any
///
/// A trial is known by its axes, a flat table. Writing is thread safe.
class RunDirectory {
 public:
  /// Creates the directory, or continues what stands there; a run that measured nothing yet may still change
  /// its configuration. Throws ConfigError if it holds a run of another one, naming the key, or something
  /// that is no run; IoError if it cannot be written or another process is running in it.
  RunDirectory(std::filesystem::path path, const Value& config);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// A directory name made of the axes' values: `glot-0.9-matched-1`.
  [[nodiscard]] static std::string trial_name(const Value& axes);
  /// Where a trial keeps last.h5 and best.h5.
  [[nodiscard]] std::filesystem::path checkpoints(const Value& axes) const;

  /// Takes over what an earlier process left. `epochs_kept` tells how many complete epochs an unfinished
  /// trial's last checkpoint holds, 0 without one: lines beyond them are forgotten, and where lines are
  /// missing the checkpoint goes and the trial begins again. Call once before the trials;
  /// `epochs(axes).size()` tells where each goes on. Throws ConfigError if two trials have the same name.
  void restore(const std::vector<Value>& planned_axes,
               const std::function<Size(const Value& axes)>& epochs_kept);

  /// The metrics of a finished trial, or null.
  [[nodiscard]] const Value* finished(const Value& axes) const;
  /// The epochs of a trial so far, in order; each with its axes.
  [[nodiscard]] std::vector<Value> epochs(const Value& axes) const;
  /// `record` holds `epoch`, from 1, and metrics.
  void add_epoch(const Value& axes, const Value& record);
  void finish_trial(const Value& axes, const Value& metrics);

  /// Writes a file that says what the run measures on. Once something was measured another text is refused:
  /// throws ConfigError, "FILE: holds other WHAT than the set gives now; expected ...".
  void keep(const std::string& name, const std::string& text, const std::string& what) const;

  /// Writes results.json and results.h5, and metrics.jsonl in the order of the plan.
  void finish(const std::vector<Value>& planned_axes, const RunSummary& summary);

 private:
  void require_unused() const;
  /// Something was measured here.
  [[nodiscard]] bool started() const;
  void require_same_config(const Value& config) const;
  void forget_beyond_checkpoint(const Value& axes, const std::function<Size(const Value& axes)>& epochs_kept);
  void rewrite_lines(const std::vector<Value>& planned_axes) const;
  void write_results_h5(const Value::List& trials, const Value::List& epochs) const;

  std::filesystem::path path_;
  FileLock lock_;
  mutable std::mutex mutex_;
  std::map<std::string, Value> finished_;             ///< by trial name
  std::map<std::string, std::vector<Value>> epochs_;  ///< by trial name
};

}  // namespace tarn
