#include "tarn/experiments/run_record.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/experiments/json.hpp"

#include <fmt/format.h>

namespace tarn {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& where, std::string_view key, const Value& got,
                       std::string_view expected) {
  std::string text = got.text();
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  throw DataError(fmt::format("{}: '{}' is {}; expected {}", where, key, text, expected));
}

const Value::List& list_of(const Value& table, const std::string& where, std::string_view key) {
  static const Value::List none;
  const Value* value = table.find(key);
  if (value == nullptr || value->is_null()) return none;
  if (value->list() == nullptr) fail(where, key, *value, "a list");
  return *value->list();
}

std::vector<std::string> texts(const Value& table, const std::string& where, std::string_view key) {
  std::vector<std::string> result;
  for (const Value& item : list_of(table, where, key)) {
    if (item.string() == nullptr) fail(where, key, item, "a list of text");
    result.push_back(*item.string());
  }
  return result;
}

std::vector<double> numbers(const Value& value, const std::string& where, std::string_view key) {
  if (value.list() == nullptr) fail(where, key, value, "a list of numbers");
  std::vector<double> result;
  for (const Value& item : *value.list()) {
    const auto number = item.number();
    if (!number) fail(where, key, item, "a number");
    result.push_back(*number);
  }
  return result;
}

std::vector<Size> indices(const Value& table, const std::string& where, std::string_view key, Size count) {
  std::vector<Size> result;
  for (const Value& item : list_of(table, where, key)) {
    const Size* index = item.integer();
    if (index == nullptr || *index < 0 || *index >= count) {
      fail(where, key, item, fmt::format("indices from 0 to {}", count - 1));
    }
    result.push_back(*index);
  }
  return result;
}

SampleText read_sample(const Value& sample, const std::string& where) {
  SampleText result;
  result.tokens.names = texts(sample, where, "tokens");
  const auto count = static_cast<Size>(result.tokens.names.size());
  result.tokens.needle = indices(sample, where, "needle", count);
  result.tokens.pooled = indices(sample, where, "pooled", count);
  if (const Value* title = sample.find("title"); title != nullptr && title->string() != nullptr) {
    result.title = *title->string();
  }
  for (const Value& row : list_of(sample, where, "cosine"))
    result.cosine.push_back(numbers(row, where, "cosine"));
  const Value* weights = sample.find("weights");
  if (weights != nullptr && weights->table() != nullptr) {
    for (const auto& [readout, list] : *weights->table()) {
      result.weights.emplace_back(readout, numbers(list, where, "weights." + readout));
    }
  }
  return result;
}

void read_results(RunRecord& run, const fs::path& path) {
  const std::string where = path.string();
  const Value results = parse_json(read_file(path), where);
  if (results.table() == nullptr)
    throw DataError(fmt::format("{}: not an object; expected trials and summary", where));
  const std::vector<std::string> axes = texts(results, where, "axes");
  run.trials = read_trials(list_of(results, where, "trials"), where, axes);
  run.notes = texts(results, where, "notes");
  run.warnings = texts(results, where, "warnings");
  for (const Value& table : list_of(results, where, "tables"))
    run.tables.push_back(Table::read(table, where));
  if (const Value* metric = results.find("metric"); metric != nullptr && metric->string() != nullptr) {
    run.metric = *metric->string();
  }
  const Value* finished = results.find("finished");
  run.finished = finished == nullptr || finished->boolean() == nullptr || *finished->boolean();
  if (const Value* environment = results.find("environment");
      environment != nullptr && environment->table()) {
    for (const auto& [key, value] : *environment->table())
      run.environment.emplace_back(key, axis_text(value));
  }
}

/// Whole lines only: the last one may be cut short while the run writes.
Value::List read_lines(const fs::path& path) {
  const std::string text = read_file(path);
  Value::List lines;
  std::size_t begin = 0;
  for (Size number = 1; begin < text.size(); ++number) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;
    const std::string line = text.substr(begin, end - begin);
    if (!line.empty()) lines.push_back(parse_json(line, fmt::format("{}:{}", path.string(), number)));
    begin = end + 1;
  }
  return lines;
}

}  // namespace

RunRecord read_run(const fs::path& directory) {
  if (!fs::is_directory(directory)) {
    throw IoError(fmt::format("{}: no such directory; expected a run directory as tarn run writes it",
                              directory.string()));
  }
  RunRecord run;
  run.name = (directory / "").parent_path().filename().string();
  run.path = directory;
  run.pictures = read_pictures(directory);
  if (fs::exists(directory / "config.toml")) run.config = read_file(directory / "config.toml");
  if (fs::exists(directory / "results.json")) {
    read_results(run, directory / "results.json");
  } else if (const fs::path path = directory / "trials.jsonl"; fs::exists(path)) {
    run.trials = read_trials(read_lines(path), path.string());
  }
  if (!run.finished) {
    const std::size_t count = run.trials.trials.size();
    run.warnings.push_back(
        fmt::format("The run is not finished: {} {} so far.", count, count == 1 ? "trial" : "trials"));
  }
  if (const fs::path path = directory / "metrics.jsonl"; fs::exists(path)) {
    run.epochs = read_trials(read_lines(path), path.string(), run.trials.axes);
  }
  if (const fs::path path = directory / "tables.json"; fs::exists(path)) {
    const Value tables = parse_json(read_file(path), path.string());
    if (tables.list() == nullptr) throw DataError(path.string() + ": not a list; expected tables");
    for (const Value& table : *tables.list()) run.tables.push_back(Table::read(table, path.string()));
  }
  if (const fs::path path = directory / "sample.json"; fs::exists(path)) {
    const Value sample = parse_json(read_file(path), path.string());
    if (sample.list() != nullptr) {
      for (const Value& one : *sample.list()) run.samples.push_back(read_sample(one, path.string()));
    } else {
      run.samples.push_back(read_sample(sample, path.string()));
    }
  }
  return run;
}

}  // namespace tarn
