#include "tarn/experiments/statistics.hpp"

#include "tarn/core/errors.hpp"

#include <catch2/catch.hpp>

#include <cmath>

using namespace tarn;
using Scores = std::vector<double>;

namespace {

Approx exactly(double value) {
  return Approx(value).epsilon(1e-12);
}

// Ten folds of two methods: the worked example of the protocol for graph classification.
const Scores a{.8947, .8421, .9474, .8421, .8947, .7895, .9474, .8947, .8889, .9444};
const Scores b{.8421, .8947, .8947, .7368, .8421, .7895, .8947, .8421, .8333, .8889};
const Scores nine_and_a_zero{.012, -.034, .051, .027, 0, .063, -.008, .041, .019, .072};

}  // namespace

TEST_CASE("the worked example's mean, deviation and interval hold", "[experiments][statistics]") {
  CHECK(mean(a) == exactly(0.88859));
  CHECK(*standard_deviation(a) == exactly(0.05194607139460438));
  CHECK(*standard_deviation(a, Divisor::population) == exactly(0.04928037033140074));
  const Interval interval = t_interval(a).value();
  CHECK(interval.low == exactly(0.8514300190898245));
  CHECK(interval.high == exactly(0.9257499809101755));
  CHECK(student_t_quantile(0.95, 9) == exactly(2.262157162798205));
  const Summary summary = summarise(a);
  CHECK(summary.count == 10);
  CHECK(summary.median == exactly(0.8947));
  CHECK(summary.min == 0.7895);
  CHECK(summary.max == 0.9474);
  CHECK(*summary.standard_error == exactly(0.05194607139460438 / std::sqrt(10.0)));
}

TEST_CASE("the worked example's tests hold, and the correction flips the verdict",
          "[experiments][statistics]") {
  const PairedTest plain = paired_t_test(a, b);
  CHECK(*plain.statistic == exactly(3.238276161179015));
  CHECK(*plain.p == exactly(0.010186733388509018));
  CHECK(*plain.effect_size == exactly(1.0240328361952218));
  CHECK(plain.remark.empty());
  const PairedTest corrected = corrected_resampled_t_test(a, b, 1.0 / 9);
  CHECK(*corrected.statistic == exactly(2.228734505977288));
  CHECK(*corrected.p == exactly(0.05280577552016787));
  const WilcoxonTest ranks = wilcoxon_test(rounded_differences(a, b, 4));
  CHECK(ranks.statistic == 2.5);
  CHECK(ranks.p == exactly(0.01672972298927249));
  CHECK(!ranks.exact);
  CHECK(ranks.count == 9);
}

TEST_CASE("Wilcoxon drops zeros and has an exact and a normal p", "[experiments][statistics]") {
  const WilcoxonTest exact = wilcoxon_test(nine_and_a_zero, WilcoxonMethod::exact);
  CHECK(exact.statistic == 6);
  CHECK(exact.p == exactly(0.0546875));
  CHECK(wilcoxon_test(nine_and_a_zero, WilcoxonMethod::normal).p == exactly(0.050612432239184685));
  // Zeros and ties make the automatic choice normal; without them it is exact.
  CHECK(!wilcoxon_test(nine_and_a_zero).exact);
  CHECK(wilcoxon_test(Scores{1, 2, -3, 4, 5, 6, 7}).exact);
  CHECK(wilcoxon_test(Scores{1, -1, 2, 3, 3}).p == exactly(0.10247043485974937));
}

TEST_CASE("exact Wilcoxon with ties counts every pattern of signs", "[experiments][statistics]") {
  const Scores d{1, -1, 2, 3, 3};
  const double ranks[] = {1.5, 1.5, 3, 4.5, 4.5};
  int at_most = 0;
  for (int signs = 0; signs < 32; ++signs) {
    double plus = 0;
    for (int i = 0; i < 5; ++i) plus += ((signs >> i) & 1) != 0 ? ranks[i] : 0;
    at_most += plus <= 1.5 ? 1 : 0;
  }
  CHECK(wilcoxon_test(d, WilcoxonMethod::exact).p == exactly(2.0 * at_most / 32));
}

TEST_CASE("three pairs cannot reach a small signed-rank p, and the test says so",
          "[experiments][statistics]") {
  const WilcoxonTest test = wilcoxon_test(Scores{0.1, 0.2, 0.3});
  CHECK(test.p == 0.25);
  CHECK(test.remark == "3 differences cannot give a p below 0.25");
  CHECK(smallest_signed_p(3) == 0.25);
  CHECK(smallest_signed_p(0) == 1);
  CHECK(wilcoxon_test(Scores{0, 0}).p == 1);
  CHECK(wilcoxon_test(Scores{0, 0}).remark == "all pairs are equal");
}

TEST_CASE("a t test without variance says so instead of dividing by zero", "[experiments][statistics]") {
  const PairedTest equal = paired_t_test(Scores{1, 1, 1}, Scores{1, 1, 1});
  CHECK(!equal.statistic);
  CHECK(!equal.effect_size);
  CHECK(equal.p == 1);
  CHECK(equal.remark == "all pairs are equal: t is undefined");
  // The same difference in decimals is not the same double.
  const PairedTest shifted = paired_t_test(Scores{0.9, 0.8, 0.7}, Scores{0.8, 0.7, 0.6});
  CHECK(!shifted.statistic);
  CHECK(shifted.p == 0);
  CHECK(shifted.mean_difference == Approx(0.1));
  CHECK(shifted.remark == "all differences are equal: t is undefined");
  const PairedTest one = paired_t_test(Scores{0.9}, Scores{0.8});
  CHECK(!one.p);
  CHECK(one.remark == "one pair: no test");
}

