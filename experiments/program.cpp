#include "tarn/experiments/program.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/experiments/verbs/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>

namespace tarn {

namespace {

/// What every verb takes.
struct CommonArguments {
  int threads = 0;
  bool quiet = false;
  std::string log;
};

/// The verbs and their arguments; knows which one was given.
class CommandLine {
 public:
  CommandLine();

  /// Throws CLI::ParseError.
  void parse(int argc, char** argv) { app_.parse(argc, argv); }
  [[nodiscard]] int run(Console& console) const { return action_(console); }
  [[nodiscard]] bool has_verb() const { return static_cast<bool>(action_); }
  [[nodiscard]] const CommonArguments& common() const { return common_; }
  [[nodiscard]] std::string help() const { return app_.help(); }
  /// Prints help or version and returns 0 where that was asked for; else throws ConfigError.
  int explain(const CLI::ParseError& error) const;

 private:
  /// Adds a verb; `declare(app, arguments)` lists what it takes.
  template <class Arguments, class Declare>
  void add(const std::string& name, const std::string& help, int (*verb)(const Arguments&, Console&),
           Declare declare) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* app = app_.add_subcommand(name, help);
    declare(*app, *arguments);
    add_common(*app);
    app->callback([this, verb, arguments] {
      action_ = [verb, arguments](Console& console) { return verb(*arguments, console); };
    });
  }

  static std::string whole_number(const std::string& text);
  void add_common(CLI::App& app);
  void add_experiment_verbs();
  void add_catalogue_verbs();
  void add_data_verbs();
  void add_bench_verb();

