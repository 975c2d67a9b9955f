#include "tarn/experiments/metrics.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace tarn {

namespace {

template <class A, class B>
void check_pairs(std::string_view where, std::string_view left, std::span<A> a, std::string_view right,
                 std::span<B> b) {
  if (a.size() != b.size()) {
    throw ShapeError(fmt::format("{}: got {} {} and {} {}; expected as many of each", where, a.size(), left,
                                 b.size(), right));
  }
  if (a.empty()) throw ValueError(fmt::format("{}: got no {}; expected at least one", where, left));
}

void check_finite(std::string_view where, std::string_view name, std::span<const double> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      throw ValueError(fmt::format("{}: {}[{}] is {}; expected finite numbers", where, name, i, values[i]));
    }
  }
}

struct Confusion {
  double tp = 0, fp = 0, fn = 0, tn = 0;
};

/// Counts of one class against all others.
Confusion confusion(std::span<const Size> predictions, std::span<const Size> labels, Size positive) {
  Confusion c;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const bool predicted = predictions[i] == positive;
    const bool actual = labels[i] == positive;
    (predicted ? (actual ? c.tp : c.fp) : (actual ? c.fn : c.tn)) += 1;
  }
  return c;
}

double f1_of(const Confusion& c) {
  const double denominator = 2 * c.tp + c.fp + c.fn;
  return denominator == 0 ? 0 : 2 * c.tp / denominator;
}

void check_binary(std::string_view where, std::span<const Size> predictions, std::span<const Size> labels) {
  check_pairs(where, "predictions", predictions, "labels", labels);
  const auto check = [&](std::string_view name, std::span<const Size> classes) {
    for (std::size_t i = 0; i < classes.size(); ++i) {
      if (classes[i] != 0 && classes[i] != 1) {
        throw ValueError(fmt::format("{}: {}[{}] is class {}; expected classes 0 and 1 alone", where, name, i,
                                     classes[i]));
      }
    }
  };
  check("predictions", predictions);
  check("labels", labels);
}

/// Correlation of two sides that are known to be finite and of one length.
double correlation(std::span<const double> a, std::span<const double> b) {
  const auto constant = [](std::span<const double> v) {
    return std::all_of(v.begin(), v.end(), [&](double x) { return x == v.front(); });
  };
  if (constant(a) || constant(b)) return 0;
  const auto n = static_cast<double>(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / n;
  const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / n;
  double aa = 0, bb = 0, ab = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
    ab += (a[i] - mean_a) * (b[i] - mean_b);
  }
  const double denominator = std::sqrt(aa) * std::sqrt(bb);
  return denominator == 0 ? 0 : std::clamp(ab / denominator, -1.0, 1.0);
}

void check_scores(std::string_view where, std::span<const double> scores, std::span<const double> targets) {
  check_pairs(where, "scores", scores, "targets", targets);
  check_finite(where, "scores", scores);
  check_finite(where, "targets", targets);
}

}  // namespace

double accuracy(std::span<const Size> predictions, std::span<const Size> labels) {
  check_pairs("accuracy", "predictions", predictions, "labels", labels);
  Size right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += predictions[i] == labels[i] ? 1 : 0;
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

double mcc(std::span<const Size> predictions, std::span<const Size> labels) {
  check_binary("mcc", predictions, labels);
  const Confusion c = confusion(predictions, labels, 1);
  // Counts stay below 2^53, so each factor is exact; roots taken in pairs keep the product in range.
  const double denominator =
      std::sqrt((c.tp + c.fp) * (c.tp + c.fn)) * std::sqrt((c.tn + c.fp) * (c.tn + c.fn));
  return denominator == 0 ? 0 : (c.tp * c.tn - c.fp * c.fn) / denominator;
}

double f1(std::span<const Size> predictions, std::span<const Size> labels) {
  check_binary("f1", predictions, labels);
  return f1_of(confusion(predictions, labels, 1));
}

double macro_f1(std::span<const Size> predictions, std::span<const Size> labels) {
  check_pairs("macro_f1", "predictions", predictions, "labels", labels);
  // Ordered by class, so that the sum has one order.
  std::map<Size, Confusion> classes;
  for (const Size label : labels) classes[label];
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (predictions[i] == labels[i]) {
      classes[labels[i]].tp += 1;
      continue;
    }
    classes[labels[i]].fn += 1;
    if (const auto it = classes.find(predictions[i]); it != classes.end()) it->second.fp += 1;
  }
  double sum = 0;
  for (const auto& [label, counts] : classes) sum += f1_of(counts);
  return sum / static_cast<double>(classes.size());
}

double balanced_accuracy(std::span<const Size> predictions, std::span<const Size> labels) {
  check_pairs("balanced_accuracy", "predictions", predictions, "labels", labels);
  std::map<Size, std::pair<double, double>> counts;  // right and all, by class
  for (std::size_t i = 0; i < labels.size(); ++i) {
    counts[labels[i]].first += predictions[i] == labels[i] ? 1 : 0;
    counts[labels[i]].second += 1;
  }
  double sum = 0;
  for (const auto& [label, count] : counts) sum += count.first / count.second;
  return sum / static_cast<double>(counts.size());
}

double pearson(std::span<const double> scores, std::span<const double> targets) {
  check_scores("pearson", scores, targets);
  return correlation(scores, targets);
}

double spearman(std::span<const double> scores, std::span<const double> targets) {
  check_scores("spearman", scores, targets);
  return correlation(average_ranks(scores), average_ranks(targets));
}

std::vector<double> average_ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    // Ranks begin+1 .. end, shared.
    const double shared = static_cast<double>(begin + 1 + end) / 2;
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = shared;
    begin = end;
  }
  return ranks;
}

void MetricSet::set(std::string_view name, double value) {
  for (auto& [known, old] : values_) {
    if (known == name) {
      old = value;
      return;
    }
  }
  values_.emplace_back(name, value);
}

std::optional<double> MetricSet::find(std::string_view name) const {
  for (const auto& [known, value] : values_) {
    if (known == name) return value;
  }
  return std::nullopt;
}

double MetricSet::at(std::string_view name) const {
  if (const auto value = find(name)) return *value;
  std::vector<std::string> known;
  for (const auto& entry : values_) known.push_back(entry.first);
  throw ValueError(fmt::format("metric: unknown name '{}'{}", name, suggestion(name, known)));
}

MetricSet classification_metrics(std::span<const Size> predictions, std::span<const Size> labels,
                                 Size num_classes) {
  MetricSet metrics;
  metrics.set("accuracy", accuracy(predictions, labels));
  if (num_classes == 2) {
    metrics.set("mcc", mcc(predictions, labels));
    metrics.set("f1", f1(predictions, labels));
  }
  metrics.set("macro_f1", macro_f1(predictions, labels));
  return metrics;
}

MetricSet correlation_metrics(std::span<const double> scores, std::span<const double> targets) {
  MetricSet metrics;
  metrics.set("spearman", spearman(scores, targets));
  metrics.set("pearson", pearson(scores, targets));
  metrics.set("correlation", (metrics.at("spearman") + metrics.at("pearson")) / 2);
  return metrics;
}

}  // namespace tarn
