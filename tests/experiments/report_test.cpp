#include "tarn/experiments/report.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/experiments/comparison.hpp"
#include "tarn/experiments/environment.hpp"
#include "tarn/experiments/report_figures.hpp"
#include "tarn/experiments/run_directory.hpp"
#include "tarn/experiments/run_record.hpp"

#include "experiments/fake_run.hpp"
#include "experiments/markup.hpp"
#include <catch2/catch.hpp>

#include <algorithm>

using namespace tarn;
using namespace tarn_tests;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

/// The page without its first line, which is no element.
std::string body_of(const fs::path& page) {
  const std::string text = read_file(page);
  REQUIRE(text.rfind("<!DOCTYPE html>\n", 0) == 0);
  return text.substr(16);
}

std::vector<fs::path> pictures(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

TEST_CASE("a report holds tables, tests and pictures of a run", "[experiments][report]") {
  const Folder folder("report");
  write_fake_run(folder / "stress");
  CHECK(write_report({(folder / "stress").string()}, (folder / "out").string()) ==
        (folder / "out/report.html").string());

  const std::string page = body_of(folder / "out/report.html");
  CHECK(markup_fault(page) == "");
  CHECK_THAT(page, Contains("max &lt;&amp;&gt;"));
  CHECK_THAT(page, !Contains("max <&>"));
  CHECK_THAT(page, !Contains("<script") && !Contains("href=") && !Contains("src="));
  CHECK_THAT(page, !Contains("nan") && !Contains("inf "));
  for (const char* text :
       {"mode matched, encoder synthetic", "glot (window)", "Holm", "length-only", "12600",
        "smallest two-sided p", "says nothing about language", "dilution hurts", "precision"}) {
    CHECK_THAT(page, Contains(text));
  }
  const RunRecord run = read_run(folder / "stress");
  const std::string glot = headline_table(compare(run.trials).front()).html();
  CHECK_THAT(page, Contains(glot));

  std::vector<std::string> names;
  for (const fs::path& picture : pictures(folder / "out/plots")) {
    names.push_back(picture.filename().string());
    CHECK(markup_fault(read_file(picture)) == "");
  }
  CHECK(names == std::vector<std::string>{"accuracy-1.svg", "cosine-1.svg", "difference-1.svg",
                                          "difference-2.svg", "folds-1.svg", "ranks-1.svg", "ranks-2.svg",
                                          "ranks-3.svg", "ranks-4.svg", "ranks-5.svg", "training-1.svg",
                                          "training-2.svg", "training-3.svg", "training-4.svg",
                                          "training-5.svg", "weights-1.svg"});
  const std::string markdown = read_file(folder / "out/report.md");
  CHECK_THAT(markdown, Contains("| readout |") && Contains("](plots/accuracy-1.svg)"));
  const std::string trials = read_file(folder / "out/results.csv");
  CHECK(std::count(trials.begin(), trials.end(), '\n') == 1 + 4 * 5 * 3 + 9);
  CHECK(trials.rfind("readout,graph,mode,encoder,ratio,seed,accuracy,best_accuracy", 0) == 0);
  CHECK(!Contains("correct").match(trials));
  const std::string summary = read_file(folder / "out/summary.csv");
  CHECK(std::count(summary.begin(), summary.end(), '\n') == 1 + 4 * 5 + 3);
  CHECK_THAT(summary, Contains("accuracy_mean,accuracy_std,accuracy_low,accuracy_high"));
}

TEST_CASE("a run directory as runs write it gives a report", "[experiments][report]") {
  const Folder folder("report_format");
  const fs::path path = folder / "tokens";
  const auto axes = [](const char* readout, Size seed) {
    Value v;
    v.set("readout", readout);
    v.set("width", Size{3});
    v.set("seed", seed);
    return v;
  };
  const std::vector<Value> planned = {axes("glot", 0), axes("glot", 1), axes("mean", 0), axes("mean", 1)};
  Value config;
  config.set("experiment", "tokens");
  {
    RunDirectory run(path, config);
    run.restore(planned, [](const Value&) { return Size{0}; });
    for (const Value& trial : planned) {
      Value epoch;
      epoch.set("epoch", Size{1});
      epoch.set("loss", 0.5);
      run.add_epoch(trial, epoch);
      Value metrics;
      metrics.set("mcc", 0.25);
      run.finish_trial(trial, metrics);
    }
    run.finish(planned,
               {.experiment = "tokens", .metric = "mcc", .axes = {"width", "seed"}, .notes = {"A note."}});
  }
  static_cast<void>(write_report({path.string()}, (folder / "out").string()));
  const std::string page = read_file(folder / "out/report.html");
  CHECK(markup_fault(body_of(folder / "out/report.html")) == "");
  CHECK_THAT(page, Contains("mcc, percent: width 3") && Contains("A note.") && Contains("25.0 ± 0.0"));
  CHECK_THAT(page, Contains("version = {" + *environment().find("version")->string() + "}") &&
                       !Contains("not finished"));
  CHECK(fs::exists(folder / "out/plots/training-1.svg"));
}

TEST_CASE("the same run gives the same report", "[experiments][report]") {
  const Folder folder("report_again");
  write_fake_run(folder / "stress");
  for (const char* out : {"a", "b"}) {
    static_cast<void>(write_report({(folder / "stress").string()}, (folder / out).string()));
  }
  CHECK(read_file(folder / "a/report.html") == read_file(folder / "b/report.html"));
}

TEST_CASE("references come first among styles, then what was trained", "[experiments][report]") {
  const auto trials = [](const std::vector<const char*>& readouts) {
    Value::List list;
    for (const char* readout : readouts) {
      Value v;
      v.set("readout", readout);
      v.set("accuracy", 0.5);
      list.push_back(v);
    }
    return read_trials(list, "results.json");
  };
  const TrialSet results = trials({"length-only", "mean", "glot"}), epochs = trials({"mean", "glot"});
  Styles styles = styles_for(compare(results), compare(epochs));
  CHECK(styles.of("glot") == 0);
  CHECK(styles.of("mean") == 1);
  CHECK(styles.of("length-only") == 2);
}

TEST_CASE("several runs stand side by side", "[experiments][report]") {
  const Folder folder("report_two");
  write_fake_run(folder / "first");
  write_fake_run(folder / "second");
  static_cast<void>(
      write_report({(folder / "first").string(), (folder / "second").string()}, (folder / "out").string()));
  const std::string page = body_of(folder / "out/report.html");
  CHECK(markup_fault(page) == "");
  CHECK_THAT(page, Contains("mean (first)") && Contains("mean (second)") && Contains("# run second"));
  CHECK_THAT(read_file(folder / "out/results.csv"), Contains(",run"));
}

namespace {

/// A finished run of two readouts over folds of one data set, with a table of its own.
void write_fold_run(const fs::path& path, const std::string& dataset, Size folds_of_mean = 5) {
  Value::List trials;
  for (const char* readout : {"sum", "mean"}) {
    for (Size fold = 0; fold < (readout[0] == 'm' ? folds_of_mean : 5); ++fold) {
      Value v;
      v.set("dataset", dataset);
      v.set("readout", readout);
      v.set("fold", fold);
      v.set("accuracy", 0.7 + 0.02 * static_cast<double>(fold * fold % 3) + (readout[0] == 's' ? 0.1 : 0));
      trials.push_back(v);
    }
  }
  Table table("Protocol gin-cv", {{"readout", Align::left}, {"accuracy"}});
  table.add_row({"sum", Cell("82.0 ± 1.2", true)});
  Value results;
  results.set("metric", "accuracy");
  results.set("trials", trials);
  fs::create_directories(path);
  write_file_atomically(path / "tables.json", to_json(Value::List{table.value()}));
  write_file_atomically(path / "results.json", to_json(results));
}

}  // namespace

TEST_CASE("a run over folds shows its own table and every fold", "[experiments][report]") {
  const Folder folder("report_folds");
  write_fold_run(folder / "mutag", "MUTAG");
  write_fold_run(folder / "proteins", "PROTEINS");
  static_cast<void>(write_report({(folder / "mutag").string(), (folder / "proteins").string()},
                                 (folder / "out").string(), {.pairs = TestPairs::all}));
  const std::string page = body_of(folder / "out/report.html");
  CHECK(markup_fault(page) == "");
  CHECK_THAT(page, Contains("Protocol gin-cv") && Contains("<strong>82.0 ± 1.2</strong>") &&
                       Contains("Pale: single folds") && Contains("Mean ranks of accuracy over 2 datasets"));
  CHECK(fs::exists(folder / "out/plots/folds-1.svg"));
  CHECK(markup_fault(read_file(folder / "out/plots/folds-1.svg")) == "");
  CHECK(read_file(folder / "out/table-2.csv") == "readout,accuracy\nsum,82.0 ± 1.2\n");
}

TEST_CASE("finished methods without the same folds are not compared", "[experiments][report][errors]") {
  const Folder folder("report_unequal");
  write_fold_run(folder / "mutag", "MUTAG", 4);
  CHECK_THROWS_WITH(write_report({(folder / "mutag").string()}, (folder / "out").string()),
                    "comparison: sum has fold 4 and mean has not; expected the same folds of every method");
}

TEST_CASE("an unfinished run is reported as far as it came", "[experiments][report]") {
  const Folder folder("report_unfinished");
  const fs::path run = folder / "stress";
  fs::create_directories(run);
  const std::string out = (folder / "out").string();
  static_cast<void>(write_report({run.string()}, out));
  CHECK_THAT(read_file(folder / "out/report.html"),
             Contains("The run is not finished: 0 trials so far.") && Contains("No trial has finished yet"));

  // Epochs without results, the last line cut short.
  write_file_atomically(
      run / "metrics.jsonl",
      "{\"readout\": \"mean\", \"seed\": 0, \"epoch\": 1, \"accuracy\": 0.5}\n{\"readout\": \"me");
  static_cast<void>(write_report({run.string()}, out));
  CHECK(fs::exists(folder / "out/plots/training-1.svg"));

  // Trials that ended before the run did.
  write_file_atomically(run / "trials.jsonl",
                        "{\"readout\": \"mean\", \"seed\": 0, \"accuracy\": 0.5}\n{\"readout\": \"gl");
  static_cast<void>(write_report({run.string()}, out));
  CHECK_THAT(read_file(folder / "out/report.html"), Contains("The run is not finished: 1 trial so far."));
  CHECK_THAT(read_file(folder / "out/results.csv"), Contains("mean,0,0.5"));

  write_file_atomically(
      run / "results.json",
      "{\"finished\": false, \"trials\": [{\"readout\": \"mean\", \"seed\": 0, \"accuracy\": 0.5}]}");
  static_cast<void>(write_report({run.string()}, out));
  CHECK_THAT(
      read_file(folder / "out/report.html"),
      Contains("not finished: 1 trial so far") && Contains("One trial per cell: no interval and no test"));
}

TEST_CASE("a report refuses what it cannot read", "[experiments][report]") {
  const Folder folder("report_errors");
  const fs::path run = folder / "run";
  const std::string out = (folder / "out").string();
  CHECK_THROWS_WITH(write_report({}, out), "report: got no run; expected at least one run directory");
  CHECK_THROWS_AS(write_report({run.string()}, out), IoError);
  CHECK_THROWS_WITH(write_report({run.string()}, out),
                    Contains("no such directory; expected a run directory"));
  fs::create_directories(run);
  const auto with_results = [&](const char* text) {
    write_file_atomically(run / "results.json", text);
    static_cast<void>(write_report({run.string()}, out));
  };
  CHECK_THROWS_AS(with_results("{\"trials\": ["), DataError);
  CHECK_THROWS_WITH(with_results("[]"), Contains("not an object; expected trials and summary"));
  CHECK_THROWS_WITH(with_results("{\"trials\": 3}"), Contains("'trials' is 3; expected a list"));
  CHECK_THROWS_WITH(with_results("{\"trials\": [1]}"), Contains("entry 0 is 1; expected an object"));
  CHECK_THROWS_WITH(with_results("{\"trials\": [{\"accuracy\": [1]}]}"),
                    Contains("entry 0: 'accuracy' is [1]; expected text, a truth value or a number"));
  CHECK_THROWS_WITH(with_results("{\"notes\": [1]}"), Contains("'notes' is 1; expected a list of text"));
  write_file_atomically(run / "results.json", "{}");
  const auto with_sample = [&](const char* text) {
    write_file_atomically(run / "sample.json", text);
    static_cast<void>(write_report({run.string()}, out));
  };
  CHECK_THROWS_WITH(with_sample("{\"tokens\": [\"a\"], \"needle\": [1]}"),
                    Contains("'needle' is 1; expected indices from 0 to 0"));
  CHECK_THROWS_WITH(with_sample("{\"tokens\": [\"a\"], \"cosine\": [[\"x\"]]}"),
                    Contains("'cosine' is \"x\"; expected a number"));
  fs::remove(run / "sample.json");
  write_file_atomically(folder / "file", "");
  CHECK_THROWS_WITH(write_report({run.string()}, (folder / "file").string()), Contains("cannot be created"));
}
