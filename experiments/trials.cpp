#include "tarn/experiments/trials.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/experiments/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace tarn {

namespace {

constexpr std::array<std::string_view, 9> number_axes = {"ratio", "seed",     "fold",   "repeat", "train",
                                                         "layer", "distance", "length", "width"};

template <class Range, class T>
bool contains(const Range& range, const T& value) {
  return std::find(range.begin(), range.end(), value) != range.end();
}

void add_name(std::vector<std::string>& names, const std::string& name) {
  if (!contains(names, name)) names.push_back(name);
}

/// The axes of a trial without its repeats, as one text.
std::string cell_key(const Trial& trial) {
  std::string key;
  for (const auto& [name, value] : trial.axes) {
    if (!is_repeat_axis(name)) key += name + '\x1f' + axis_text(value) + '\x1e';
  }
  return key;
}

Value optional_value(const std::optional<double>& v) {
  return v ? Value(*v) : Value();
}

Value summarise_cell(const std::vector<const Trial*>& trials, const std::vector<std::string>& metrics) {
  Value cell;
  for (const auto& [name, value] : trials.front()->axes) {
    if (!is_repeat_axis(name)) cell.set(name, value);
  }
  cell.set("trials", static_cast<Size>(trials.size()));
  for (const std::string& metric : metrics) {
    std::vector<double> values;
    for (const Trial* trial : trials) {
      if (const auto v = trial->metric(metric)) values.push_back(*v);
    }
    if (values.empty()) continue;
    const Summary summary = summarise(values);
    cell.set(metric + "_mean", summary.mean);
    cell.set(metric + "_std", optional_value(summary.deviation));
    cell.set(metric + "_low", summary.interval ? Value(summary.interval->low) : Value());
    cell.set(metric + "_high", summary.interval ? Value(summary.interval->high) : Value());
  }
  return cell;
}

}  // namespace

const Value& Trial::axis(std::string_view name) const {
  static const Value none;
  for (const auto& [known, value] : axes) {
    if (known == name) return value;
  }
  return none;
}

std::optional<double> Trial::metric(std::string_view name) const {
  for (const auto& [known, value] : metrics) {
    if (known == name) return value;
  }
  return std::nullopt;
}

void TrialSet::add(Trial trial) {
  for (const auto& axis : trial.axes) add_name(axes, axis.first);
  for (const auto& metric : trial.metrics) add_name(metrics, metric.first);
  trials.push_back(std::move(trial));
}

TrialSet read_trials(const Value::List& objects, const std::string& where,
                     std::span<const std::string> axes) {
  TrialSet set;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const Value::Table* entries = objects[i].table();
    if (entries == nullptr) {
      throw DataError(fmt::format("{}: entry {} is {}; expected an object", where, i, objects[i].text()));
    }
    Trial trial;
    for (const auto& [name, value] : *entries) {
      const bool named = contains(number_axes, name) || contains(axes, name);
      if (name == "correct" && value.string() != nullptr) {
        trial.correct = *value.string();
      } else if (value.string() != nullptr || value.boolean() != nullptr || (named && value.number())) {
        trial.axes.emplace_back(name, value);
      } else if (const auto number = value.number()) {
        trial.metrics.emplace_back(name, *number);
      } else if (!value.is_null()) {
        throw DataError(fmt::format("{}: entry {}: '{}' is {}; expected text, a truth value or a number",
                                    where, i, name, value.text()));
      }
    }
    set.add(std::move(trial));
  }
  return set;
}

bool is_repeat_axis(std::string_view name) {
  return name == "seed" || name == "fold" || name == "repeat";
}

bool is_share(std::string_view metric) {
  constexpr std::array<std::string_view, 10> shares = {
      "accuracy", "mcc", "f1", "macro_f1", "pearson", "spearman", "correlation", "auc", "average_precision", "iou"};
  return metric.starts_with("recall_") ||
         std::any_of(shares.begin(), shares.end(), [&](std::string_view share) {
           return metric == share || metric.ends_with(fmt::format("_{}", share));
         });
}

bool is_lower_better(std::string_view metric) {
  constexpr std::array<std::string_view, 6> losses = {"loss", "error", "mae", "mse", "rmse", "rank"};
  return std::any_of(losses.begin(), losses.end(), [&](std::string_view loss) {
    return metric == loss || metric.ends_with(fmt::format("_{}", loss));
  });
}

std::string axis_text(const Value& value) {
  if (value.is_null()) return "";
  if (value.string() != nullptr) return *value.string();
  if (const auto number = value.number()) return fmt::format("{}", *number);
  return value.text();
}

Value summarise_trials(const TrialSet& set) {
  std::vector<std::pair<std::string, std::vector<const Trial*>>> cells;
  for (const Trial& trial : set.trials) {
    const std::string key = cell_key(trial);
    auto cell = std::find_if(cells.begin(), cells.end(), [&](const auto& c) { return c.first == key; });
    if (cell == cells.end()) cell = cells.insert(cells.end(), {key, {}});
    cell->second.push_back(&trial);
  }
  Value::List result;
  for (const auto& [key, trials] : cells) result.push_back(summarise_cell(trials, set.metrics));
  return result;
}

std::string pack_correct(std::span<const Size> predictions, std::span<const Size> labels) {
  if (predictions.size() != labels.size()) {
    throw ShapeError(fmt::format("correct items: got {} predictions and {} labels; expected as many of each",
                                 predictions.size(), labels.size()));
  }
  std::string packed = fmt::format("{}:", labels.size());
  for (std::size_t begin = 0; begin < labels.size(); begin += 4) {
    int digit = 0;
    for (std::size_t i = begin; i < begin + 4; ++i) {
      digit = 2 * digit + (i < labels.size() && predictions[i] == labels[i] ? 1 : 0);
    }
    packed += fmt::format("{:x}", digit);
  }
  return packed;
}

std::vector<bool> unpack_correct(std::string_view packed) {
  const auto fail = [&]() {
    throw DataError(
        fmt::format("correct items: got \"{}\"; expected COUNT:HEX with a digit for every four items",
                    packed.substr(0, 24)));
  };
  const std::size_t colon = packed.find(':');
  std::size_t count = 0;
  if (colon == std::string_view::npos) fail();
  const auto [end, error] = std::from_chars(packed.data(), packed.data() + colon, count);
  const std::string_view digits = packed.substr(colon + 1);
  if (error != std::errc() || end != packed.data() + colon || digits.size() != (count + 3) / 4) fail();
  std::vector<bool> correct;
  for (const char c : digits) {
    const std::size_t digit = std::string_view("0123456789abcdef").find(c);
    if (digit == std::string_view::npos) fail();
    for (int bit = 3; bit >= 0 && correct.size() < count; --bit) correct.push_back(((digit >> bit) & 1) != 0);
  }
  return correct;
}

}  // namespace tarn
