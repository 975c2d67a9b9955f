#include "tarn/experiments/sphere/sphere_experiment.hpp"

#include "tarn/experiments/comparison.hpp"
#include "tarn/experiments/sphere/sphere_pictures.hpp"
#include "tarn/experiments/sphere/sphere_run.hpp"
#include "tarn/experiments/sphere/sphere_tables.hpp"

#include <fmt/format.h>

namespace tarn {

namespace {

std::string image_help() {
  return "Digits are projected onto HEALPix maps and classified. protocol = \"fixed\": every image at the "
         "equator; \"rotated\": half the sphere, each turned at random, 9 counted as 6. recipe = "
         "\"published\" "
         "takes network, loss and schedule of the public code; the default trains with cross entropy in "
         "batches of 32. data.train, data.copies and data.validation say how many images.\n"
         "The folder with the IDX files is data.path, else mnist in the folder that TARN_DATA names, else "
         "../shared/data/mnist.\n";
}

std::string field_help(SphereTask task) {
  std::string text;
  if (task == SphereTask::tau) {
    text =
        "Q and U maps of the microwave background, E modes alone, with white noise; the network reads the "
        "optical depth tau and its deviation. The file cl-tau.h5 is data.path, else cmb/cl-tau.h5 in the "
        "folder that TARN_DATA names, else in ../shared/data.\n";
  } else if (task == SphereTask::eb) {
    text =
        "Q and U maps of fields whose E and B spectra have a peak each; the network reads both. No file is "
        "needed.\n";
  } else {
    text =
        "Temperature maps of fields whose spectrum has a peak; the network reads its place l_p, from the "
        "full "
        "sky and from parts of it. No file is needed.\n";
  }
  return text +
         "Beside the networks stand the Fisher bound and likelihood estimates on the same test maps. Form of "
         "the "
         "peak, ranges and sizes are this project's choice after the papers; percentages are not theirs. "
         "100,000 training maps take hours: data.train = 10000 is a start.\n";
}

}  // namespace

std::string SphereExperiment::help() const {
  const bool images = preset_.task == SphereTask::images;
  return (images ? image_help() : field_help(preset_.task)) +
         "readouts compares what turns the last maps into a vector: flatten, or any readout over pixels.\n"
         "Krachmalnicoff & Tomasi 2019, arXiv 1902.04083; Perraudin et al. 2018, arXiv 1810.12186.";
}

void SphereExperiment::run(ExperimentContext& context) const {
  const SpherePlan plan = SpherePlan::read(context.config, preset_.task);
  const SphereSource source = SphereSource::read(plan);
  SphereRun run(context, plan, source);
  const std::vector<std::string> diverged = run.run();

  const std::vector<std::string> axes = {"f_sky", "noise", "size"};
  const TrialSet trials = finished_trials(context.run, run.planned(), axes);
  const Table table = sphere_table(run);
  RunSummary summary{.experiment = name(),
                     .metric = sphere_metric(plan.task),
                     .axes = axes,
                     .notes = sphere_notes(run),
                     .warnings = {},
                     .tables = {table}};
  context.console.result(table.text() + "\n" + result_tables_text(trials, summary.metric));
  for (const std::string& note : summary.notes) context.console.result(note);
  keep_pictures(context.run.path(), sphere_pictures(run));
  finish_run(context, run.planned(), summary, diverged);
}

}  // namespace tarn
