#include "tarn/datasets/synthetic_encoder.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/h5.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/datasets/named_vectors.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>

using namespace tarn;

namespace {

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, space));
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return words;
}

/// The options of the golden case; `text` and `encoder` are the only ones that differ between cases.
std::string json_string(const std::string& object, const std::string& key) {
  const std::string start = "\"" + key + "\": \"";
  const std::size_t begin = object.find(start) + start.size();
  return object.substr(begin, object.find('"', begin) - begin);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::equal(a.flat().begin(), a.flat().end(), b.flat().begin());
}

}  // namespace

TEST_CASE("the embedded encoder gives the golden states", "[datasets][encoder]") {
  const auto file = h5::File::open(TARN_TESTS_DIR "/golden/glot.h5");
  int cases = 0;
  for (const std::string& name : file.children()) {
    const h5::Group group = file.group(name);
    if (group.attribute<std::string>("operator") != "synthetic-encoder") continue;
    ++cases;
    const auto options = group.attribute<std::string>("options");
    REQUIRE_THAT(options, Catch::Contains("\"seed\": 7, \"dim\": 64"));
    SyntheticEncoderOptions encoder_options;
    encoder_options.encoder =
        json_string(options, "encoder") == "raw" ? SyntheticStates::raw : SyntheticStates::synthetic;
    const std::string text = json_string(options, "text");
    const Tensor x = SyntheticEncoder(encoder_options).encode(split(text));
    const auto want = group.array<double>("outputs/x");
    REQUIRE(x.shape() == want.shape);
    const bool exact = sizeof(Real) == sizeof(double);
    const double rtol = exact ? 1e-9 : group.attribute<double>("rtol");
    const double atol = exact ? 1e-9 : group.attribute<double>("atol");
    double worst = 0;
    for (std::size_t i = 0; i < want.values.size(); ++i) {
      const double error = std::abs(static_cast<double>(x.data()[i]) - want.values[i]);
      worst = std::max(worst, error / (atol + rtol * std::abs(want.values[i])));
    }
    INFO(name);
    CHECK(worst <= 1);
  }
  CHECK(cases == 4);
}

TEST_CASE("a text has the same states alone, in a batch and for any number of threads",
          "[datasets][encoder]") {
  const auto texts = generate_stress_texts({.num_samples = 40});
  const SyntheticEncoder encoder;
  EncodedTexts one, four;
  {
    const Threads threads(1);
    one = encoder.encode_all(texts);
  }
  {
    const Threads threads(4);
    four = encoder.encode_all(texts);
  }
  CHECK(same_bits(one.x, four.x));
  REQUIRE(one.sets.count() == 40);
  for (Size b = 0; b < 40; ++b) {
    const StressText& text = texts[static_cast<std::size_t>(b)];
    const Rows rows = one.sets.rows(b);
    REQUIRE(rows.size() == static_cast<Size>(text.words.size()) + 2);
    const Tensor alone = encoder.encode(text.words);
    const auto block = one.x.matrix().row_block(rows.begin, rows.end).flat();
    REQUIRE(std::equal(block.begin(), block.end(), alone.flat().begin()));
  }
}

TEST_CASE("raw states know nothing of their neighbours, synthetic ones do", "[datasets][encoder]") {
  for (const SyntheticStates kind : {SyntheticStates::raw, SyntheticStates::synthetic}) {
    const SyntheticEncoder encoder({.encoder = kind});
    const Tensor a = encoder.encode(split("the folder includes not keys"));
    const Tensor b = encoder.encode(split("the folder includes indeed keys"));
    const auto noun_a = a.matrix().row_span(5), noun_b = b.matrix().row_span(5);
    CHECK(std::equal(noun_a.begin(), noun_a.end(), noun_b.begin()) == (kind == SyntheticStates::raw));
  }
}

TEST_CASE("every state has length sqrt d", "[datasets][encoder]") {
  const Tensor x = SyntheticEncoder({.dim = 10, .seed = 3}).encode(split("words that no table knows"));
  REQUIRE(x.shape() == Shape{7, 10});
  for (Size i = 0; i < 7; ++i) {
    double squares = 0;
    for (const Real v : x.matrix().row_span(i)) squares += static_cast<double>(v) * static_cast<double>(v);
    CHECK(squares == Approx(10).epsilon(1e-5));
  }
}

TEST_CASE("rows of an encoded text are named after their words", "[datasets][encoder]") {
  const StressText text = generate_stress_texts({.num_samples = 2})[0];
  const auto names = token_names(text.words);
  CHECK(names.size() == text.words.size() + 2);
  CHECK(names.front() == "[CLS]");
  CHECK(names.back() == "[SEP]");
  for (const Size position : text.needle) {
    CHECK(names[static_cast<std::size_t>(token_row(position))] ==
          text.words[static_cast<std::size_t>(position)]);
  }
}

TEST_CASE("named vectors have the moments of their distribution", "[datasets][encoder]") {
  const auto z = named_normals(7, "moments", 20000);
  double sum = 0, squares = 0;
  for (const double v : z) {
    sum += v;
    squares += v * v;
  }
  CHECK(std::abs(sum / 20000) < 4 / std::sqrt(20000.0));
  CHECK(std::abs(squares / 20000 - 1) < 4 * std::sqrt(2.0 / 20000));
}

TEST_CASE("options of the encoder outside their range are named", "[datasets][encoder]") {
  CHECK_THROWS_WITH(SyntheticEncoder({.dim = 9}), "synthetic-encoder.dim: got 9; expected an even number");
  CHECK_THROWS_WITH(SyntheticEncoder({.dim = 4}), Catch::Contains("synthetic-encoder.dim: got 4; expected"));
  CHECK_THROWS_WITH(SyntheticEncoder({.seed = -1}),
                    Catch::Contains("synthetic-encoder.seed: got -1; expected"));
}
