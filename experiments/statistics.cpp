#include "tarn/experiments/statistics.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/experiments/metrics.hpp"

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

namespace tarn {

namespace {

void check_not_empty(std::string_view where, std::span<const double> values) {
  if (values.empty()) throw ValueError(fmt::format("{}: got no values; expected at least one", where));
}

void check_level(std::string_view where, double level) {
  if (!(level > 0 && level < 1)) {
    throw ValueError(fmt::format("{}: got level {}; expected a number in (0, 1)", where, level));
  }
}

void check_paired(std::string_view where, std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size()) {
    throw ShapeError(fmt::format("{}: got {} and {} scores; expected pairs from the same seeds or folds",
                                 where, a.size(), b.size()));
  }
  check_not_empty(where, a);
}

double sum_of_squares(std::span<const double> values, double centre) {
  double sum = 0;
  for (const double v : values) sum += (v - centre) * (v - centre);
  return sum;
}

/// The value at `share` of a sorted list, between neighbours in proportion.
double percentile(std::span<const double> sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (at - static_cast<double>(low)) * (sorted[high] - sorted[low]);
}

/// Both t tests: (1/n + extra_variance) s_d^2 is the variance of the mean difference.
PairedTest t_test(std::string_view where, std::span<const double> a, std::span<const double> b,
                  double extra_variance) {
  check_paired(where, a, b);
  std::vector<double> d(a.size());
  double largest = 0;
  for (std::size_t i = 0; i < d.size(); ++i) {
    d[i] = a[i] - b[i];
    largest = std::max({largest, std::abs(a[i]), std::abs(b[i])});
  }
  PairedTest test;
  test.count = static_cast<Size>(d.size());
  test.corrected = extra_variance > 0;
  test.mean_difference = mean(d);
  const auto deviation = standard_deviation(d);
  if (!deviation) {
    test.remark = "one pair: no test";
    return test;
  }
  // Scores that differ by the same amount still differ in the last bit of the subtraction.
  const double rounding = 8 * std::numeric_limits<double>::epsilon() * largest;
  if (*deviation <= rounding) {
    const bool same = std::abs(test.mean_difference) <= rounding;
    if (same) test.mean_difference = 0;
    test.p = same ? 1 : 0;
    test.interval = Interval{test.mean_difference, test.mean_difference};
    test.remark = same ? "all pairs are equal: t is undefined" : "all differences are equal: t is undefined";
    return test;
  }
  const auto n = static_cast<double>(d.size());
  test.effect_size = test.mean_difference / *deviation;
  const double standard_error = std::sqrt(1 / n + extra_variance) * *deviation;
  const double half = student_t_quantile(0.95, n - 1) * standard_error;
  test.statistic = test.mean_difference / standard_error;
  test.interval = Interval{test.mean_difference - half, test.mean_difference + half};
  test.p = student_t_p(*test.statistic, n - 1);
  return test;
}

/// Share of the 2^n sign patterns whose positive rank sum is at most `statistic`, doubled. Ranks are
/// multiples of 1/2, so the counts are over doubled ranks.
double exact_signed_rank_p(std::span<const double> ranks, double statistic) {
  const auto limit = static_cast<std::size_t>(std::llround(2 * statistic));
  std::vector<double> share(limit + 1, 0.0);  // of the patterns so far, by positive rank sum
  share[0] = 1;
  for (const double rank : ranks) {
    const auto step = static_cast<std::size_t>(std::llround(2 * rank));
    for (std::size_t sum = limit + 1; sum-- > 0;) {
      share[sum] = (share[sum] + (sum >= step ? share[sum - step] : 0)) / 2;
    }
  }
  return std::min(1.0, 2 * std::accumulate(share.begin(), share.end(), 0.0));
}

/// Sum of t^3 - t over the groups of equal values.
double tie_term(std::span<const double> values) {
  std::map<double, double> groups;
  for (const double v : values) groups[v] += 1;
  double sum = 0;
  for (const auto& [value, t] : groups) sum += t * t * t - t;
  return sum;
}

double normal_signed_rank_p(std::span<const double> magnitudes, double statistic) {
  const auto r = static_cast<double>(magnitudes.size());
  const double variance = r * (r + 1) * (2 * r + 1) / 24 - tie_term(magnitudes) / 48;
  const double z = (statistic - r * (r + 1) / 4) / std::sqrt(variance);
  return std::min(1.0, std::erfc(std::abs(z) / std::sqrt(2.0)));
}

/// Positions of p in ascending order.
std::vector<std::size_t> ascending(std::string_view where, std::span<const double> p) {
  for (const double value : p) {
    if (!(value >= 0 && value <= 1)) {
      throw ValueError(fmt::format("{}: got p {}; expected numbers in [0, 1]", where, value));
    }
  }
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return p[i] < p[j]; });
  return order;
}

}  // namespace

