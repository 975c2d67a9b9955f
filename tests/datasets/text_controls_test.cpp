#include "tarn/datasets/text_controls.hpp"

#include "tarn/core/errors.hpp"

#include <catch2/catch.hpp>

using namespace tarn;

namespace {

StressCheck check(StressMode mode, double ratio) {
  StressOptions options{.mode = mode, .ratio = ratio};
  auto train = generate_stress_texts(options);
  options.split = "evaluation";
  options.num_samples = 500;
  auto evaluation = generate_stress_texts(options);
  truncate_stress_texts(train, options.seq_len);
  truncate_stress_texts(evaluation, options.seq_len);
  return check_stress_texts(train, evaluation);
}

TokenTexts texts(std::vector<NodeId> ids, std::vector<Size> offsets, std::vector<Size> labels) {
  return {std::move(ids), Segments(std::move(offsets)), std::move(labels)};
}

}  // namespace

TEST_CASE("the self-check finds that matched texts hide the label from length", "[datasets][controls]") {
  const StressCheck result = check(StressMode::matched, 0.9);
  CHECK(result.share_of_ones == 0.5);
  CHECK(result.mean_words[0] == 126);
  CHECK(result.mean_words[1] == 126);
  CHECK(result.length_only == 0.5);
  CHECK(result.single_word == Approx(0.625).margin(0.05));
  CHECK(result.bag_of_words == 1.0);
  CHECK_THAT(result.text(), Catch::Contains("label 1 50.0 %") && Catch::Contains("length alone 50.0 %") &&
                                Catch::Contains("bag of words 100.0 %"));
}

TEST_CASE("the self-check finds that relational texts hide the label from the bag of words",
          "[datasets][controls]") {
  const StressCheck result = check(StressMode::relational, 0.8);
  CHECK(result.length_only == Approx(0.5).margin(0.05));
  CHECK(result.single_word == Approx(0.5).margin(0.05));
  CHECK(result.bag_of_words == Approx(0.5).margin(0.07));
}

TEST_CASE("the self-check finds that official texts give the label away by length", "[datasets][controls]") {
  for (const double ratio : {0.2, 0.9}) CHECK(check(StressMode::official, ratio).length_only == 1.0);
}

TEST_CASE("a length that training lacks is judged by the nearest, the shorter of two",
          "[datasets][controls]") {
  const TokenTexts train = texts({0, 0, 0, 0, 0, 0}, {0, 1, 6}, {0, 1});  // lengths 1 and 5
  CHECK(length_only_accuracy(train, texts({0, 0, 0}, {0, 3}, {0})) == 1);
  CHECK(length_only_accuracy(train, texts({0, 0, 0, 0}, {0, 4}, {1})) == 1);
  CHECK(length_only_accuracy(train, texts(std::vector<NodeId>(9), {0, 9}, {1})) == 1);
  CHECK(length_only_accuracy(train, texts({}, {0, 0}, {0})) == 1);
}

TEST_CASE("controls take any tokens, several classes, unknown tokens and empty texts",
          "[datasets][controls]") {
  // Class 2 has token 90000, class 1 token 7, class 0 neither; -1 is unknown.
  const TokenTexts train =
      texts({90000, -1, 90000, 3, 7, 3, 7, 3, -1, 3}, {0, 2, 4, 6, 8, 10, 10}, {2, 2, 1, 1, 0, 0});
  const TokenTexts evaluation = texts({3, 90000, 41, 7, -1, 41}, {0, 3, 5, 6}, {2, 1, 0});
  CHECK(bag_of_words_accuracy(train, evaluation) == 1);
  // One word tells one class from the others, which share their most frequent.
  CHECK(single_word_accuracy(train, evaluation) == Approx(2.0 / 3));
}

TEST_CASE("texts that controls cannot judge are named", "[datasets][controls]") {
  const TokenTexts good = texts({1}, {0, 1}, {0});
  CHECK_THROWS_WITH(length_only_accuracy(good, texts({1}, {0, 1}, {-1})),
                    "length-only: text 0 has label -1; expected a class from 0");
  CHECK_THROWS_WITH(bag_of_words_accuracy(good, texts({}, {0}, {})),
                    "bag-of-words: got no texts; expected at least one");
  CHECK_THROWS_WITH(single_word_accuracy(texts({1}, {0, 1}, {0, 1}), good),
                    "single-word: 1 texts but 2 labels; expected one a text");
  CHECK_THROWS_AS(single_word_accuracy(texts({1, 2}, {0, 1}, {0}), good), ShapeError);
}
