#include "tarn/experiments/run_directory.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/core/h5.hpp"
#include "tarn/experiments/config.hpp"
#include "tarn/experiments/environment.hpp"
#include "tarn/experiments/json.hpp"
#include "tarn/experiments/trials.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace tarn {

namespace {

namespace fs = std::filesystem;

std::string json_line(const Value& value) {
  return to_json(value, -1, NonFinite::null) + "\n";
}

std::vector<Value> read_lines(const fs::path& path) {
  return fs::exists(path) ? parse_json_lines(read_file(path), path.string()) : std::vector<Value>{};
}

enum class Sync { later, now };

/// Appends in one write: after a crash the line is there whole or, cut short, ignored.
void append_line(const fs::path& path, const std::string& line, Sync sync) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) throw_write_error(path, system_message());
  std::string_view rest = line;
  bool good = true;
  while (good && !rest.empty()) {
    const ssize_t written = ::write(file, rest.data(), rest.size());
    good = written >= 0 || errno == EINTR;
    if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
  }
  good = good && (sync == Sync::later || ::fdatasync(file) == 0);
  const std::string message = system_message();
  ::close(file);
  if (!good) throw_write_error(path, message);
}

/// The entries of `line` whose keys are axes of `axes`.
Value axes_of(const Value& line, const Value& axes) {
  Value result{Value::Table{}};
  for (const auto& [key, value] : *axes.table()) {
    if (const Value* own = line.find(key)) result.set(key, *own);
  }
  return result;
}

Value joined(const Value& axes, const Value& more) {
  Value result = axes;
  for (const auto& [key, value] : *more.table()) result.set(key, value);
  return result;
}

/// A column of numbers where all its values are numbers or missing, else of text.
void write_column(h5::Group& group, const std::string& name, const Value::List& rows) {
  std::vector<double> numbers;
  std::vector<std::string> texts;
  bool numeric = true;
  for (const Value& row : rows) {
    const Value* value = row.find(name);
    const bool missing = value == nullptr || value->is_null();
    const std::optional<double> number = missing ? std::nan("") : value->number();
    numeric = numeric && number.has_value();
    numbers.push_back(number.value_or(0));
    texts.push_back(missing ? "" : value->string() != nullptr ? *value->string() : value->text());
  }
  if (numeric) {
    group.write(name, numbers);
  } else {
    group.write(name, texts);
  }
}

void write_table(h5::File& file, const std::string& name, const Value::List& rows) {
  h5::Group group = file.create_group(name);
  std::set<std::string> written;
  for (const Value& row : rows) {
    for (const auto& entry : *row.table()) {
      if (written.insert(entry.first).second) write_column(group, entry.first, rows);
    }
  }
}

}  // namespace

FileLock::FileLock(const fs::path& path) : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (file_ < 0) throw_write_error(path, system_message());
  if (::flock(file_, LOCK_EX | LOCK_NB) == 0) return;
  ::close(file_);
  throw IoError(
      fmt::format("{}: another process runs here; expected one at a time", path.parent_path().string()));
}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

FileLock::~FileLock() {
  if (file_ >= 0) ::close(file_);
}

RunDirectory::RunDirectory(fs::path path, const Value& config) : path_(std::move(path)) {
  const fs::path file = path_ / "config.toml";
  if (!fs::exists(file)) require_unused();
  std::error_code failure;
  fs::create_directories(path_ / "checkpoints", failure);
  if (failure) throw_write_error(path_, failure.message());
  lock_ = FileLock(path_ / "lock");
  if (started()) {
    require_same_config(config);
  } else {
    write_file_atomically(file, write_toml(config));
  }
}

void RunDirectory::require_unused() const {
  if (fs::exists(path_) && !fs::is_directory(path_)) {
    throw ConfigError(fmt::format("{}: is a file; expected a directory for the run", path_.string()));
  }
  // A run that died before it wrote its configuration leaves these behind.
  static const std::set<std::string> own = {"checkpoints", "lock", "config.toml.part"};
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(path_, none)) {
    if (own.count(entry.path().filename().string()) != 0) continue;
    throw ConfigError(
        fmt::format("{}: holds '{}' but no run; expected a run directory, an empty one or a new one",
                    path_.string(), entry.path().filename().string()));
  }
}

bool RunDirectory::started() const {
  for (const char* name : {"metrics.jsonl", "trials.jsonl", "results.json"}) {
    std::error_code none;
    if (const auto bytes = fs::file_size(path_ / name, none); !none && bytes > 0) return true;
  }
  return false;
}

void RunDirectory::keep(const std::string& name, const std::string& text, const std::string& what) const {
  const fs::path file = path_ / name;
  if (!fs::exists(file) || !started()) {
    write_file_atomically(file, text);
  } else if (read_file(file) != text) {
    throw ConfigError(
        fmt::format("{}: holds other {} than the set gives now; expected the same, or --out with another "
                    "directory",
                    file.string(), what));
  }
}

void RunDirectory::require_same_config(const Value& config) const {
  const fs::path file = path_ / "config.toml";
  const Value stored = read_toml(file);
  const std::string key = first_difference(stored, parse_toml(write_toml(config), file.string()));
  if (key.empty()) return;
  const auto shown = [&](const Value& table) {
    const Value* value = table.find_path(key);
    return value == nullptr ? std::string("nothing") : value->text();
  };
  throw ConfigError(
      fmt::format("{}: holds a run with {} = {}, but this one has {}; expected the same configuration, or "
                  "--out with another "
                  "directory",
                  path_.string(), key, shown(stored), shown(config)));
}

