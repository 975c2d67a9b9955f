#pragma once

#include "tarn/experiments/comparison.hpp"

#include <string>
#include <vector>

namespace tarn {

/// Writes what a run (or several, side by side) found into `out_dir`: report.html (one self-contained page),
/// report.md, results.csv (trials), summary.csv (cells), table-1.csv, ... (the experiments' own tables) and
/// plots/*.svg. Unfinished runs are reported as far
/// as they came, and said to be unfinished. Returns the path of the page.
///
/// Throws ValueError without runs, DataError where finished runs give methods different folds, IoError for a
/// missing directory or one that cannot be written, DataError for contents that cannot be used; see read_run.
std::string write_report(const std::vector<std::string>& run_dirs, const std::string& out_dir,
                         const TestOptions& tests = {});

}  // namespace tarn
