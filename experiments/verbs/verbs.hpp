#pragma once

#include "tarn/core/real.hpp"
#include "tarn/experiments/console.hpp"

#include <string>
#include <vector>

namespace tarn::verbs {

// What the verbs of the program take and do. Each returns the exit code and throws a tarn::Error, whose
// message the program prints.

struct RunArguments {
  std::string config;  ///< a TOML file, or the name of an experiment
  std::vector<std::string> overrides;
  std::string out;  ///< run directory; empty: runs/NAME
};
int run(const RunArguments& arguments, Console& console);

struct ReportArguments {
  std::vector<std::string> runs;
  std::string out;  ///< empty: into the run directory of a single run, else `report`
  std::string pairs = "reference";
  std::string correction = "holm";
};
int report(const ReportArguments& arguments, Console& console);

struct ListArguments {
  std::string family;  ///< empty: all
};
int list(const ListArguments& arguments, Console& console);

struct DescribeArguments {
  std::string name;
};
int describe(const DescribeArguments& arguments, Console& console);

struct ConformArguments {
  std::vector<std::string> files;
  std::string pattern;
  std::vector<std::string> operators;
  bool known_only = false;
};
int conform(const ConformArguments& arguments, Console& console);

struct ConvertArguments {
  std::string kind;
  std::string in;
  std::string out;
};
int convert(const ConvertArguments& arguments, Console& console);

struct GenerateArguments {
  std::string kind;
  std::string out;
  std::vector<std::string> overrides;
};
int generate(const GenerateArguments& arguments, Console& console);

struct InspectArguments {
  std::string path;
  Size rows = 0;  ///< texts of each split to show
};
int inspect(const InspectArguments& arguments, Console& console);

struct EmbedArguments {
  std::string store;
  std::string out;
  std::vector<std::string> overrides;
};
int embed(const EmbedArguments& arguments, Console& console);

struct BenchArguments {
  std::vector<std::string> names;  ///< parts of benchmarks' names; empty: all
  std::string json;
  std::string store;
  std::string split = "train";
};
/// Throws ConfigError in a program built without benchmarks.
int bench(const BenchArguments& arguments, Console& console);
/// Help of the keys that embed and generate take, for the command line's help.
[[nodiscard]] std::string embed_keys();
[[nodiscard]] std::string generate_keys();

}  // namespace tarn::verbs