double mean(std::span<const double> values) {
  check_not_empty("mean", values);
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double median(std::span<const double> values) {
  check_not_empty("median", values);
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return percentile(sorted, 0.5);
}

std::optional<double> standard_deviation(std::span<const double> values, Divisor divisor) {
  check_not_empty("standard deviation", values);
  const auto n = static_cast<double>(values.size());
  const double degrees = divisor == Divisor::sample ? n - 1 : n;
  if (degrees == 0) return std::nullopt;
  return std::sqrt(sum_of_squares(values, mean(values)) / degrees);
}

std::optional<Interval> t_interval(std::span<const double> values, double level) {
  check_level("t interval", level);
  const auto deviation = standard_deviation(values);
  if (!deviation) return std::nullopt;
  const auto n = static_cast<double>(values.size());
  const double half = student_t_quantile(level, n - 1) * *deviation / std::sqrt(n);
  const double centre = mean(values);
  return Interval{centre - half, centre + half};
}

std::optional<Interval> bootstrap_interval(std::span<const double> values, const Rng& rng, double level,
                                           Size resamples) {
  check_level("bootstrap interval", level);
  check_not_empty("bootstrap interval", values);
  if (resamples < 1) {
    throw ValueError(fmt::format(
        "bootstrap interval: got {} resamples; expected a whole number of at least 1", resamples));
  }
  if (values.size() == 1) return std::nullopt;
  const auto n = static_cast<Size>(values.size());
  std::vector<double> means(static_cast<std::size_t>(resamples));
  std::uint64_t position = 0;
  for (double& m : means) {
    double sum = 0;
    for (Size i = 0; i < n; ++i) sum += values[static_cast<std::size_t>(rng.below(n, position++))];
    m = sum / static_cast<double>(n);
  }
  std::sort(means.begin(), means.end());
  return Interval{percentile(means, (1 - level) / 2), percentile(means, (1 + level) / 2)};
}

Summary summarise(std::span<const double> values, double level) {
  Summary summary;
  summary.count = static_cast<Size>(values.size());
  summary.mean = mean(values);
  summary.median = median(values);
  summary.min = *std::min_element(values.begin(), values.end());
  summary.max = *std::max_element(values.begin(), values.end());
  summary.deviation = standard_deviation(values);
  if (summary.deviation) {
    summary.standard_error = *summary.deviation / std::sqrt(static_cast<double>(values.size()));
  }
  summary.interval = t_interval(values, level);
  return summary;
}

PairedTest paired_t_test(std::span<const double> a, std::span<const double> b) {
  return t_test("paired t test", a, b, 0);
}

PairedTest corrected_resampled_t_test(std::span<const double> a, std::span<const double> b,
                                      double test_to_train) {
  if (!(test_to_train > 0)) {
    throw ValueError(
        fmt::format("corrected t test: got n_test/n_train = {}; expected a number above 0", test_to_train));
  }
  return t_test("corrected t test", a, b, test_to_train);
}

WilcoxonTest wilcoxon_test(std::span<const double> differences, WilcoxonMethod method) {
  check_not_empty("Wilcoxon test", differences);
  std::vector<double> kept, magnitudes;
  for (const double d : differences) {
    if (d == 0) continue;
    kept.push_back(d);
    magnitudes.push_back(std::abs(d));
  }
  WilcoxonTest test;
  test.count = static_cast<Size>(kept.size());
  if (kept.empty()) {
    test.remark = "all pairs are equal";
    return test;
  }
  const std::vector<double> ranks = average_ranks(magnitudes);
  double plus = 0, minus = 0;
  for (std::size_t i = 0; i < kept.size(); ++i) (kept[i] > 0 ? plus : minus) += ranks[i];
  test.statistic = std::min(plus, minus);
  const bool plain = kept.size() == differences.size() && kept.size() <= 50 && tie_term(magnitudes) == 0;
  test.exact = method == WilcoxonMethod::exact || (method == WilcoxonMethod::automatic && plain);
  test.p = test.exact ? exact_signed_rank_p(ranks, test.statistic)
                      : normal_signed_rank_p(magnitudes, test.statistic);
  if (test.count < 6) {
    test.remark =
        fmt::format("{} differences cannot give a p below {:.4g}", test.count, smallest_signed_p(test.count));
  }
  return test;
}

double smallest_signed_p(Size num_pairs) {
  return std::min(1.0, std::ldexp(1.0, static_cast<int>(1 - num_pairs)));
}

std::vector<double> rounded_differences(std::span<const double> a, std::span<const double> b, int decimals) {
  check_paired("differences", a, b);
  const double scale = std::pow(10.0, decimals);
  std::vector<double> result(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) result[i] = std::round((a[i] - b[i]) * scale) / scale;
  return result;
}

double exact_binomial_test(Size wins, Size losses) {
  if (wins < 0 || losses < 0) {
    throw ValueError(
        fmt::format("binomial test: got {} wins and {} losses; expected counts of at least 0", wins, losses));
  }
  if (wins == losses) return 1;
  const boost::math::binomial distribution(static_cast<double>(wins + losses), 0.5);
  return std::min(1.0, 2 * boost::math::cdf(distribution, static_cast<double>(std::min(wins, losses))));
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<double> adjusted(p.size());
  double largest = 0;
  auto factor = static_cast<double>(p.size());
  for (const std::size_t i : ascending("Holm", p)) {
    largest = std::max(largest, std::min(1.0, factor * p[i]));
    adjusted[i] = largest;
    factor -= 1;
  }
  return adjusted;
}

std::vector<double> benjamini_hochberg(std::span<const double> p) {
  const std::vector<std::size_t> order = ascending("Benjamini-Hochberg", p);
  std::vector<double> adjusted(p.size());
  double smallest = 1;
  for (std::size_t rank = order.size(); rank > 0; --rank) {
    const std::size_t i = order[rank - 1];
    smallest = std::min(smallest, p[i] * static_cast<double>(p.size()) / static_cast<double>(rank));
    adjusted[i] = smallest;
  }
  return adjusted;
}

FriedmanTest friedman_test(const std::vector<std::vector<double>>& scores) {
  const std::size_t num_methods = scores.empty() ? 0 : scores.front().size();
  if (scores.size() < 2 || num_methods < 2) {
    throw ValueError(
        fmt::format("Friedman test: got {} data sets and {} methods; expected at least 2 of each",
                    scores.size(), num_methods));
  }
  FriedmanTest test;
  test.mean_ranks.assign(num_methods, 0.0);
  const auto n = static_cast<double>(scores.size());
  const auto k = static_cast<double>(num_methods);
  double ties = 0;
  for (std::size_t row = 0; row < scores.size(); ++row) {
    if (scores[row].size() != num_methods) {
      throw ShapeError(fmt::format("Friedman test: data set {} has {} scores; expected {}, one per method",
                                   row, scores[row].size(), num_methods));
    }
    const std::vector<double> ranks = average_ranks(scores[row]);
    for (std::size_t j = 0; j < num_methods; ++j) test.mean_ranks[j] += (k + 1 - ranks[j]) / n;
    ties += tie_term(scores[row]);
  }
  const double correction = 1 - ties / (n * k * (k * k - 1));
  if (correction <= 0) return test;  // every data set ties all methods
  test.statistic = 12 * n / (k * (k + 1)) * sum_of_squares(test.mean_ranks, (k + 1) / 2) / correction;
  test.p = boost::math::cdf(boost::math::complement(boost::math::chi_squared(k - 1), test.statistic));
  return test;
}

double student_t_p(double t, double degrees_of_freedom) {
  return 2 *
         boost::math::cdf(boost::math::complement(boost::math::students_t(degrees_of_freedom), std::abs(t)));
}

double student_t_quantile(double level, double degrees_of_freedom) {
  check_level("t quantile", level);
  return boost::math::quantile(
      boost::math::complement(boost::math::students_t(degrees_of_freedom), (1 - level) / 2));
}

}  // namespace tarn
