#include "tarn/core/errors.hpp"
#include "tarn/experiments/metrics.hpp"

#include <catch2/catch.hpp>

#include <cmath>

using namespace tarn;
using Classes = std::vector<Size>;
using Scores = std::vector<double>;

// Expected numbers are scikit-learn's.

TEST_CASE("balanced accuracy is the mean recall of the classes there are", "[experiments][metrics]") {
  const Classes labels{0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 2, 2}, predictions{0, 1, 0, 0, 1, 1, 0, 1, 0, 0, 2, 1};
  CHECK(balanced_accuracy(predictions, labels) == Approx(0.6333333333333333).epsilon(1e-14));
  // Class 1 does not occur: predicting it costs class 0 alone.
  CHECK(balanced_accuracy(Classes{0, 1, 2}, Classes{0, 0, 2}) == 0.75);
}

TEST_CASE("the ROC curve counts ties by half", "[experiments][metrics]") {
  const Scores scores{.1, .4, .35, .8, .4, .2, .4, .9};
  const Classes labels{0, 0, 1, 1, 1, 0, 0, 1};
  CHECK(*roc_auc(scores, labels) == Approx(0.8125).epsilon(1e-14));
  CHECK(*average_precision(scores, labels) == Approx(0.8166666666666667).epsilon(1e-14));
  CHECK(*roc_auc(Scores{1, 1, 1}, Classes{0, 1, 1}) == 0.5);
  CHECK(!roc_auc(Scores{1, 2}, Classes{1, 1}));
  CHECK(!average_precision(Scores{1, 2}, Classes{0, 0}));
  CHECK(*average_precision(Scores{1, 2}, Classes{1, 1}) == 1);
}

TEST_CASE("log loss reads the probability of the label", "[experiments][metrics]") {
  const Scores p{.7, .2, .1, .1, .8, .1, .3, .3, .4, 0, 0, 1};
  CHECK(log_loss(p, Classes{0, 1, 0, 2}) == Approx(0.4459478248947196).epsilon(1e-14));
  CHECK(log_loss(Scores{1, 0}, Classes{1}) == Approx(-std::log(1e-15)));
}

TEST_CASE("tasks without both classes and labels that are missing are left out", "[experiments][metrics]") {
  const double missing = std::nan("");
  const Scores scores{.1, .5, .9, .8, .5, .1, .3, .5, .2}, labels{0, 1, 0, 1, 1, missing, 0, 1, 1};
  // Task 0: scores .1 .8 .3 of 0 1 0. Task 1 has ones alone. Task 2: .9 of 0, .2 of 1.
  const MetricSet metrics = task_metrics(scores, labels, 3);
  CHECK(metrics.at("roc_auc") == 0.5);
  CHECK(metrics.at("average_precision") == 0.75);
  CHECK(task_metrics(Scores{1, 2}, Scores{1, missing}, 2).values().empty());
}

TEST_CASE("regression metrics leave out missing targets", "[experiments][metrics]") {
  const Scores predictions{1.5, 2, 7, -1, 3}, targets{1, 2.5, std::nan(""), -1, 4};
  const MetricSet metrics = regression_metrics(predictions, targets);
  CHECK(metrics.at("mae") == 0.5);
  CHECK(metrics.at("rmse") == Approx(0.6123724356957945).epsilon(1e-14));
  CHECK(metrics.at("r2") == Approx(0.8904109589041096).epsilon(1e-14));
  CHECK(r_squared(Scores{1, 2}, Scores{3, 3}) == 0);
}

TEST_CASE("metrics of scores refuse what they cannot use", "[experiments][metrics][errors]") {
  CHECK_THROWS_WITH(roc_auc(Scores{1}, Classes{2}),
                    "roc_auc: labels[0] is class 2; expected classes 0 and 1 alone");
  CHECK_THROWS_WITH(roc_auc(Scores{NAN}, Classes{1}), "roc_auc: value 0 is nan; expected finite numbers");
  CHECK_THROWS_WITH(average_precision(Scores{1, 2}, Classes{1}),
                    "average_precision: got 2 values and 1 labels; expected as many of each");
  CHECK_THROWS_WITH(log_loss(Scores{.5, .5}, Classes{2}), "log_loss: labels[0] is class 2; expected 0 to 1");
  CHECK_THROWS_WITH(log_loss(Scores{1.5, -.5}, Classes{0}),
                    "log_loss: a probability is 1.5; expected numbers in [0, 1]");
  CHECK_THROWS_WITH(log_loss(Scores{1, 2, 3}, Classes{0, 1}),
                    "log_loss: got 3 probabilities for 2 labels; expected a row for each");
  CHECK_THROWS_WITH(mean_absolute_error(Scores{}, Scores{}), "mae: got no values; expected at least one");
  CHECK_THROWS_WITH(regression_metrics(Scores{1}, Scores{NAN}), "mae: got no values; expected at least one");
}