std::string RunDirectory::trial_name(const Value& axes) {
  std::string name;
  for (const auto& [key, value] : *axes.table()) {
    if (value.is_null()) continue;
    name += (name.empty() ? "" : "-") + (value.string() != nullptr ? *value.string() : value.text());
  }
  std::replace_if(
      name.begin(), name.end(),
      [](unsigned char c) { return !(std::isalnum(c) || c == '.' || c == '-' || c == '_'); }, '_');
  return name;
}

fs::path RunDirectory::checkpoints(const Value& axes) const {
  return path_ / "checkpoints" / trial_name(axes);
}

void RunDirectory::restore(const std::vector<Value>& planned_axes,
                           const std::function<Size(const Value& axes)>& epochs_kept) {
  const std::lock_guard guard(mutex_);
  std::map<std::string, const Value*> planned;
  for (const Value& axes : planned_axes) {
    if (!planned.emplace(trial_name(axes), &axes).second) {
      throw ConfigError(fmt::format("{}: trial {} is planned twice; expected lists without repeats",
                                    path_.string(), trial_name(axes)));
    }
  }
  const auto name_of = [&](const Value& line) {
    for (const auto& [name, axes] : planned) {
      if (axes_of(line, *axes) == *axes) return name;
    }
    return std::string();
  };
  for (const Value& line : read_lines(path_ / "trials.jsonl")) {
    if (const std::string name = name_of(line); !name.empty()) finished_[name] = line;
  }
  for (const Value& line : read_lines(path_ / "metrics.jsonl")) {
    // A line written twice comes from a run that went on after a crash: the first one counts.
    const std::string name = name_of(line);
    if (name.empty()) continue;
    std::vector<Value>& own = epochs_[name];
    const Value* epoch = line.find("epoch");
    if (epoch != nullptr && epoch->number() == static_cast<double>(own.size() + 1)) own.push_back(line);
  }
  for (const Value& axes : planned_axes) forget_beyond_checkpoint(axes, epochs_kept);
  rewrite_lines(planned_axes);
}

void RunDirectory::forget_beyond_checkpoint(const Value& axes,
                                            const std::function<Size(const Value& axes)>& epochs_kept) {
  const std::string name = trial_name(axes);
  if (finished_.count(name) != 0) return;
  std::vector<Value>& own = epochs_[name];
  const Size kept = epochs_kept(axes);
  if (static_cast<Size>(own.size()) >= kept) {
    own.resize(static_cast<std::size_t>(kept));
  } else {
    own.clear();
    std::filesystem::remove_all(checkpoints(axes));
  }
}

void RunDirectory::rewrite_lines(const std::vector<Value>& planned_axes) const {
  std::string metrics, trials;
  for (const Value& axes : planned_axes) {
    const std::string name = trial_name(axes);
    if (const auto own = epochs_.find(name); own != epochs_.end()) {
      for (const Value& line : own->second) metrics += json_line(line);
    }
    if (const auto line = finished_.find(name); line != finished_.end()) trials += json_line(line->second);
  }
  write_file_atomically(path_ / "metrics.jsonl", metrics);
  write_file_atomically(path_ / "trials.jsonl", trials);
}

const Value* RunDirectory::finished(const Value& axes) const {
  const std::lock_guard guard(mutex_);
  const auto it = finished_.find(trial_name(axes));
  return it == finished_.end() ? nullptr : &it->second;
}

std::vector<Value> RunDirectory::epochs(const Value& axes) const {
  const std::lock_guard guard(mutex_);
  const auto it = epochs_.find(trial_name(axes));
  return it == epochs_.end() ? std::vector<Value>{} : it->second;
}

void RunDirectory::add_epoch(const Value& axes, const Value& record) {
  const std::lock_guard guard(mutex_);
  const Value line = joined(axes, record);
  append_line(path_ / "metrics.jsonl", json_line(line), Sync::later);
  epochs_[trial_name(axes)].push_back(line);
}

void RunDirectory::finish_trial(const Value& axes, const Value& metrics) {
  const std::lock_guard guard(mutex_);
  const Value line = joined(axes, metrics);
  append_line(path_ / "trials.jsonl", json_line(line), Sync::now);
  finished_[trial_name(axes)] = line;
}

void RunDirectory::finish(const std::vector<Value>& planned_axes, const RunSummary& summary) {
  Value::List trials, epochs;
  for (const Value& axes : planned_axes) {
    if (const Value* line = finished(axes)) trials.push_back(*line);
    for (const Value& line : this->epochs(axes)) epochs.push_back(line);
  }
  Value results;
  results.set("experiment", summary.experiment);
  results.set("finished", trials.size() == planned_axes.size());
  results.set("metric", summary.metric);
  results.set("axes", Value::List(summary.axes.begin(), summary.axes.end()));
  results.set("summary", summarise_trials(read_trials(trials, "trials", summary.axes)));
  results.set("trials", trials);
  results.set("notes", Value::List(summary.notes.begin(), summary.notes.end()));
  results.set("warnings", Value::List(summary.warnings.begin(), summary.warnings.end()));
  Value::List tables;
  for (const Table& table : summary.tables) tables.push_back(table.value());
  results.set("environment", environment());
  rewrite_lines(planned_axes);
  write_results_h5(trials, epochs);
  if (!tables.empty()) write_file_atomically(path_ / "tables.json", to_json(tables, 1) + "\n");
  write_file_atomically(path_ / "results.json", to_json(results, 1, NonFinite::null) + "\n");
}

void RunDirectory::write_results_h5(const Value::List& trials, const Value::List& epochs) const {
  h5::write_atomically(path_ / "results.h5", [&](h5::File& file) {
    write_table(file, "trials", trials);
    write_table(file, "epochs", epochs);
  });
}

}  // namespace tarn
