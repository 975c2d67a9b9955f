#include "tarn/experiments/sphere/sphere_run.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/experiments/json.hpp"
#include "tarn/experiments/sphere/sphere_baselines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace tarn {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr const char* predictions_file = "test.json";

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void set_all(Value& metrics, const MetricSet& more) {
  for (const auto& [name, value] : more.values()) metrics.set(name, value);
}

/// The class that outputs speak for, or the numbers without their deviations.
std::vector<double> answers_of(const SphereSplits& data, std::span<const double> outputs) {
  const std::size_t width = outputs.size() / at(data.test.count());
  std::vector<double> result;
  for (std::size_t begin = 0; begin < outputs.size(); begin += width) {
    const std::span<const double> row = outputs.subspan(begin, width);
    if (data.num_classes > 0) {
      result.push_back(static_cast<double>(std::max_element(row.begin(), row.end()) - row.begin()));
    } else {
      result.insert(result.end(), row.begin(), row.begin() + data.num_targets);
    }
  }
  return result;
}

std::string packed_answers(const SphereSplits& data, const std::vector<double>& answers) {
  std::vector<Size> classes;
  for (const double answer : answers) classes.push_back(static_cast<Size>(answer));
  return pack_correct(classes, data.test.classes);
}

}  // namespace

SphereSource SphereSource::read(const SpherePlan& plan) {
  SphereSource source;
  if (plan.task == SphereTask::images) source.images = read_image_source(plan.images);
  if (plan.task == SphereTask::tau) {
    fs::path path = find_sphere_data(plan.fields.path, "cmb");
    if (fs::is_directory(path)) path /= "cl-tau.h5";
    source.spectra = TauSpectra::read(path);
  }
  return source;
}

SphereRun::SphereRun(ExperimentContext& context, const SpherePlan& plan, const SphereSource& source)
    : context_(context), plan_(plan), source_(source) {
  if (plan.task == SphereTask::images) {
    for (const double size : plan.images.sizes) columns_.push_back({.size = size});
  } else {
    for (const double f_sky : plan.fields.f_sky) {
      for (const double noise : plan.fields.noise) columns_.push_back({.f_sky = f_sky, .noise = noise});
    }
  }
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const SphereColumn& column = columns_[c];
    for (const std::string& name : plan.baselines) {
      const Size pixels = field_sky(plan.fields, column.f_sky).size();
      if (!has_baseline(name, plan.task, column.f_sky, column.noise, pixels)) continue;
      trials_.push_back({.column = c, .readout = name, .seed = plan.run.seeds.front(), .baseline = true});
    }
    for (const std::string& readout : plan.run.readouts) {
      for (const Size seed : plan.run.seeds)
        trials_.push_back({.column = c, .readout = readout, .seed = seed});
    }
  }
  for (const SphereTrial& trial : trials_) {
    planned_.push_back({.axes = axes(trial),
                        .epochs = trial.baseline ? 0 : plan.run.epochs,
                        .epoch_cost = columns_[trial.column].f_sky,
                        .group = static_cast<Size>(trial.column)});
  }
}

Value SphereRun::axes(const SphereTrial& trial) const {
  const SphereColumn& column = columns_[trial.column];
  Value axes;
  if (plan_.task == SphereTask::images) {
    axes.set("protocol", std::string(enum_names(plan_.protocol)[static_cast<std::size_t>(plan_.protocol)]));
    axes.set("size", column.size);
  } else {
    axes.set("f_sky", column.f_sky);
    axes.set("noise", column.noise);
  }
  axes.set("readout", trial.readout);
  axes.set("seed", trial.seed);
  return axes;
}

std::vector<std::string> SphereRun::run() {
  const std::vector<std::size_t> pending = restore_trials(context_, planned_);
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::vector<std::size_t> own;
    for (const std::size_t trial : pending) {
      if (trials_[trial].column == c) own.push_back(trial);
    }
    if (!own.empty()) run_column(c, own);
  }
  return diverged_;
}

