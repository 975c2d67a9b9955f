#pragma once

#include "tarn/experiments/sphere/sphere_fields.hpp"
#include "tarn/experiments/sphere/sphere_images.hpp"
#include "tarn/experiments/trial_runner.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tarn {

/// What a column of the tables stands for.
struct SphereColumn {
  double size = 0;   ///< images: degrees
  double f_sky = 1;  ///< fields: share that was asked for
  double noise = 0;
  friend bool operator==(const SphereColumn&, const SphereColumn&) = default;
};

struct SphereTrial {
  std::size_t column = 0;
  std::string readout;  ///< or the name of a baseline
  Size seed = 0;
  bool baseline = false;
};

/// Where images or spectra come from, read once.
struct SphereSource {
  std::optional<ImageSource> images;
  std::optional<TauSpectra> spectra;

  /// Throws what the readers throw.
  [[nodiscard]] static SphereSource read(const SpherePlan& plan);
};

/// All trials of a run: every column's baselines, then its networks.
class SphereRun {
 public:
  SphereRun(ExperimentContext& context, const SpherePlan& plan, const SphereSource& source);

  /// Runs what is still to run, column by column; returns a message for each trial that diverged.
  [[nodiscard]] std::vector<std::string> run();

  [[nodiscard]] const SpherePlan& plan() const { return plan_; }
  [[nodiscard]] const SphereSource& source() const { return source_; }
  [[nodiscard]] const std::vector<PlannedTrial>& planned() const { return planned_; }
  [[nodiscard]] const std::vector<SphereTrial>& trials() const { return trials_; }
  [[nodiscard]] const std::vector<SphereColumn>& columns() const { return columns_; }
  [[nodiscard]] SphereFields fields(const SphereColumn& column) const {
    return SphereFields(plan_.task, plan_.fields, column.noise, source_.spectra);
  }
  /// Metrics of a finished trial, or null.
  [[nodiscard]] const Value* finished(std::size_t trial) const;
  /// Lines of a trial's epochs so far.
  [[nodiscard]] std::vector<Value> epochs(std::size_t trial) const;
  /// What a finished network says of the test maps: classes, or numbers [n, T]; empty for others.
  [[nodiscard]] std::vector<double> predictions(std::size_t trial) const;

 private:
  [[nodiscard]] Value axes(const SphereTrial& trial) const;
  void run_column(std::size_t column, const std::vector<std::size_t>& pending);
  [[nodiscard]] SphereImages load_images(const SphereColumn& column) const;
  [[nodiscard]] SphereSplits load_fields(const SphereColumn& column) const;
  [[nodiscard]] Value train(const SphereTrial& trial, const SphereSplits& data, TrainingHooks hooks) const;

  ExperimentContext& context_;
  const SpherePlan& plan_;
  const SphereSource& source_;
  std::vector<SphereColumn> columns_;
  std::vector<SphereTrial> trials_;
  std::vector<PlannedTrial> planned_;
  std::vector<std::string> diverged_;
};

}  // namespace tarn
