#include "tarn/core/files.hpp"
#include "tarn/experiments/json.hpp"

#include "experiments/killed_runs.hpp"
#include "experiments/program_fixture.hpp"
#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>

using namespace tarn;
using Catch::Contains;
using Catch::StartsWith;

namespace {

namespace fs = std::filesystem;

/// A stress test of a few seconds: three readouts, small data, two seeds.
Program::Arguments small_stress(Program::Arguments more = {}) {
  Program::Arguments arguments{"run",
                               "stress",
                               "ratios=[0.5]",
                               "seeds=[0,1]",
                               "readouts=[\"mean\",\"adapool\",\"glot\"]",
                               "data.train=64",
                               "data.evaluation=32",
                               "seq_len=48",
                               "epochs=3",
                               "head_epochs=20",
                               "structure=false",
                               "distance=3"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/// Results without what differs from run to run: times, and the environment.
std::string timeless(const fs::path& results) {
  Value value = parse_json(read_file(results), results.string());
  value.set("environment", Value());
  for (const char* list : {"trials", "summary"}) {
    for (Value& entry : *value.find(list)->list()) {
      for (auto& [key, item] : *entry.table()) {
        if (key.starts_with("seconds")) item = Value();
      }
    }
  }
  return to_json(value, 1);
}

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream(path) << text;
}

/// A message is one line that begins as given; the exit code tells what kind.
void check_error(const Outcome& outcome, int code, const std::string& message) {
  CHECK(outcome.code == code);
  CHECK_THAT(outcome.err, Contains(message));
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
}

}  // namespace

TEST_CASE("wrong usage is told in one line with exit code 2", "[program][errors]") {
  const Program tarn;
  check_error(tarn({"rnu"}), 2, "tarn: unknown verb 'rnu'; did you mean 'run'? (known: run, report, ");
  check_error(tarn({"run"}), 2, "tarn run: CONFIG is required; see tarn run --help\n");
  check_error(tarn({"run", "stress", "--ot", "x"}), 2,
              "tarn run: unknown option '--ot'; did you mean '--out'?");
  check_error(tarn({"list", "readouts", "heads"}), 2, "tarn list: got 'heads' beyond what it takes");
  check_error(tarn({"list", "--threads", "-1"}), 2,
              "--threads: got -1; expected a whole number from 0 to 99999");
  check_error(tarn({"list", "--threads", "many"}), 2, "--threads: got many; expected a whole number");
  check_error(tarn({"list", "--threads"}), 2, "tarn list: --threads");
  check_error(tarn({"list", "readout"}), 2, "list: unknown family 'readout'; did you mean 'readouts'?");
  check_error(tarn({"describe", "glott"}), 2, "describe: unknown name 'glott'; did you mean 'glot'?");
  const Outcome bare = tarn({});
  CHECK(bare.code == 2);
  CHECK_THAT(bare.err, Contains("SUBCOMMAND"));
}

TEST_CASE("help and version are no errors", "[program]") {
  const Program tarn;
  CHECK(tarn({"--help"}).code == 0);
  CHECK_THAT(tarn({"run", "--help"}).out,
             Contains("--out DIR") && Contains("--threads") && Contains("--quiet"));
  CHECK_THAT(tarn({"generate", "--help"}).out, Contains("num_samples") && Contains("default 2000"));
  CHECK_THAT(tarn({"embed", "--help"}).out, Contains("checkpoint"));
  CHECK(tarn({"--version"}).out.find('.') != std::string::npos);
}

TEST_CASE("list and describe show operators and experiments", "[program]") {
  const Program tarn;
  const Outcome all = tarn({"list"});
  CHECK(all.code == 0);
  for (const char* name : {"adapool", "gat", "pair-classifier", "contrastive-loss", "stress"}) {
    CHECK_THAT(all.out, Contains(std::string("\n  ") + name + " "));
  }
  CHECK_THAT(tarn({"list", "readouts"}).out, StartsWith("readouts\n  mean ") && !Contains("gat "));
  const Outcome glot = tarn({"describe", "glot"});
  CHECK(glot.code == 0);
  CHECK_THAT(glot.out, StartsWith("glot (readouts)\n") && Contains("arXiv 2603.03389") &&
                           Contains("tau              0.3") &&
                           Contains("edge where the cosine exceeds this"));
  CHECK_THAT(tarn({"describe", "mean"}).out, Contains("no options"));
  CHECK_THAT(tarn({"describe", "x-pool"}).out,
             StartsWith("x-pool (query readouts)\n") && Contains("similarity_only"));
  CHECK_THAT(tarn({"list", "layer readouts"}).out, Contains("layer-mix"));
  CHECK_THAT(tarn({"list", "normalisers"}).out, StartsWith("normalisers\n  softmax-weights "));
  CHECK_THAT(tarn({"describe", "entmax-weights"}).out,
             StartsWith("entmax-weights (normalisers)\n") && Contains("alpha"));
  CHECK_THAT(tarn({"describe", "stress"}).out, Contains("data.store"));
}

TEST_CASE("bench times what its names ask for and writes JSON", "[program][slow]") {
  const Program tarn;
  check_error(tarn({"bench", "glott"}), 2, "unknown benchmark 'glott'");
  const Outcome gemm = tarn({"bench", "gemm/4096x64x64", "--json", "gemm.json"});
  CHECK(gemm.code == 0);
  CHECK_THAT(gemm.out, Contains("gemm/4096x64x64") && Contains("of product rate="));
  const Value json = parse_json(read_file(tarn / "gemm.json"), "gemm.json");
  REQUIRE(json.find("benchmarks") != nullptr);
  CHECK(json.find("benchmarks")->list()->size() == 1);
}

TEST_CASE("benchmarks of graphs and readouts count what they move and hold", "[program][slow]") {
  const Program tarn;
  const Outcome graphs = tarn({"bench", "graphs/graphs-demo/mean", "graphs/aggregate/gin", "--threads", "1"});
  CHECK(graphs.code == 0);
  CHECK_THAT(graphs.out, Contains("graphs/graphs-demo/mean") && Contains("s/epoch=") && Contains("s/run=") &&
                             Contains("graphs/aggregate/gin") && Contains("of copy rate="));
  const Outcome readout = tarn({"bench", "readouts/mean", "--json", "mean.json"});
  CHECK(readout.code == 0);
  const Value json = parse_json(read_file(tarn / "mean.json"), "mean.json");
  const Value& mean = json.find("benchmarks")->list()->front();
  // Nothing but the gradient of x and the result, and what the tape remembers.
  CHECK(mean.find("extra MiB")->number() >= 0);
  CHECK(mean.find("extra of x")->number() < 0.05);
}

TEST_CASE("benchmarks without their data say where to get it", "[program][errors]") {
  const Program tarn;
  const char* const before = ::getenv("TARN_DATA");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TARN_DATA", "nowhere", 1);
  const Outcome missing = tarn({"bench", "graphs/read/MUTAG"});
  ::setenv("TARN_DATA", kept.c_str(), 1);
  CHECK(missing.code == 1);
  CHECK_THAT(missing.err, Contains("MUTAG: not in nowhere") && Contains("expected MUTAG.zip"));
}

TEST_CASE("--log keeps what was asked and what went wrong", "[program]") {
  const Program tarn;
  CHECK(tarn({"describe", "glott", "--log", "log.txt"}).code == 2);
  CHECK(tarn({"--log", "log.txt", "list", "losses"}).code == 0);
  const std::string log = read_file(tarn / "log.txt");
  CHECK_THAT(log, Contains(" info ") && Contains("describe glott --log log.txt\n"));
  CHECK_THAT(log, Contains(" error describe: unknown name 'glott'"));
  CHECK_THAT(log, Contains(" info losses\n"));
  check_error(tarn({"list", "--log", "log.txt/more"}), 1,
              "log.txt/more: cannot be written; expected a path for the log that can be");
}

TEST_CASE("a configuration that cannot be used ends with code 2 and its place", "[program][errors]") {
  const Program tarn;
  check_error(tarn({"run", "strss"}), 2,
              "strss: no experiment and no file of that name; did you mean 'stress'?");
  write_text(tarn / "broken.toml", "experiment = \"stress\"\nratios = [0.5\n");
  check_error(tarn({"run", "broken.toml"}), 2, "broken.toml:2:15: not valid TOML");
  write_text(tarn / "nameless.toml", "ratios = [0.5]\n");
  check_error(tarn({"run", "nameless.toml"}), 2,
              "nameless.toml: names no experiment; expected a line such as");
  write_text(tarn / "other.toml", "\nexperiment = \"strass\"\n");
  check_error(tarn({"run", "other.toml"}), 2,
              "other.toml:2:1: unknown experiment 'strass'; did you mean 'stress'?");
  write_text(tarn / "typo.toml", "experiment = \"stress\"\nratio = [0.5]\n");
  check_error(tarn({"run", "typo.toml"}), 2,
              "typo.toml:2:1: unknown option 'ratio' for stress; did you mean 'ratios'?");
  write_text(tarn / "nested.toml", "experiment = \"stress\"\n[glot]\ntao = 0.4\n");
  check_error(tarn({"run", "nested.toml"}), 2,
              "nested.toml:3:1: unknown option 'tao' for glot; did you mean 'tau'?");
  check_error(tarn({"run", "stress", "epochs"}), 2, "command line: got 'epochs'; expected KEY=VALUE");
  check_error(tarn({"run", "stress", "batch=0"}), 2, "batch: got 0; expected a whole number of at least 1");
  check_error(tarn({"run", "stress", "ratios=[1.5]"}), 2,
              "ratios: got [1.5]; expected a list, each a number in [0, 1]");
  check_error(tarn({"run", "stress", "glot.dropout=1.7"}), 2,
              "glot.dropout: got 1.7; expected a number in [0, 1)");
  check_error(tarn({"run", "stress", "readouts=[\"glott\"]"}), 2,
              "unknown readout 'glott'; did you mean 'glot'?");
  check_error(tarn({"run", "stress", "seeds=[0,0]", "--out", "twice"}), 2, "twice");
  CHECK_FALSE(fs::exists(tarn / "runs"));
}

TEST_CASE("a run writes its directory, and the same command again ends the same", "[program][run]") {
  const Program tarn;
  const Outcome first = tarn(small_stress());
  REQUIRE(first.code == 0);
  CHECK_THAT(first.out, Contains("adapool") && Contains("report: runs/stress/report.html\n"));
  for (const char* file : {"config.toml", "metrics.jsonl", "results.json", "results.h5", "report.html"}) {
    CHECK(fs::exists(tarn / "runs/stress" / file));
  }
  const Value results = parse_json(read_file(tarn / "runs/stress/results.json"), "results");
  CHECK(*results.find("finished")->boolean());
  CHECK(results.find("trials")->list()->front().find("accuracy")->number().has_value());
  CHECK(results.find("summary")->list()->front().find("accuracy_mean")->number().has_value());
  const std::string before = read_file(tarn / "runs/stress/results.json");
  CHECK(tarn(small_stress()).code == 0);
  CHECK(read_file(tarn / "runs/stress/results.json") == before);
  check_error(tarn(small_stress({"lr=0.5"})), 2, "runs/stress: holds a run with lr = ");
  CHECK(tarn({"run", "runs/stress/config.toml", "--out", "runs/stress"}).code == 0);
  const Outcome inspected = tarn({"inspect", "runs/stress"});
  CHECK(inspected.code == 0);
  CHECK_THAT(inspected.out, Contains("experiment   \"stress\"") && !Contains("warning"));
}

TEST_CASE("results do not depend on the number of threads", "[program][run]") {
  const Program tarn;
  for (const char* threads : {"1", "2", "4"}) {
    REQUIRE(tarn(small_stress({"--threads", threads, "--out", threads})).code == 0);
    CHECK(timeless(tarn / threads / "results.json") == timeless(tarn / "1" / "results.json"));
  }
}

TEST_CASE("--quiet prints results alone", "[program][run]") {
  const Program tarn;
  const Outcome outcome = tarn(small_stress({"--quiet"}));
  CHECK(outcome.err.empty());
  CHECK_THAT(outcome.out, Contains("report: "));
}

TEST_CASE("an interrupted run says so and goes on to the same results", "[program][run]") {
  const Program tarn;
  REQUIRE(tarn(small_stress({"--out", "whole"})).code == 0);
  const pid_t child = tarn.start(small_stress({"--out", "cut"}));
  wait_for_progress(tarn / "cut", 1, [&] { return has_ended(child); });
  ::kill(child, SIGINT);
  const Outcome outcome = tarn.finish(child);
  CHECK(outcome.code == 130);
  CHECK_THAT(outcome.err, Contains("interrupted"));
  REQUIRE(tarn(small_stress({"--out", "cut"})).code == 0);
  CHECK(timeless(tarn / "cut/results.json") == timeless(tarn / "whole/results.json"));
}

TEST_CASE("a run killed again and again ends with the same results", "[program][run]") {
  const Program tarn;
  check_killed_runs(
      tarn,
      [](const std::string& out) {
        return small_stress({"--out", out});
      },
      10);
}

TEST_CASE("a run that cannot write ends with code 1, and goes on when it can", "[program][run][errors]") {
  const Program tarn;
  check_error(tarn(small_stress({"--quiet", "--out", "run"}), 3000), 1, "cannot be written: File too large");
  CHECK(tarn(small_stress({"--out", "run"})).code == 0);
}

TEST_CASE("a full disk ends a command with one line", "[program][errors]") {
  const Program tarn;
  const Outcome run = tarn.on_small_disk(small_stress({"--quiet", "--out", "disk/run"}), 64);
  if (run.code == Program::no_disk) {
    WARN("left out: no small disk can be mounted here");
    return;
  }
  check_error(run, 1, "cannot be written: No space left on device; expected a writable folder with room");
  check_error(tarn.on_small_disk({"generate", "stress", "disk/texts.jsonl"}, 64), 1,
              "disk/texts.jsonl: cannot be written: No space left on device");
}

TEST_CASE("reports of several runs stand in a folder of their own", "[program]") {
  const Program tarn;
  for (const char* out : {"a", "b"}) REQUIRE(tarn(small_stress({"seeds=[0]", "--out", out})).code == 0);
  const Outcome outcome = tarn({"report", "a", "b"});
  CHECK(outcome.code == 0);
  CHECK_THAT(outcome.out, Contains("report: report/report.html"));
  CHECK(tarn({"report", "a", "--out", "elsewhere"}).code == 0);
  CHECK(fs::exists(tarn / "elsewhere/report.html"));
  check_error(tarn({"report", "c"}), 1,
              "c: no such directory; expected a run directory as tarn run writes it");
  write_text(tarn / "b/results.json", "{\"trials\": [");
  check_error(tarn({"report", "b"}), 1, "b/results.json:1:");
}
