#pragma once

#include "tarn/core/value.hpp"
#include "tarn/experiments/plot/token_pictures.hpp"
#include "tarn/experiments/run_pictures.hpp"
#include "tarn/experiments/table.hpp"
#include "tarn/experiments/trials.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tarn {

/// One text for the pictures: which tokens are alike, and what each readout weighs.
struct SampleText {
  std::string title;
  plot::Tokens tokens;
  std::vector<std::vector<double>> cosine;                           ///< empty if not kept
  std::vector<std::pair<std::string, std::vector<double>>> weights;  ///< by readout
};

/// What a run directory holds, as far as the run has come.
struct RunRecord {
  std::string name;                   ///< the directory's last part
  std::string config;                 ///< config.toml as text, "" if there is none
  std::string metric;                 ///< the main metric where results.json names one
  bool finished = false;              ///< all trials that were planned are there
  TrialSet trials;                    ///< finished trials
  TrialSet epochs;                    ///< lines of metrics.jsonl
  std::vector<std::string> notes;     ///< conclusions that the experiment allows
  std::vector<std::string> warnings;  ///< what to know before believing a number; an unfinished run is one
  std::vector<std::pair<std::string, std::string>> environment;
  std::vector<SampleText> samples;
  std::vector<Table> tables;  ///< of the experiment's own
  std::vector<RunPicture> pictures;
  std::filesystem::path path;  ///< the directory
};

/// Reads config.toml, results.json (before it is there, trials.jsonl: its `trials` as lines), metrics.jsonl,
/// tables.json (see Table::value), sample.json and pictures/ (see read_pictures); all but the directory may
/// be missing, and last lines may be cut short. Besides `trials`, results.json may hold `axes` and `metric`
/// (see read_trials, compare), `notes`, `warnings` (lists of text), `environment` (a table) and `finished`
/// (false while the run goes on). sample.json holds one sample or a list:
/// {"tokens": [...], "needle": [indices], "pooled": [indices], "cosine": [[...]], "weights": {"glot": [...]},
/// "title": ""}. Throws IoError for a missing directory, DataError for contents that cannot be used.
[[nodiscard]] RunRecord read_run(const std::filesystem::path& directory);

}  // namespace tarn
