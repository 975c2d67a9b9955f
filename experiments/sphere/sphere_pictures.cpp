#include "tarn/experiments/sphere/sphere_pictures.hpp"

#include "tarn/core/files.hpp"
#include "tarn/experiments/plot/line_chart.hpp"
#include "tarn/experiments/plot/mollweide.hpp"
#include "tarn/experiments/run_pictures.hpp"
#include "tarn/experiments/sphere/sphere_baselines.hpp"
#include "tarn/experiments/sphere/sphere_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tarn {

namespace {

constexpr Size fields_shown = 3;
constexpr Size images_shown = 3;  ///< of right ones, and of wrong ones
constexpr Size bins = 6;

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

/// The trial that pictures of a column show: its first network.
std::optional<std::size_t> shown_trial(const SphereRun& run, std::size_t column) {
  for (std::size_t i = 0; i < run.trials().size(); ++i) {
    const SphereTrial& trial = run.trials()[i];
    if (trial.column == column && !trial.baseline) {
      return run.finished(i) != nullptr ? std::optional(i) : std::nullopt;
    }
  }
  return std::nullopt;
}

std::vector<double> on_sky(const std::vector<double>& full, const healpix::Sky& sky) {
  std::vector<double> result;
  for (Size row = 0; row < sky.size(); ++row) result.push_back(full[at(sky.pixel(row))]);
  return result;
}

double largest(const std::vector<double>& values) {
  double most = 0;
  for (const double v : values) most = std::max(most, std::abs(v));
  return most;
}

std::string column_text(const SphereRun& run, std::size_t column) {
  const SphereColumn& c = run.columns()[column];
  if (run.plan().task == SphereTask::images) return fmt::format("{} degrees", c.size);
  return c.noise == 0 ? fmt::format("f_sky {}", c.f_sky)
                      : fmt::format("f_sky {}, noise {}", c.f_sky, c.noise);
}

std::string parameters_text(const SphereTask task, std::span<const double> values) {
  if (task == SphereTask::eb) return fmt::format("E {:.2f}, B {:.2f}", values[0], values[1]);
  return task == SphereTask::tau ? fmt::format("tau {:.4f}", values[0])
                                 : fmt::format("l_p {:.2f}", values[0]);
}

/// Input, the field at the parameters that were read, and the difference, a row for each map and channel.
SpherePicture field_maps(const SphereRun& run, std::size_t column, std::span<const double> predictions) {
  const SphereFields fields = run.fields(run.columns()[column]);
  const healpix::Sky sky = field_sky(run.plan().fields, run.columns()[column].f_sky);
  const Size targets = fields.num_targets(),
             count = std::min(fields_shown, static_cast<Size>(predictions.size()) / targets);
  std::vector<plot::MapPanel> panels;
  for (Size map = 0; map < count; ++map) {
    const std::vector<double> truth = fields.targets("test", map);
    std::vector<double> read;
    for (Size t = 0; t < targets; ++t) {
      // A parameter that has no spectrum is drawn at the nearest that has one.
      const SphereFields::Search range = fields.search();
      read.push_back(std::clamp(predictions[at(map * targets + t)], range.low, range.high));
    }
    const FieldMaps input = fields.maps("test", map), guess = fields.signal("test", map, read);
    for (std::size_t c = 0; c < input.size(); ++c) {
      const std::string name = input.size() == 1 ? "" : c == 0 ? "Q, " : "U, ";
      const std::vector<double> in = on_sky(input[c], sky), out = on_sky(guess[c], sky);
      std::vector<double> rest;
      for (std::size_t p = 0; p < in.size(); ++p) rest.push_back(in[p] - out[p]);
      const double limit = std::max(largest(in), largest(out));
      const auto add = [&](const std::string& title, const std::vector<double>& values, double most) {
        plot::MapPanel panel;
        panel.title = name + title;
        panel.sky = &sky;
        panel.values = values;
        panel.limit = most;
        panels.push_back(std::move(panel));
      };
      add("input: " + parameters_text(run.plan().task, truth), in, limit);
      add("read: " + parameters_text(run.plan().task, read), out, limit);
      add("residual", rest, largest(rest));
    }
  }
  return {
      fmt::format("maps-{}.svg", column + 1),
      fmt::format("Test maps ({}). Left: input. Middle: the field that the same random numbers give at the "
                  "parameters that the network read. Right: input less that, on a scale of its own.",
                  column_text(run, column)),
      plot::draw_maps(fmt::format("Inputs, predictions, residuals: {}", column_text(run, column)), panels,
                      3)};
}

/// Maps whose first target lies in the same part of the range.
struct Bin {
  double centre = 0, error = 0, bound = 0, count = 0;
};

SpherePicture error_curve(const SphereRun& run, std::size_t column) {
  const SphereFields fields = run.fields(run.columns()[column]);
  const SphereTask task = run.plan().task;
  const double f_sky = field_sky(run.plan().fields, run.columns()[column].f_sky).fraction();
  plot::LineChart chart{.title = "Mean error: " + column_text(run, column),
                        .x_label = task == SphereTask::tau ? "tau" : "l_p",
                        .y_label = task == SphereTask::tau ? "|error|" : "|error| / l_p, %",
                        .series = {},
                        .width = 520,
                        .height = 320};
  plot::Series fisher;
  Size style = 0;
  for (std::size_t i = 0; i < run.trials().size(); ++i) {
    const SphereTrial& trial = run.trials()[i];
    if (trial.column != column || trial.baseline || trial.seed != run.plan().run.seeds.front()) continue;
    const std::vector<double> predictions = run.predictions(i);
    if (predictions.empty()) continue;
    const Size targets = fields.num_targets(), count = static_cast<Size>(predictions.size()) / targets;
    std::vector<Bin> parts(at(bins));
    for (Size map = 0; map < count; ++map) {
      const std::vector<double> truth = fields.targets("test", map);
      const std::vector<double> deviations = fisher_deviations(fields, truth, f_sky);
      for (std::size_t t = 0; t < truth.size(); ++t) {
        const double share = (truth[t] - fields.low()) / (fields.high() - fields.low());
        Bin& bin = parts[at(std::clamp<Size>(static_cast<Size>(share * bins), 0, bins - 1))];
        const double scale = task == SphereTask::tau ? 1 : 100 / truth[t];
        bin.centre += truth[t];
        bin.error += scale * std::abs(predictions[at(map * targets) + t] - truth[t]);
        bin.bound += scale * std::sqrt(2 / std::numbers::pi) * deviations[t];
        bin.count += 1;
      }
    }
    plot::Series line{.name = trial.readout, .x = {}, .y = {}, .low = {}, .high = {}, .style = style++};
    plot::Series bound{.name = "fisher", .x = {}, .y = {}, .low = {}, .high = {}, .style = 7};
    for (const Bin& bin : parts) {
      if (bin.count == 0) continue;
      line.x.push_back(bin.centre / bin.count);
      line.y.push_back(bin.error / bin.count);
      bound.x.push_back(bin.centre / bin.count);
      bound.y.push_back(bin.bound / bin.count);
    }
    chart.series.push_back(std::move(line));
    fisher = std::move(bound);
  }
  chart.series.push_back(std::move(fisher));
  return {fmt::format("error-{}.svg", column + 1),
          fmt::format("Mean error of the test maps ({}) by their true parameter, beside the Fisher bound.",
                      column_text(run, column)),
          plot::draw(chart)};
}

SpherePicture image_maps(const SphereRun& run, std::size_t column, std::span<const double> predictions) {
  const SpherePlan& plan = run.plan();
  // Test images alone: the others are not drawn.
  SphereImageDataOptions options = plan.images;
  options.train = 1;
  options.validation = 0;
  const SphereImages images =
      project_images(*run.source().images, options, plan.protocol, run.columns()[column].size);
  const SphereSamples& test = images.splits.test;
  const Size pixels = images.splits.sky.size();
  std::vector<plot::MapPanel> panels;
  for (const bool right : {true, false}) {
    Size shown = 0;
    for (Size i = 0; i < test.count() && shown < images_shown && i < static_cast<Size>(predictions.size());
         ++i) {
      const auto read = static_cast<Size>(predictions[at(i)]);
      if ((read == test.classes[at(i)]) != right) continue;
      ++shown;
      plot::MapPanel panel;
      panel.title = fmt::format("{} read as {}", test.classes[at(i)], read);
      panel.sky = &images.splits.sky;
      panel.colours = plot::MapColours::sequential;
      panel.limit = 1;
      const Real* const map = test.maps.data() + i * pixels;
      panel.values.assign(map, map + pixels);
      panels.push_back(std::move(panel));
    }
  }
  return {fmt::format("maps-{}.svg", column + 1),
          fmt::format("The first test maps ({}) that were read right, then the first ones that were not. The "
                      "sphere is seen from inside.",
                      column_text(run, column)),
          plot::draw_maps(fmt::format("Inputs and predictions: {}", column_text(run, column)), panels,
                          images_shown)};
}

/// Validation accuracy by epoch beside what the released model's log says.
std::optional<SpherePicture> released_curve(const SphereRun& run) {
  plot::LineChart chart{.title = "Validation accuracy, rotated images",
                        .x_label = "epoch",
                        .y_label = "accuracy, %",
                        .series = {},
                        .width = 560,
                        .height = 340};
  Size style = 0;
  for (std::size_t i = 0; i < run.trials().size(); ++i) {
    const std::vector<Value> lines = run.epochs(i);
    plot::Series series{.name = fmt::format("{}, seed {}, {}", run.trials()[i].readout, run.trials()[i].seed,
                                            column_text(run, run.trials()[i].column)),
                        .x = {},
                        .y = {},
                        .low = {},
                        .high = {},
                        .style = style};
    for (const Value& line : lines) {
      const Value *epoch = line.find("epoch"), *accuracy = line.find("validation_accuracy");
      if (epoch == nullptr || accuracy == nullptr || !epoch->number() || !accuracy->number()) continue;
      series.x.push_back(*epoch->number());
      series.y.push_back(100 * *accuracy->number());
    }
    if (series.x.empty()) continue;
    chart.series.push_back(std::move(series));
    style = (style + 1) % 7;
  }
  if (chart.series.empty()) return std::nullopt;
  chart.series.push_back({.name = "released log",
                          .x = {1, 5, 10, 11},
                          .y = {89.8, 94.5, 95.2, 96.0},
                          .low = {},
                          .high = {},
                          .style = 7});
  return SpherePicture{
      "validation.svg",
      "Validation accuracy after each epoch. The released model's epochs are 100,000 projections each.",
      plot::draw(chart)};
}

}  // namespace

