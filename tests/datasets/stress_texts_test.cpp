#include "tarn/datasets/stress_texts.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/datasets/stress_words.hpp"

#include "datasets/store_fixture.hpp"
#include <catch2/catch.hpp>

#include <algorithm>
#include <set>
#include <sstream>

using namespace tarn;

namespace {

std::string first_three(StressMode mode) {
  std::ostringstream lines;
  write_stress_texts(
      generate_stress_texts({.mode = mode, .num_samples = 3, .seq_len = 24, .ratio = 0.3, .distance = 2}),
      lines);
  return lines.str();
}

template <class Table>
std::vector<std::string_view> members(const StressText& text, const Table& table) {
  std::vector<std::string_view> found;
  std::copy_if(text.words.begin(), text.words.end(), std::back_inserter(found), [&](std::string_view word) {
    return std::find(table.begin(), table.end(), word) != table.end();
  });
  return found;
}

}  // namespace

TEST_CASE("the first three texts of each mode are these", "[datasets][stress]") {
  CHECK(
      first_three(StressMode::official) ==
      R"({"index":0,"text":"at with the delivery contains keys more in business there we","label":1,"needle":[2,3,4,5]}
{"index":1,"text":"in the box are keys may view page there services there up","label":1,"needle":[0,1,2,3,4]}
{"index":2,"text":"some in the box are excluding that have files up site the have first page","label":0,"needle":[1,2,3,4,5,8]}
)");
  CHECK(
      first_three(StressMode::matched) ==
      R"({"index":0,"text":"an in in the box are not is as keys business see we we of","label":0,"needle":[2,3,4,5,6,9]}
{"index":1,"text":"page see services see may a the folder includes not contact what documents if","label":0,"needle":[6,7,8,9,12]}
{"index":2,"text":"new some may the delivery contains always am me keys he the have am","label":1,"needle":[3,4,5,6,9]}
)");
  CHECK(
      first_three(StressMode::relational) ==
      R"({"index":0,"text":"of we in the box are not is as keys but get the office sends indeed business see cables from date been","label":0,"needle":[2,3,4,5,6,9]}
{"index":1,"text":"if how the folder includes not contact what documents the drawer holds certainly services see flags site up this get click","label":0,"needle":[2,3,4,5,8]}
{"index":2,"text":"am page from in the delivery contains always am me keys help the office sends excluding may he maps to would","label":1,"needle":[4,5,6,7,10]}
)");
}

TEST_CASE("seed and split change the texts, the number of official texts does not", "[datasets][stress]") {
  const StressOptions options{.mode = StressMode::official, .num_samples = 20};
  const auto texts = generate_stress_texts(options);
  StressOptions other = options;
  other.num_samples = 30;
  const auto more = generate_stress_texts(other);
  CHECK(std::equal(texts.begin(), texts.end(), more.begin()));
  other = options;
  other.seed = 1;
  CHECK(generate_stress_texts(other)[0].words != texts[0].words);
  other = options;
  other.split = "evaluation";
  CHECK(generate_stress_texts(other)[0].words != texts[0].words);
}

TEST_CASE("labels of the corrected modes are exactly half ones", "[datasets][stress]") {
  for (const StressMode mode : {StressMode::matched, StressMode::relational}) {
    for (const Size n : {2, 7, 500}) {
      const auto texts = generate_stress_texts({.mode = mode, .num_samples = n});
      CHECK(std::count_if(texts.begin(), texts.end(), [](const auto& text) { return text.label == 1; }) ==
            n / 2);
    }
  }
}

TEST_CASE("matched texts hold one marker, which is the label", "[datasets][stress]") {
  for (const StressText& text : generate_stress_texts({.num_samples = 200, .ratio = 0.9})) {
    REQUIRE(text.words.size() == 126);
    const auto affirmers = members(text, stress_words::affirmers),
               modifiers = members(text, stress_words::modifiers);
    REQUIRE(affirmers.size() == (text.label == 1 ? 1 : 0));
    REQUIRE(modifiers.size() == (text.label == 0 ? 1 : 0));
    // Context of 3 or 4 words, marker, noun; the noun stands `distance` words behind the marker.
    REQUIRE((text.needle.size() == 5 || text.needle.size() == 6));
    const Size marker = text.needle[text.needle.size() - 2], noun = text.needle.back();
    REQUIRE(noun - marker == 11);
    REQUIRE(text.words[static_cast<std::size_t>(marker)] == (text.label == 1 ? affirmers : modifiers)[0]);
    REQUIRE(members(text, stress_words::nouns)[0] == text.words[static_cast<std::size_t>(noun)]);
  }
}

