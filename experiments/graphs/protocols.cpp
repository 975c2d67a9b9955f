#include "tarn/experiments/graphs/protocols.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

namespace tarn {

namespace {

bool is_better(double a, double b, Better better) {
  return better == Better::higher ? a > b : a < b;
}

std::string joined_path(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

/// A list of values to try, with its place in the configuration.
struct GridAxis {
  std::string path;
  const Value::List* values;
};

void collect_axes(const Value& table, const std::string& path, std::vector<GridAxis>& axes) {
  for (const auto& [key, value] : *table.table()) {
    const std::string own = joined_path(path, key);
    if (value.table() != nullptr) {
      collect_axes(value, own, axes);
    } else if (value.list() != nullptr && !value.list()->empty()) {
      axes.push_back({own, value.list()});
    } else {
      throw ConfigError(fmt::format("{}grid.{}: got {}; expected a list of values to try",
                                    value.where().empty() ? "" : value.where() + ": ", own, value.text()));
    }
  }
}

void write_point(const Value& table, const std::string& path, std::string& text) {
  for (const auto& [key, value] : *table.table()) {
    const std::string own = joined_path(path, key);
    if (value.table() != nullptr) {
      write_point(value, own, text);
    } else {
      text += fmt::format("{}{}={}", text.empty() ? "" : ", ", own,
                          value.string() != nullptr ? *value.string() : value.text());
    }
  }
}

}  // namespace

Size best_epoch(std::span<const double> values, Better better, OnTie tie) {
  std::size_t best = 0;
  for (std::size_t e = 1; e < values.size(); ++e) {
    const bool tied = values[e] == values[best] && tie == OnTie::latest;
    if (tied || is_better(values[e], values[best], better)) best = e;
  }
  return static_cast<Size>(best) + 1;
}

Size best_epoch(std::span<const double> values, Better better, std::span<const double> losses) {
  if (losses.size() != values.size()) {
    throw ShapeError(fmt::format("epochs: {} values and {} losses; expected as many of each", values.size(),
                                 losses.size()));
  }
  std::size_t best = 0;
  for (std::size_t e = 1; e < values.size(); ++e) {
    const bool tied = values[e] == values[best] && losses[e] < losses[best];
    if (tied || is_better(values[e], values[best], better)) best = e;
  }
  return static_cast<Size>(best) + 1;
}

Size common_best_epoch(const std::vector<std::vector<double>>& curves, Better better) {
  std::vector<double> sums(curves.empty() ? 0 : curves.front().size(), 0.0);
  for (const std::vector<double>& curve : curves) {
    if (curve.size() != sums.size()) {
      throw ShapeError(
          fmt::format("epochs: curves of {} and {}; expected one length", sums.size(), curve.size()));
    }
    for (std::size_t e = 0; e < sums.size(); ++e) sums[e] += curve[e];
  }
  return best_epoch(sums, better, OnTie::earliest);
}

bool out_of_patience(std::span<const double> values, Better better, Size patience) {
  if (values.empty()) return false;
  const Size best = best_epoch(values, better, OnTie::latest);
  return static_cast<Size>(values.size()) - best >= patience;
}

std::vector<Value> grid_points(const Value& grid) {
  std::vector<Value> points{Value(Value::Table{})};
  if (grid.is_null()) return points;
  if (grid.table() == nullptr) {
    throw ConfigError(fmt::format("grid: got {}; expected a table of lists", grid.text()));
  }
  std::vector<GridAxis> axes;
  collect_axes(grid, "", axes);
  for (const GridAxis& axis : axes) {
    std::vector<Value> longer;
    for (const Value& point : points) {
      for (const Value& value : *axis.values) {
        longer.push_back(point);
        longer.back().set_path(axis.path, value);
      }
    }
    points = std::move(longer);
  }
  return points;
}

std::string point_text(const Value& point) {
  std::string text;
  if (point.table() != nullptr) write_point(point, "", text);
  return text;
}

}  // namespace tarn