void SphereRun::run_column(std::size_t c, const std::vector<std::size_t>& pending) {
  const SphereColumn& column = columns_[c];
  const bool trains =
      std::any_of(pending.begin(), pending.end(), [&](std::size_t i) { return !trials_[i].baseline; });
  std::optional<SphereSplits> data;
  double coverage = 0;
  if (trains && plan_.task == SphereTask::images) {
    SphereImages images = load_images(column);
    coverage = images.coverage;
    data = std::move(images.splits);
  } else if (trains) {
    data = load_fields(column);
    coverage = data->sky.fraction();
  }
  const std::vector<std::string> diverged =
      run_trials(context_, planned_, pending, [&](std::size_t index, const TrainingHooks& hooks) {
        const auto start = Clock::now();
        const SphereTrial& trial = trials_[index];
        Value metrics;
        if (trial.baseline) {
          const healpix::Sky sky = field_sky(plan_.fields, column.f_sky);
          set_all(metrics, baseline_metrics(trial.readout, fields(column), sky, plan_.fields.test));
          metrics.set("test_maps", plan_.fields.test);
          metrics.set("coverage", sky.fraction());
        } else {
          metrics = train(trial, *data, hooks);
          metrics.set("coverage", coverage);
        }
        metrics.set("seconds", seconds_since(start));
        return metrics;
      });
  diverged_.insert(diverged_.end(), diverged.begin(), diverged.end());
}

SphereImages SphereRun::load_images(const SphereColumn& column) const {
  const auto start = Clock::now();
  SphereImages images = project_images(*source_.images, plan_.images, plan_.protocol, column.size);
  const Size count =
      images.splits.train.count() + images.splits.validation.count() + images.splits.test.count();
  context_.console.note(
      fmt::format("{} projections of {} degrees made in {:.1f} s", count, column.size, seconds_since(start)));
  return images;
}

SphereSplits SphereRun::load_fields(const SphereColumn& column) const {
  const auto start = Clock::now();
  const SphereFields source = fields(column);
  const healpix::Sky sky = field_sky(plan_.fields, column.f_sky);
  const SphereFieldDataOptions& o = plan_.fields;
  SphereSplits splits{{.num_classes = 0, .num_targets = source.num_targets()},
                      sky,
                      source.channels(),
                      source.samples("train", o.train, sky),
                      source.samples("validation", o.validation, sky),
                      source.samples("test", o.test, sky)};
  context_.console.note(fmt::format("{} maps of {} pixels made in {:.1f} s", o.train + o.validation + o.test,
                                    sky.size(), seconds_since(start)));
  return splits;
}

Value SphereRun::train(const SphereTrial& trial, const SphereSplits& data, TrainingHooks hooks) const {
  const Size outputs = plan_.outputs(data.num_classes, data.num_targets);
  SphereModel model(plan_.network(trial.readout, data.sky, data.channels, outputs), data.num_targets);
  hooks.model.set("network", plan_.run.network);
  hooks.model.set("readout", trial.readout);
  hooks.model.set("nside", plan_.nside());
  hooks.model.set("ordering", "nest");
  const Rng rng = Rng(static_cast<std::uint64_t>(trial.seed)).split("sphere");
  const TrainingHistory history = train_on_sphere(model, data, plan_.training(rng), hooks);
  const std::vector<double> answers = answers_of(data, history.predictions);
  if (!hooks.checkpoints.empty()) {
    fs::create_directories(hooks.checkpoints);
    write_file_atomically(hooks.checkpoints / predictions_file,
                          to_json(Value::List(answers.begin(), answers.end())) + "\n");
  }
  Value metrics;
  set_all(metrics, history.selected_record().metrics);
  metrics.set("loss", history.selected_record().loss);
  metrics.set("epoch", history.selected);
  metrics.set("epochs", static_cast<Size>(history.epochs.size()));
  metrics.set("parameters", model.num_parameters());
  metrics.set("train_maps", data.train.count());
  metrics.set("test_maps", data.test.count());
  metrics.set("seconds_per_epoch", history.seconds_per_epoch());
  if (data.num_classes > 0) metrics.set("correct", packed_answers(data, answers));
  return metrics;
}

const Value* SphereRun::finished(std::size_t trial) const {
  return context_.run.finished(planned_[trial].axes);
}

std::vector<Value> SphereRun::epochs(std::size_t trial) const {
  return context_.run.epochs(planned_[trial].axes);
}

std::vector<double> SphereRun::predictions(std::size_t trial) const {
  const fs::path path = context_.run.checkpoints(planned_[trial].axes) / predictions_file;
  if (trials_[trial].baseline || !fs::exists(path)) return {};
  const Value list = parse_json(read_file(path), path.string());
  if (list.list() == nullptr) throw DataError(path.string() + ": not a list; expected predictions");
  std::vector<double> result;
  for (const Value& entry : *list.list()) result.push_back(entry.number().value_or(0));
  return result;
}

}  // namespace tarn
