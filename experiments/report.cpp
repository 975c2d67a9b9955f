#include "tarn/experiments/report.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/experiments/comparison.hpp"
#include "tarn/experiments/rank_figures.hpp"
#include "tarn/experiments/report_figures.hpp"
#include "tarn/experiments/run_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace tarn {

namespace {

namespace fs = std::filesystem;

/// Longer tables of pairs nobody reads.
constexpr std::size_t most_rank_pairs = 200;

struct Section {
  std::string title;
  std::vector<std::string> texts;  ///< paragraphs
  std::vector<Table> tables;
  std::vector<Figure> figures;
  std::string verbatim;  ///< settings as they stand in the file, or a BibTeX entry
  std::string language;  ///< of `verbatim`
};

constexpr std::string_view style_sheet = R"(
body { font: 15px/1.5 Helvetica, Arial, 'Liberation Sans', sans-serif; color: #222; background: #fff;
  max-width: 1080px; margin: 2em auto; padding: 0 1.2em; }
h1 { font-size: 1.7em; margin-bottom: .1em; } h2 { margin-top: 2em; border-bottom: 1px solid #ddd; font-size: 1.25em; }
table { border-collapse: collapse; margin: 1.2em 0 .4em; font-size: 14px; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: bold; padding-bottom: .4em; white-space: nowrap; }
th, td { padding: .22em .7em; text-align: right; white-space: nowrap; } .left { text-align: left; }
thead th { border-top: 2px solid #222; border-bottom: 1px solid #222; vertical-align: bottom; }
tbody tr:last-child td { border-bottom: 2px solid #222; } tr.rule td { border-top: 1px solid #bbb; }
tbody tr:hover { background: #f4f7fa; }
.scroll { overflow-x: auto; } .note { font-size: 13px; color: #555; margin: .2em 0; max-width: 62em; }
.warning { background: #fff4e0; border-left: 4px solid #E69F00; padding: .5em .8em; margin: .5em 0; }
figure { margin: 1.2em 0; display: inline-block; max-width: 100%; vertical-align: top; }
figure svg { max-width: 100%; height: auto; } figcaption { font-size: 13px; color: #555; max-width: 46em; }
pre { background: #f6f6f6; padding: .8em; overflow-x: auto; font-size: 13px; }
@media print { table { font-size: 9.5px; } th, td { padding: .2em .4em; } h2 { break-after: avoid; }
  figure, tr { break-inside: avoid; } }
)";

std::vector<RunRecord> read_runs(const std::vector<std::string>& run_dirs) {
  if (run_dirs.empty()) throw ValueError("report: got no run; expected at least one run directory");
  std::vector<RunRecord> runs;
  for (const std::string& directory : run_dirs) {
    RunRecord run = read_run(directory);
    const bool taken =
        std::any_of(runs.begin(), runs.end(), [&](const RunRecord& r) { return r.name == run.name; });
    if (taken) run.name = directory;
    runs.push_back(std::move(run));
  }
  return runs;
}

/// All trials; with several runs each says which one it is from.
TrialSet joined(const std::vector<RunRecord>& runs, TrialSet RunRecord::*part) {
  TrialSet all;
  for (const RunRecord& run : runs) {
    for (Trial trial : (run.*part).trials) {
      if (runs.size() > 1) trial.axes.emplace_back("run", run.name);
      all.add(std::move(trial));
    }
  }
  return all;
}

Section result_section(const std::vector<Comparison>& comparisons, const std::vector<RunRecord>& runs) {
  Section section{.title = "Results"};
  for (const RunRecord& run : runs) {
    section.tables.insert(section.tables.end(), run.tables.begin(), run.tables.end());
  }
  for (const Comparison& comparison : comparisons) section.tables.push_back(headline_table(comparison));
  section.texts.emplace_back(comparisons.empty()
                                 ? "No trial has finished yet."
                                 : "Bold: the best mean of a column, which need not differ from the "
                                   "next by more than chance.");
  for (const RunRecord& run : runs)
    section.texts.insert(section.texts.end(), run.notes.begin(), run.notes.end());
  return section;
}

Section test_section(const std::vector<Comparison>& comparisons, const TestOptions& options) {
  Section section{.title = "Significance"};
  for (const Comparison& comparison : comparisons) {
    const std::vector<PairedComparison> tests = test_methods(comparison, options);
    if (!tests.empty()) section.tables.push_back(significance_table(comparison, tests, options.correction));
    if (const auto ranked = rank_methods(comparison, options.correction)) {
      section.tables.push_back(rank_table(comparison, *ranked));
      if (ranked->pairs.size() <= most_rank_pairs)
        section.tables.push_back(rank_test_table(comparison, *ranked, options.correction));
    }
  }
  return section;
}

Section detail_section(const std::vector<Comparison>& comparisons, const TrialSet& trials) {
  Section section{.title = "All measurements"};
  for (const Comparison& comparison : comparisons) section.tables.push_back(detail_table(comparison, trials));
  return section;
}

Section settings_section(const std::vector<RunRecord>& runs) {
  Section section{.title = "Settings", .language = "toml"};
  for (const RunRecord& run : runs) {
    if (run.config.empty()) continue;
    section.verbatim += fmt::format("{}{}{}", section.verbatim.empty() ? "" : "\n",
                                    runs.size() > 1 ? "# run " + run.name + "\n" : std::string(), run.config);
  }
  return section;
}

/// The version that made the first run that says so, else this one.
std::string version_of(const std::vector<RunRecord>& runs) {
  for (const RunRecord& run : runs) {
    for (const auto& [key, value] : run.environment) {
      if (key == "version") return value;
    }
  }
  return TARN_VERSION;
}

Section environment_section(const std::vector<RunRecord>& runs) {
  Section section{.title = "Environment and citation", .language = "bibtex"};
  Table table("", {{"", Align::left}, {"", Align::left}});
  for (const RunRecord& run : runs) {
    for (const auto& [key, value] : run.environment) {
      table.add_row({runs.size() > 1 ? fmt::format("{}: {}", run.name, key) : key, value});
    }
  }
  if (table.num_rows() > 0) section.tables.push_back(std::move(table));
  section.texts.emplace_back(
      "Please cite tarn as below, the papers of the readouts that you report (tarn describe "
      "NAME names "
      "them), and the source of your data.");
  section.verbatim = fmt::format(
      "@software{{tarn,\n  title = {{tarn: graph-based pooling in C++}},\n  author = {{{{The tarn "
      "maintainers}}}},\n"
      "  version = {{{}}},\n  license = {{Apache-2.0}}\n}}\n",
      version_of(runs));
  return section;
}

/// Everything a report says, whatever it is written as.
std::vector<Section> all_sections(const std::vector<RunRecord>& runs, const TrialSet& trials,
                                  const TestOptions& tests) {
  const std::string metric = runs.front().metric;
  const std::vector<Comparison> comparisons = compare(trials, metric);
  const bool finished =
      std::all_of(runs.begin(), runs.end(), [](const RunRecord& run) { return run.finished; });
  if (finished) std::for_each(comparisons.begin(), comparisons.end(), require_same_folds);
  const TrialSet epochs = joined(runs, &RunRecord::epochs);
  Styles styles = styles_for(comparisons, compare(epochs, metric));
  std::vector<Section> sections = {result_section(comparisons, runs)};
  sections.front().figures = metric_curves(comparisons, styles);
  for (Figure& figure : fold_plots(comparisons, styles))
    sections.front().figures.push_back(std::move(figure));
  sections.push_back(test_section(comparisons, tests));
  sections.back().figures = difference_plots(comparisons, styles, tests);
  for (Figure& figure : critical_difference_diagrams(comparisons, tests.correction))
    sections.back().figures.push_back(std::move(figure));
  const std::string shown = comparisons.empty() ? metric : comparisons.front().metric;
  sections.push_back({.title = "Training"});
  sections.back().figures = training_curves(epochs, shown, styles);
  sections.push_back({.title = "Pictures"});
  sections.back().figures = run_pictures(runs);
  sections.push_back({.title = "Inside one text"});
  std::vector<SampleText> samples;
  for (const RunRecord& run : runs) samples.insert(samples.end(), run.samples.begin(), run.samples.end());
  sections.back().figures = sample_pictures(samples);
  sections.push_back(detail_section(comparisons, trials));
  sections.push_back(settings_section(runs));
  sections.push_back(environment_section(runs));
  return sections;
}

bool is_empty(const Section& s) {
  return s.texts.empty() && s.tables.empty() && s.figures.empty() && s.verbatim.empty();
}

std::vector<std::string> warnings_of(const std::vector<RunRecord>& runs) {
  std::vector<std::string> warnings;
  for (const RunRecord& run : runs) {
    for (const std::string& text : run.warnings) {
      warnings.push_back(runs.size() > 1 ? fmt::format("{}: {}", run.name, text) : text);
    }
  }
  return warnings;
}

std::string html(const std::string& title, const std::vector<std::string>& warnings,
                 const std::vector<Section>& sections) {
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" "
      "content=\"width=device-width, "
      "initial-scale=1\"/>\n<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n"
      "<h1>{0}</h1>\n",
      escape_markup(title), style_sheet);
  for (const std::string& warning : warnings) {
    out += fmt::format("<p class=\"warning\">{}</p>\n", escape_markup(warning));
  }
  for (const Section& section : sections) {
    if (is_empty(section)) continue;
    out += fmt::format("<h2>{}</h2>\n", escape_markup(section.title));
    for (const Table& table : section.tables) out += "<div class=\"scroll\">\n" + table.html() + "</div>\n";
    for (const std::string& text : section.texts) out += fmt::format("<p>{}</p>\n", escape_markup(text));
    for (const Figure& figure : section.figures) {
      out += fmt::format("<figure>\n{}<figcaption>{}</figcaption>\n</figure>\n", figure.svg,
                         escape_markup(figure.caption));
    }
    if (!section.verbatim.empty()) out += fmt::format("<pre>{}</pre>\n", escape_markup(section.verbatim));
  }
  return out + "</body>\n</html>\n";
}

std::string markdown(const std::string& title, const std::vector<std::string>& warnings,
                     const std::vector<Section>& sections) {
  std::string out = fmt::format("# {}\n", title);
  for (const std::string& warning : warnings) out += fmt::format("\n> {}\n", warning);
  for (const Section& section : sections) {
    if (is_empty(section)) continue;
    out += fmt::format("\n## {}\n", section.title);
    for (const Table& table : section.tables) out += '\n' + table.markdown();
    for (const std::string& text : section.texts) out += fmt::format("\n{}\n", text);
    for (const Figure& figure : section.figures) {
      out += fmt::format("\n![{}](plots/{})\n", figure.caption, figure.file);
    }
    if (!section.verbatim.empty()) out += fmt::format("\n```{}\n{}```\n", section.language, section.verbatim);
  }
  return out;
}

/// One line per object, a column per key in order of first appearance.
std::string csv(const Value::List& objects) {
  std::vector<std::string> keys;
  for (const Value& object : objects) {
    for (const auto& entry : *object.table()) {
      if (std::find(keys.begin(), keys.end(), entry.first) == keys.end()) keys.push_back(entry.first);
    }
  }
  std::string out;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i > 0) out += ',';
    out += csv_field(keys[i]);
  }
  out += '\n';
  for (const Value& object : objects) {
    std::string line;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const Value* value = object.find(keys[i]);
      if (i > 0) line += ',';
      if (value != nullptr) line += csv_field(axis_text(*value));
    }
    out += line + '\n';
  }
  return out;
}

std::string trials_csv(const TrialSet& set) {
  Value::List rows;
  for (const Trial& trial : set.trials) {
    Value row{Value::Table{}};
    for (const auto& [name, value] : trial.axes) row.set(name, value);
    for (const auto& [name, value] : trial.metrics) row.set(name, value);
    rows.push_back(std::move(row));
  }
  return csv(rows);
}

std::string report_title(const std::vector<RunRecord>& runs) {
  std::string names;
  for (const RunRecord& run : runs) names += (names.empty() ? "" : " and ") + run.name;
  return "tarn: " + names;
}

}  // namespace

std::string write_report(const std::vector<std::string>& run_dirs, const std::string& out_dir,
                         const TestOptions& tests) {
  const std::vector<RunRecord> runs = read_runs(run_dirs);
  const TrialSet trials = joined(runs, &RunRecord::trials);
  const std::vector<Section> sections = all_sections(runs, trials, tests);
  const fs::path out(out_dir);
  std::error_code error;
  fs::create_directories(out / "plots", error);
  if (error)
    throw IoError(fmt::format("{}: cannot be created: {}", (out / "plots").string(), error.message()));
  for (const Section& section : sections) {
    for (const Figure& figure : section.figures)
      write_file_atomically(out / "plots" / figure.file, figure.svg);
  }
  const std::string title = report_title(runs);
  const std::vector<std::string> warnings = warnings_of(runs);
  write_file_atomically(out / "results.csv", trials_csv(trials));
  Size number = 0;
  for (const RunRecord& run : runs) {
    for (const Table& table : run.tables) {
      write_file_atomically(out / fmt::format("table-{}.csv", ++number), table.csv());
    }
  }
  write_file_atomically(out / "summary.csv", csv(*summarise_trials(trials).list()));
  write_file_atomically(out / "report.md", markdown(title, warnings, sections));
  write_file_atomically(out / "report.html", html(title, warnings, sections));
  return (out / "report.html").string();
}

}  // namespace tarn