TEST_CASE("one score has no deviation and no interval", "[experiments][statistics]") {
  const Summary summary = summarise(Scores{0.5});
  CHECK(!summary.deviation);
  CHECK(!summary.standard_error);
  CHECK(!summary.interval);
  CHECK(!bootstrap_interval(Scores{0.5}, Rng(1)));
  CHECK(standard_deviation(Scores{0.5}, Divisor::population) == 0);
}

TEST_CASE("Student's t is accurate from 1 to a million degrees of freedom", "[experiments][statistics]") {
  CHECK(std::abs(student_t_p(0.5, 1) - 0.70483276469913345) < 1e-14);
  CHECK(std::abs(student_t_p(-12.7, 1) - 0.05002432768934416) < 1e-14);
  CHECK(std::abs(student_t_p(3.3, 1000) - 0.0010009967250020899) < 1e-14);
  CHECK(std::abs(student_t_p(1.96, 1e6) - 0.049996067585269791) < 1e-12);
  CHECK(std::abs(student_t_p(300, 2) - 1.1110925929355215e-5) < 1e-15);
}

TEST_CASE("Holm and Benjamini-Hochberg adjust in the order given", "[experiments][statistics]") {
  const Scores p{.011, .04, .03, .005};
  const Scores holm_want{.033, .06, .06, .02}, bh_want{.022, .04, .04, .02};
  const Scores holm_got = holm(p), bh_got = benjamini_hochberg(p);
  for (std::size_t i = 0; i < p.size(); ++i) {
    CHECK(holm_got[i] == exactly(holm_want[i]));
    CHECK(bh_got[i] == exactly(bh_want[i]));
  }
  CHECK(holm(Scores{0.9, 0.8}) == Scores{1, 1});
  CHECK(holm(Scores{}).empty());
}

TEST_CASE("the exact binomial test serves McNemar and the sign test", "[experiments][statistics]") {
  CHECK(exact_binomial_test(3, 9) == exactly(0.14599609375));
  CHECK(exact_binomial_test(9, 3) == exact_binomial_test(3, 9));
  CHECK(exact_binomial_test(40, 80) == exactly(0.00033040001839131815));
  CHECK(exact_binomial_test(0, 0) == 1);
  CHECK(exact_binomial_test(5, 5) == 1);
  CHECK(exact_binomial_test(3, 0) == exactly(0.25));
}

TEST_CASE("the Friedman test ranks the best first and corrects for ties", "[experiments][statistics]") {
  const FriedmanTest test =
      friedman_test({{.80, .82, .79}, {.70, .75, .70}, {.60, .66, .61}, {.90, .91, .85}});
  CHECK(test.statistic == exactly(6.533333333333333));
  CHECK(test.p == exactly(0.03813332654704519));
  CHECK(test.mean_ranks == Scores{2.375, 1, 2.625});
  CHECK(friedman_test({{1, 1}, {2, 2}}).p == 1);
}

TEST_CASE("a bootstrap interval repeats with its generator", "[experiments][statistics]") {
  const Interval first = bootstrap_interval(a, Rng(3)).value();
  const Interval again = bootstrap_interval(a, Rng(3)).value();
  CHECK(first.low == again.low);
  CHECK(first.high == again.high);
  // 1.96 divisor-n standard errors either side, within the noise of the percentiles.
  const double half = 1.96 * *standard_deviation(a, Divisor::population) / std::sqrt(10.0);
  CHECK(first.low == Approx(mean(a) - half).margin(0.004));
  CHECK(first.high == Approx(mean(a) + half).margin(0.004));
}

TEST_CASE("statistics refuse what they cannot use", "[experiments][statistics]") {
  CHECK_THROWS_WITH(mean(Scores{}), "mean: got no values; expected at least one");
  CHECK_THROWS_WITH(t_interval(a, 1), "t interval: got level 1; expected a number in (0, 1)");
  CHECK_THROWS_WITH(paired_t_test(a, Scores{1}),
                    "paired t test: got 10 and 1 scores; expected pairs from the same seeds or folds");
  CHECK_THROWS_WITH(corrected_resampled_t_test(a, b, 0),
                    "corrected t test: got n_test/n_train = 0; expected a number above 0");
  CHECK_THROWS_WITH(wilcoxon_test(Scores{}), "Wilcoxon test: got no values; expected at least one");
  CHECK_THROWS_WITH(bootstrap_interval(a, Rng(1), 0.95, 0),
                    "bootstrap interval: got 0 resamples; expected a whole number of at least 1");
  CHECK_THROWS_WITH(exact_binomial_test(-1, 2),
                    "binomial test: got -1 wins and 2 losses; expected counts of at least 0");
  CHECK_THROWS_WITH(holm(Scores{0.1, 1.5}), "Holm: got p 1.5; expected numbers in [0, 1]");
  CHECK_THROWS_WITH(benjamini_hochberg(Scores{std::nan("")}),
                    "Benjamini-Hochberg: got p nan; expected numbers in [0, 1]");
  CHECK_THROWS_WITH(friedman_test({{1, 2}}),
                    "Friedman test: got 1 data sets and 2 methods; expected at least 2 of each");
  CHECK_THROWS_WITH(friedman_test({{1, 2}, {1}}),
                    "Friedman test: data set 1 has 1 scores; expected 2, one per method");
}
