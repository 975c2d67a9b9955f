#pragma once

#include "tarn/core/real.hpp"
#include "tarn/core/rng.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tarn {

// Statistics of experiments: scores of several seeds or folds, paired between methods by seed or fold. Demsar
// 2006, "Statistical Comparisons of Classifiers over Multiple Data Sets", Journal of Machine Learning
// Research 7.
//
// Functions throw ValueError for empty input or a share, level or probability out of range, and ShapeError
// for sides of different length. What too few values leave undefined is nullopt, never zero.

// === One list of scores

struct Interval {
  double low = 0;
  double high = 0;
};

enum class Divisor { sample, population };  ///< n - 1, n

[[nodiscard]] double mean(std::span<const double> values);
[[nodiscard]] double median(std::span<const double> values);
/// nullopt for one value with the divisor n - 1.
[[nodiscard]] std::optional<double> standard_deviation(std::span<const double> values,
                                                       Divisor divisor = Divisor::sample);
/// mean +- t_{1-alpha/2, n-1} s / sqrt(n); nullopt for one value.
[[nodiscard]] std::optional<Interval> t_interval(std::span<const double> values, double level = 0.95);
/// Percentiles of the means of `resamples` draws with replacement; nullopt for one value. The same rng gives
/// the same interval.
[[nodiscard]] std::optional<Interval> bootstrap_interval(std::span<const double> values, const Rng& rng,
                                                         double level = 0.95, Size resamples = 10000);

/// What a table prints of one cell.
struct Summary {
  Size count = 0;
  double mean = 0;
  double median = 0;
  double min = 0;
  double max = 0;
  std::optional<double> deviation;       ///< divisor n - 1
  std::optional<double> standard_error;  ///< deviation / sqrt(count)
  std::optional<Interval> interval;      ///< t interval
};
[[nodiscard]] Summary summarise(std::span<const double> values, double level = 0.95);

// === Two methods, paired

/// A test of paired scores. Differences are a - b.
struct PairedTest {
  Size count = 0;                     ///< pairs
  double mean_difference = 0;         ///< mean(a - b)
  std::optional<double> statistic;    ///< t; nullopt where it is undefined
  std::optional<double> effect_size;  ///< d_z = mean(d) / s_d; nullopt where s_d is 0 or undefined
  std::optional<double> p;            ///< two-sided; nullopt for one pair
  std::optional<Interval> interval;   ///< 95 % of the mean difference, with the test's own standard error
  bool corrected = false;             ///< for overlapping training sets
  std::string remark;                 ///< why something is undefined, "" if nothing is
};

/// t = mean(d) / (s_d / sqrt(n)) with n - 1 degrees of freedom. Where all differences are equal (up to
/// rounding) t is undefined: p is 1 if they are 0, else 0, and the remark says so.
[[nodiscard]] PairedTest paired_t_test(std::span<const double> a, std::span<const double> b);

/// t = mean(d) / sqrt((1/J + n_test/n_train) s_d^2), J - 1 degrees of freedom, for J scores from overlapping
/// training sets. Nadeau & Bengio 2003, "Inference for the Generalization Error". `test_to_train` is
/// n_test/n_train.
[[nodiscard]] PairedTest corrected_resampled_t_test(std::span<const double> a, std::span<const double> b,
                                                    double test_to_train);

enum class WilcoxonMethod {
  automatic,  ///< exact for at most 50 differences without ties or zeros, else normal
  exact,      ///< all 2^n signs of the nonzero differences, ties and all
  normal,     ///< with the variance's tie term, without continuity correction
};

/// Wilcoxon signed-rank test. Zero differences are dropped; W = min(W+, W-).
struct WilcoxonTest {
  Size count = 0;  ///< nonzero differences
  double statistic = 0;
  double p = 1;
  bool exact = false;
  std::string remark;  ///< fewer than 6 differences: the smallest p that they can give
};
[[nodiscard]] WilcoxonTest wilcoxon_test(std::span<const double> differences,
                                         WilcoxonMethod method = WilcoxonMethod::automatic);

/// The smallest two-sided p that a signed-rank or sign test of n pairs can reach, 2^(1-n): 0.25 for 3 pairs.
[[nodiscard]] double smallest_signed_p(Size num_pairs);

/// a - b rounded to `decimals`, so that equal differences of decimal scores are equal numbers.
[[nodiscard]] std::vector<double> rounded_differences(std::span<const double> a, std::span<const double> b,
                                                      int decimals = 10);

/// Exact two-sided binomial test of `wins` against `losses` at 1/2; 1 if both are 0. With the numbers of
/// items that only one of two classifiers gets right it is McNemar's exact test; with the signs of paired
/// differences the sign test.
[[nodiscard]] double exact_binomial_test(Size wins, Size losses);

// === Several comparisons, several methods

/// adjusted_(i) = max over j <= i of min(1, (m - j + 1) p_(j)), in the order given.
[[nodiscard]] std::vector<double> holm(std::span<const double> p);
/// adjusted_(i) = min over j >= i of min(1, m p_(j) / j), in the order given.
[[nodiscard]] std::vector<double> benjamini_hochberg(std::span<const double> p);

/// Do k methods differ over n data sets? Ranks within each data set, 1 for the highest score, ties averaged.
struct FriedmanTest {
  std::vector<double> mean_ranks;  ///< one per method
  double statistic = 0;            ///< chi-square with k - 1 degrees of freedom, corrected for ties
  double p = 1;
};
/// scores[data set][method], at least two of each.
[[nodiscard]] FriedmanTest friedman_test(const std::vector<std::vector<double>>& scores);

// === Distributions

/// Two-sided p of Student's t; accurate to 1e-10 for 1 to 10^6 degrees of freedom.
[[nodiscard]] double student_t_p(double t, double degrees_of_freedom);
/// t with P(|T| <= t) = level.
[[nodiscard]] double student_t_quantile(double level, double degrees_of_freedom);

}  // namespace tarn