std::vector<SpherePicture> sphere_pictures(const SphereRun& run) {
  std::vector<SpherePicture> pictures;
  const bool images = run.plan().task == SphereTask::images;
  if (images && run.plan().protocol == SphereProtocol::rotated) {
    if (auto curve = released_curve(run)) pictures.push_back(std::move(*curve));
  }
  for (std::size_t column = 0; column < run.columns().size(); ++column) {
    const auto trial = shown_trial(run, column);
    if (!trial) continue;
    const std::vector<double> predictions = run.predictions(*trial);
    if (predictions.empty()) continue;
    if (images) {
      pictures.push_back(image_maps(run, column, predictions));
    } else {
      pictures.push_back(field_maps(run, column, predictions));
      pictures.push_back(error_curve(run, column));
    }
  }
  return pictures;
}

void keep_pictures(const std::filesystem::path& run, const std::vector<SpherePicture>& pictures) {
  const std::filesystem::path folder = run / "pictures";
  std::filesystem::create_directories(folder);
  std::vector<RunPicture> list;
  for (const SpherePicture& picture : pictures) {
    write_file_atomically(folder / picture.file, picture.svg);
    list.push_back({picture.file, picture.caption, {}});
  }
  write_picture_list(folder, "sphere", list);
}

}  // namespace tarn
