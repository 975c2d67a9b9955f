#include "tarn/core/errors.hpp"
#include "tarn/experiments/config.hpp"
#include "tarn/experiments/experiment.hpp"
#include "tarn/experiments/interruption.hpp"
#include "tarn/experiments/report.hpp"
#include "tarn/experiments/verbs/verbs.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace tarn::verbs {

namespace {

namespace fs = std::filesystem;

/// What the user asked for: the experiment, the options given and the name of the run.
struct Request {
  const Experiment* experiment = nullptr;
  Value given{Value::Table{}};
  std::string name;
};

const Experiment& experiment_of(const Value& config, const std::string& where) {
  const Value* name = config.find("experiment");
  if (name == nullptr || name->string() == nullptr) {
    throw ConfigError(
        fmt::format("{}: names no experiment; expected a line such as experiment = \"stress\"", where));
  }
  const Experiment* experiment = experiments().find(*name->string());
  if (experiment == nullptr) {
    throw ConfigError(fmt::format("{}: unknown experiment '{}'{}", name->where(), *name->string(),
                                  suggestion(*name->string(), experiments().names())));
  }
  return *experiment;
}

Request read_request(const RunArguments& arguments) {
  Request request;
  if (experiments().find(arguments.config) != nullptr) {
    request.given.set("experiment", arguments.config);
    request.name = arguments.config;
  } else if (fs::exists(arguments.config)) {
    request.given = read_toml(arguments.config);
    request.name = fs::path(arguments.config).stem().string();
  } else {
    throw ConfigError(fmt::format("{}: no experiment and no file of that name{}", arguments.config,
                                  suggestion(arguments.config, experiments().names())));
  }
  apply_overrides(request.given, arguments.overrides);
  request.experiment = &experiment_of(request.given, arguments.config);
  return request;
}

Value without(const Value& table, std::string_view key) {
  Value result{Value::Table{}};
  for (const auto& [name, value] : *table.table()) {
    if (name != key) result.set(name, value);
  }
  return result;
}

}  // namespace

int run(const RunArguments& arguments, Console& console) {
  const Request request = read_request(arguments);
  const Value config = request.experiment->resolve(without(request.given, "experiment"));
  Value stored;
  stored.set("experiment", request.experiment->name());
  stored.merge(config);
  const fs::path out = arguments.out.empty() ? fs::path("runs") / request.name : fs::path(arguments.out);
  const InterruptionGuard guard;
  RunDirectory directory(out, stored);
  ExperimentContext context{.config = config, .run = directory, .console = console};
  request.experiment->run(context);
  console.result("report: " + write_report({out.string()}, out.string()));
  return 0;
}

}  // namespace tarn::verbs
