#include "tarn/experiments/metrics.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/h5.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

using namespace tarn;
using Labels = std::vector<Size>;
using Scores = std::vector<double>;

TEST_CASE("metrics give the golden numbers", "[experiments][metrics]") {
  const h5::File file = h5::File::open(std::string(TARN_TESTS_DIR) + "/golden/glot.h5");
  const h5::Group golden = file.group("metrics");
  const auto labels = golden.dataset("inputs/labels").read<Size>();
  const auto predictions = golden.dataset("inputs/predictions").read<Size>();
  const auto scores = golden.dataset("inputs/scores").read<double>();
  const auto targets = golden.dataset("inputs/targets").read<double>();
  const auto want = [&](const char* name) {
    return Approx(golden.dataset(std::string("outputs/") + name).read<double>().at(0))
        .epsilon(1e-9)
        .margin(1e-9);
  };
  CHECK(accuracy(predictions, labels) == want("accuracy"));
  CHECK(mcc(predictions, labels) == want("mcc"));
  CHECK(f1(predictions, labels) == want("f1"));
  CHECK(spearman(scores, targets) == want("spearman"));
  // The reference adds 1e-8 to each deviation, which moves the ninth digit.
  CHECK(pearson(scores, targets) ==
        Approx(golden.dataset("outputs/pearson").read<double>().at(0)).epsilon(1e-6));
}

TEST_CASE("average ranks share the ranks of ties", "[experiments][metrics]") {
  CHECK(average_ranks(Scores{3, 1, 3, 2, 3}) == Scores{4, 1, 4, 2, 4});
  CHECK(average_ranks(Scores{0, -0.0}) == Scores{1.5, 1.5});
  CHECK(average_ranks(Scores{}).empty());
}

TEST_CASE("degenerate tables give zero, not NaN", "[experiments][metrics]") {
  CHECK(mcc(Labels{1, 1}, Labels{0, 1}) == 0);
  CHECK(f1(Labels{0, 0}, Labels{0, 0}) == 0);
  CHECK(pearson(Scores{0.1, 0.1, 0.1}, Scores{1, 2, 3}) == 0);
  CHECK(spearman(Scores{1, 2, 3}, Scores{5, 5, 5}) == 0);
  CHECK(pearson(Scores{1}, Scores{2}) == 0);
}

TEST_CASE("correlations see order and direction", "[experiments][metrics]") {
  CHECK(spearman(Scores{1, 10, 100}, Scores{1, 2, 3}) == Approx(1));
  CHECK(spearman(Scores{1, 10, 100}, Scores{3, 2, 1}) == Approx(-1));
  CHECK(pearson(Scores{1, 2, 3, 4}, Scores{2, 4, 6, 8}) == Approx(1));
  CHECK(mcc(Labels{0, 1, 0, 1}, Labels{0, 1, 0, 1}) == Approx(1));
  CHECK(mcc(Labels{1, 0}, Labels{0, 1}) == Approx(-1));
}

TEST_CASE("macro F1 averages the classes that occur in the labels", "[experiments][metrics]") {
  // Class 0: tp 1, fp 1, fn 1 -> 1/2; class 2: tp 1, fp 0, fn 1 -> 2/3; class 7 is only predicted.
  CHECK(macro_f1(Labels{0, 7, 2, 0}, Labels{0, 0, 2, 2}) == Approx((0.5 + 2.0 / 3) / 2));
}

TEST_CASE("metrics refuse sides that do not fit together", "[experiments][metrics]") {
  CHECK_THROWS_WITH(accuracy(Labels{1, 0, 1}, Labels{1}),
                    "accuracy: got 3 predictions and 1 labels; expected as many of each");
  CHECK_THROWS_AS(accuracy(Labels{1}, Labels{}), ShapeError);
  CHECK_THROWS_WITH(f1(Labels{}, Labels{}), "f1: got no predictions; expected at least one");
  CHECK_THROWS_WITH(macro_f1(Labels{}, Labels{}), "macro_f1: got no predictions; expected at least one");
  CHECK_THROWS_WITH(pearson(Scores{1}, Scores{1, 2}),
                    "pearson: got 1 scores and 2 targets; expected as many of each");
  CHECK_THROWS_WITH(spearman(Scores{}, Scores{}), "spearman: got no scores; expected at least one");
  CHECK_THROWS_WITH(mcc(Labels{0, 2}, Labels{0, 1}),
                    "mcc: predictions[1] is class 2; expected classes 0 and 1 alone");
  CHECK_THROWS_WITH(f1(Labels{0, 1}, Labels{-1, 1}),
                    "f1: labels[0] is class -1; expected classes 0 and 1 alone");
  CHECK_THROWS_WITH(spearman(Scores{1, std::nan("")}, Scores{1, 2}),
                    "spearman: scores[1] is nan; expected finite numbers");
  CHECK_THROWS_WITH(pearson(Scores{1, 2}, Scores{1, std::numeric_limits<double>::infinity()}),
                    "pearson: targets[1] is inf; expected finite numbers");
}

TEST_CASE("a metric set keeps its order and names what is missing", "[experiments][metrics]") {
  const MetricSet two = classification_metrics(Labels{0, 1, 1}, Labels{0, 1, 0}, 2);
  REQUIRE(two.values().size() == 4);
  CHECK(two.values().front().first == "accuracy");
  CHECK(two.at("accuracy") == Approx(2.0 / 3));
  CHECK(!classification_metrics(Labels{0, 2}, Labels{0, 1}, 3).find("mcc"));
  CHECK_THROWS_WITH(two.at("mc"), Catch::Matchers::Contains("unknown name 'mc'; did you mean 'mcc'?"));
  MetricSet set = correlation_metrics(Scores{1, 2, 4}, Scores{1, 2, 3});
  CHECK(set.at("correlation") == Approx((set.at("pearson") + 1) / 2));
  set.set("pearson", 0.5);
  CHECK(set.at("pearson") == 0.5);
  CHECK(set.values().size() == 3);
}