  CLI::App app_{"Graph-based pooling: experiments and tools", "tarn"};
  CommonArguments common_;
  std::function<int(Console&)> action_;
};

CommandLine::CommandLine() {
  app_.set_version_flag("--version", TARN_VERSION);
  add_common(app_);
  app_.footer("tarn VERB --help tells what a verb takes.");
  add_experiment_verbs();
  add_catalogue_verbs();
  add_data_verbs();
  add_bench_verb();
}

std::string CommandLine::whole_number(const std::string& text) {
  const bool whole =
      !text.empty() && text.size() < 6 && text.find_first_not_of("0123456789") == std::string::npos;
  return whole ? "" : fmt::format("got {}; expected a whole number from 0 to 99999", text);
}

void CommandLine::add_common(CLI::App& app) {
  app.add_option("--threads", common_.threads, "worker threads; 0 is all cores")
      ->check(whole_number)
      ->type_name("N");
  app.add_flag("--quiet", common_.quiet, "no progress, no notes: results and errors alone");
  app.add_option("--log", common_.log, "append what happens to a file")->type_name("FILE");
}

void CommandLine::add_experiment_verbs() {
  add<verbs::RunArguments>(
      "run", "Run an experiment, or go on with one", verbs::run, [](CLI::App& app, auto& a) {
        app.add_option("CONFIG", a.config, "a TOML file, or a name from tarn list experiments")->required();
        app.add_option("KEY=VALUE", a.overrides,
                       "options by dotted path; values are TOML: seeds=[0,1] glot.tau=0.4");
        app.add_option("--out", a.out, "run directory (default runs/NAME)")->type_name("DIR");
      });
  add<verbs::ReportArguments>(
      "report", "Write a page with tables and plots of runs", verbs::report, [](CLI::App& app, auto& a) {
        app.add_option("RUN", a.runs, "run directories")->required();
        app.add_option("--out", a.out, "where to (default: the run, or ./report for several)")
            ->type_name("DIR");
        app.add_option("--pairs", a.pairs, "test every method against the reference, or all against all")
            ->check(CLI::IsMember({"reference", "all"}));
        app.add_option("--correction", a.correction, "for the number of tests")
            ->check(CLI::IsMember({"holm", "benjamini-hochberg"}));
      });
}

void CommandLine::add_catalogue_verbs() {
  add<verbs::ListArguments>(
      "list", "List operators and experiments", verbs::list, [](CLI::App& app, auto& a) {
        app.add_option("FAMILY", a.family, "readouts, convolutions, heads, losses or experiments");
      });
  add<verbs::DescribeArguments>(
      "describe", "Show options, formula and source of an operator or experiment", verbs::describe,
      [](CLI::App& app, auto& a) { app.add_option("NAME", a.name, "as tarn list shows it")->required(); });
  add<verbs::ConformArguments>(
      "conform", "Compare operators with golden files", verbs::conform, [](CLI::App& app, auto& a) {
        app.add_option("FILE", a.files, "golden files")->required();
        app.add_option("--case", a.pattern, "only cases whose name holds this; * and ? are wild")
            ->type_name("PATTERN");
        app.add_option("--operators", a.operators, "only cases of these")
            ->delimiter(',')
            ->type_name("A,B,...");
        app.add_flag("--known", a.known_only, "skip cases of unknown operators");
      });
}

void CommandLine::add_data_verbs() {
  add<verbs::ConvertArguments>(
      "convert", "Rewrite data as a store", verbs::convert, [](CLI::App& app, auto& a) {
        app.add_option(
               "KIND", a.kind,
               "store: a token store that is mapped instead of copied; tu: a TU folder or zip to a graph "
               "store, or that back to a folder; ogb: an OGB folder to a graph store; mesh: a folder or "
               "zip of meshes to a mesh store; fits: HEALPix maps of a FITS file to a store, or that back")
            ->required();
        app.add_option("INPUT", a.in)->required();
        app.add_option("OUTPUT", a.out)->required();
      });
  add<verbs::GenerateArguments>(
      "generate", "Write synthetic data", verbs::generate, [](CLI::App& app, auto& a) {
        app.add_option(
               "KIND", a.kind,
               "stress: texts of the stress test, as JSON lines; graphs: labelled graphs whose class lies "
               "in their structure, as a graph store; shapes, cube-engraving: meshes, as a mesh store or, "
               "where OUTPUT does not end in .h5, a folder of PLY files; fields: Gaussian fields on the "
               "sphere, as a "
               "store of maps or, likewise, a FITS file")
            ->required();
        app.add_option("OUTPUT", a.out)->required();
        app.add_option("KEY=VALUE", a.overrides);
        app.footer(verbs::generate_keys());
      });
  add<verbs::InspectArguments>("inspect", "Tell what a store, checkpoint or run holds, and verify it",
                               verbs::inspect, [](CLI::App& app, auto& a) {
                                 app.add_option("FILE", a.path, "a file, or a run directory")->required();
                                 app.add_option("--rows", a.rows, "show the first N texts of each split")
                                     ->check(whole_number)
                                     ->type_name("N");
                               });
  add<verbs::EmbedArguments>(
      "embed", "Pool every set of a token store", verbs::embed, [](CLI::App& app, auto& a) {
        app.add_option("STORE", a.store)->required();
        app.add_option("OUTPUT", a.out, "HDF5: pooled vectors, labels and ids of each split")->required();
        app.add_option("KEY=VALUE", a.overrides);
        app.footer(verbs::embed_keys() + "  others      are options of the readout");
      });
}

void CommandLine::add_bench_verb() {
  add<verbs::BenchArguments>(
      "bench", "Time products, graphs and readouts", verbs::bench, [](CLI::App& app, auto& a) {
        app.add_option("NAME", a.names, "benchmarks whose name holds this; none: all");
        app.add_option("--json", a.json, "write Google Benchmark's JSON as well")->type_name("FILE");
        app.add_option("--store", a.store, "token store for stress/epoch")->type_name("FILE");
        app.add_option("--split", a.split, "its split")->type_name("NAME");
      });
}

int CommandLine::explain(const CLI::ParseError& error) const {
  if (error.get_exit_code() == 0) return app_.exit(error);
  const std::vector<CLI::App*> given = app_.get_subcommands();
  const std::vector<std::string> left = app_.remaining(true);
  const CLI::App& app = given.empty() ? app_ : *given.front();
  const std::string where = given.empty() ? "tarn" : "tarn " + app.get_name();
  if (!left.empty() && left.front().starts_with("-")) {
    std::vector<std::string> options;
    for (const CLI::Option* option : app.get_options()) {
      if (option->nonpositional()) options.push_back(option->get_name());
    }
    throw ConfigError(
        fmt::format("{}: unknown option '{}'{}", where, left.front(), suggestion(left.front(), options)));
  }
  if (!left.empty() && given.empty()) {
    std::vector<std::string> verbs;
    for (const CLI::App* verb : app_.get_subcommands({})) verbs.push_back(verb->get_name());
    throw ConfigError(
        fmt::format("tarn: unknown verb '{}'{}", left.front(), suggestion(left.front(), verbs)));
  }
  if (!left.empty()) {
    throw ConfigError(
        fmt::format("{}: got '{}' beyond what it takes; see {} --help", where, left.front(), where));
  }
  throw ConfigError(fmt::format("{}: {}; see {} --help", where, error.what(), where));
}

/// Prints an error where the user looks for it and into the log; returns the exit code.
int fail(Log& log, const std::string& message, int code) {
  std::fprintf(stderr, "%s\n", message.c_str());
  log.error(message);
  return code;
}

template <class F>
int reporting_errors(Log& log, F f) {
  try {
    return f();
  } catch (const Error& error) {
    return fail(log, error.what(), error.exit_code());
  } catch (const std::bad_alloc&) {
    return fail(log, "tarn: out of memory; expected more, or a smaller batch or cache_mb", 1);
  } catch (const std::exception& error) {
    return fail(log, fmt::format("tarn: {}", error.what()), 1);
  }
}

std::string command_text(int argc, char** argv) {
  std::string text;
  for (int i = 0; i < argc; ++i) text += (i == 0 ? "" : " ") + std::string(argv[i]);
  return text;
}

}  // namespace

namespace {

/// Large blocks go back to the system when they are freed. Left to itself glibc keeps ever larger ones in the
/// heap of the thread that made them, where those that one thread reads and another frees pile up.
void return_large_blocks() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
#endif
}

}  // namespace

int run_program(int argc, char** argv) {
  return_large_blocks();
  Log none;
  return reporting_errors(none, [&] {
    CommandLine line;
    try {
      line.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return line.explain(error);
    }
    if (!line.has_verb()) {
      std::fputs(line.help().c_str(), stderr);
      return 2;
    }
    const CommonArguments& common = line.common();
    Console console(common.quiet ? Console::Talk::quiet : Console::Talk::normal,
                    common.log.empty() ? Log() : Log(common.log));
    console.log().info(command_text(argc, argv));
    const Threads threads(common.threads);
    return reporting_errors(console.log(), [&] { return line.run(console); });
  });
}

}  // namespace tarn