TEST_CASE("relational texts hold both markers and the label is whose clause has which",
          "[datasets][stress]") {
  int decoy_first = 0;
  for (const StressText& text : generate_stress_texts({.mode = StressMode::relational, .num_samples = 200})) {
    const auto affirmers = members(text, stress_words::affirmers),
               modifiers = members(text, stress_words::modifiers);
    REQUIRE(affirmers.size() == 1);
    REQUIRE(modifiers.size() == 1);
    REQUIRE(members(text, stress_words::decoy_nouns).size() == 1);
    const auto marker = static_cast<std::size_t>(text.needle[text.needle.size() - 2]);
    REQUIRE(text.words[marker] == (text.label == 1 ? affirmers : modifiers)[0]);
    const auto decoy =
        std::find(text.words.begin(), text.words.end(), members(text, stress_words::decoy_nouns)[0]);
    decoy_first += decoy - text.words.begin() < text.needle[0] ? 1 : 0;
  }
  CHECK(decoy_first > 60);
  CHECK(decoy_first < 140);
}

TEST_CASE("official texts have their two lengths, flaws included", "[datasets][stress]") {
  for (const StressText& text :
       generate_stress_texts({.mode = StressMode::official, .num_samples = 200, .ratio = 0.2})) {
    // A context counts as one item: 25 noise words, and 2 items or 13.
    const Size context = static_cast<Size>(text.needle.size()) - (text.label == 1 ? 1 : 2);
    REQUIRE(static_cast<Size>(text.words.size()) == 25 + context + (text.label == 1 ? 1 : 12));
  }
}

TEST_CASE("the position says where the clause stands", "[datasets][stress]") {
  for (const StressMode mode : {StressMode::official, StressMode::matched, StressMode::relational}) {
    StressOptions options{.mode = mode, .num_samples = 20, .seq_len = 40, .ratio = 0.25, .distance = 0};
    const auto first_needle = [&](NeedlePosition position) {
      options.position = position;
      std::set<Size> first;
      for (const StressText& text : generate_stress_texts(options)) {
        // The place of whichever clause comes first.
        const auto decoy = members(text, stress_words::decoy_nouns);
        const bool ahead = !decoy.empty() && std::find(text.words.begin(), text.words.end(), decoy[0]) <
                                                 text.words.begin() + text.needle[0];
        if (!ahead) first.insert(text.needle[0]);
      }
      return first;
    };
    CHECK(first_needle(NeedlePosition::start) == std::set<Size>{0});
    CHECK(first_needle(NeedlePosition::middle) == std::set<Size>{5});
    CHECK(first_needle(NeedlePosition::end) == std::set<Size>{10});
    CHECK(first_needle(NeedlePosition::random).size() > 3);
  }
}

TEST_CASE("texts are cut as a tokenizer cuts them", "[datasets][stress]") {
  auto texts = generate_stress_texts(
      {.mode = StressMode::official, .num_samples = 100, .ratio = 0.9, .position = NeedlePosition::end});
  const auto whole = texts;
  truncate_stress_texts(texts, 128);
  Size dropped = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    CHECK(texts[i].words.size() == std::min<std::size_t>(126, whole[i].words.size()));
    dropped += static_cast<Size>(whole[i].needle.size() - texts[i].needle.size());
    CHECK(texts[i].needle.back() < 126);
  }
  CHECK(dropped > 0);
}

TEST_CASE("options of the generator outside their range are named", "[datasets][stress]") {
  const auto message = [](StressOptions options, const std::string& expected) {
    CHECK_THROWS_WITH(generate_stress_texts(options), Catch::Contains(expected));
    CHECK_THROWS_AS(generate_stress_texts(options), ValueError);
  };
  message({.num_samples = 1}, "stress.num_samples: got 1; expected");
  message({.seq_len = 7}, "stress.seq_len: got 7; expected");
  message({.ratio = 1.5}, "stress.ratio: got 1.5; expected");
  message({.ratio = -0.1}, "stress.ratio: got -0.1; expected");
  message({.distance = -1}, "stress.distance: got -1; expected");
  message({.seq_len = 17},
          "stress.seq_len: got 17; expected at least 18 for mode matched with distance 10, so that the "
          "clauses fit");
  message({.mode = StressMode::relational, .seq_len = 33},
          "stress.seq_len: got 33; expected at least 34 for mode relational with distance 10");
  message({.mode = StressMode::official, .seq_len = 12},
          "stress.seq_len: got 12; expected at least 13 for mode official with distance 10");
  CHECK(generate_stress_texts({.num_samples = 50, .seq_len = 18, .ratio = 1}).size() == 50);
  CHECK(generate_stress_texts({.mode = StressMode::relational, .num_samples = 50, .seq_len = 34}).size() ==
        50);
}

TEST_CASE("an unknown mode is answered with the known ones", "[datasets][stress]") {
  Value table;
  table.set("mode", "balanced");
  CHECK_THROWS_WITH(read_options<StressOptions>(table, "stress"),
                    Catch::Contains("official, matched, relational"));
}

TEST_CASE("texts are written to a file whole", "[datasets][stress]") {
  const StoreFolder folder;
  const auto texts = generate_stress_texts({.num_samples = 3});
  std::ostringstream lines;
  write_stress_texts(texts, lines);
  write_stress_texts(texts, folder / "texts.jsonl");
  CHECK(read_file(folder / "texts.jsonl") == lines.str());
  CHECK_THROWS_AS(write_stress_texts(texts, folder / "missing/texts.jsonl"), IoError);
}
