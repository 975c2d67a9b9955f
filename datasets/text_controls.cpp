#include "tarn/datasets/text_controls.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/logistic_regression.hpp"
#include "tarn/datasets/stress_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

namespace tarn {

namespace {

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

void check(std::string_view where, const TokenTexts& texts) {
  texts.sets.require_cover(where, static_cast<Size>(texts.ids.size()));
  if (static_cast<Size>(texts.labels.size()) != texts.sets.count()) {
    throw ShapeError(fmt::format("{}: {} texts but {} labels; expected one a text", where, texts.sets.count(),
                                 texts.labels.size()));
  }
  if (texts.labels.empty()) throw ValueError(fmt::format("{}: got no texts; expected at least one", where));
  for (std::size_t i = 0; i < texts.labels.size(); ++i) {
    if (texts.labels[i] >= 0) continue;
    throw ValueError(
        fmt::format("{}: text {} has label {}; expected a class from 0", where, i, texts.labels[i]));
  }
}

/// Checks both splits; the number of classes that occur in either.
Size checked_classes(std::string_view where, const TokenTexts& train, const TokenTexts& evaluation) {
  check(where, train);
  check(where, evaluation);
  const auto top = [](const TokenTexts& texts) {
    return *std::max_element(texts.labels.begin(), texts.labels.end());
  };
  return std::max(top(train), top(evaluation)) + 1;
}

using ClassCounts = std::vector<Size>;

/// The most frequent class; the lowest on a tie.
Size majority(const ClassCounts& counts) {
  return std::max_element(counts.begin(), counts.end()) - counts.begin();
}

/// Share of texts whose label equals guess(text).
template <class Guess>
double accuracy(const TokenTexts& texts, const Guess& guess) {
  Size right = 0;
  for (Size b = 0; b < texts.sets.count(); ++b) right += guess(b) == texts.labels[idx(b)] ? 1 : 0;
  return static_cast<double>(right) / static_cast<double>(texts.sets.count());
}

/// The known tokens of a text.
std::vector<NodeId> known_tokens(const TokenTexts& texts, Size text) {
  const Rows rows = texts.sets.rows(text);
  std::vector<NodeId> tokens;
  std::copy_if(texts.ids.begin() + rows.begin, texts.ids.begin() + rows.end, std::back_inserter(tokens),
               [](NodeId id) { return id >= 0; });
  return tokens;
}

/// The different tokens of a text, ascending.
std::vector<NodeId> distinct_tokens(const TokenTexts& texts, Size text) {
  std::vector<NodeId> tokens = known_tokens(texts, text);
  std::sort(tokens.begin(), tokens.end());
  tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
  return tokens;
}

/// One token and the label on either side of it.
struct WordRule {
  NodeId token = -1;
  Size with = 0;
  Size without = 0;
};

WordRule best_word_rule(const TokenTexts& train, Size num_classes) {
  ClassCounts all(idx(num_classes));
  std::map<NodeId, ClassCounts> present;  // ascending, so that ties go to the lowest token
  for (Size b = 0; b < train.sets.count(); ++b) {
    const std::size_t label = idx(train.labels[idx(b)]);
    ++all[label];
    for (const NodeId token : distinct_tokens(train, b)) {
      ++present.try_emplace(token, idx(num_classes)).first->second[label];
    }
  }
  WordRule best{-1, majority(all), majority(all)};
  Size best_right = all[idx(majority(all))];
  for (const auto& [token, counts] : present) {
    ClassCounts absent = all;
    for (std::size_t c = 0; c < absent.size(); ++c) absent[c] -= counts[c];
    const WordRule rule{token, majority(counts), majority(absent)};
    const Size right = counts[idx(rule.with)] + absent[idx(rule.without)];
    if (right > best_right) {
      best = rule;
      best_right = right;
    }
  }
  return best;
}

using Columns = std::unordered_map<NodeId, NodeId>;

/// A column for every token of the training texts, in order of appearance.
Columns vocabulary(const TokenTexts& train) {
  Columns columns;
  for (const NodeId id : train.ids) {
    if (id >= 0) columns.try_emplace(id, static_cast<NodeId>(columns.size()));
  }
  return columns;
}

SparseRows word_counts(const TokenTexts& texts, const Columns& columns) {
  SparseRows rows;
  rows.cols = static_cast<Size>(columns.size());
  for (Size b = 0; b < texts.sets.count(); ++b) {
    std::map<NodeId, double> counts;
    for (const NodeId token : known_tokens(texts, b)) {
      if (const auto found = columns.find(token); found != columns.end()) ++counts[found->second];
    }
    for (const auto& [column, count] : counts) {
      rows.columns.push_back(column);
      rows.values.push_back(count);
    }
    rows.offsets.push_back(static_cast<Size>(rows.columns.size()));
  }
  return rows;
}

}  // namespace

TokenTexts token_texts(std::span<const StressText> texts) {
  const auto known = stress_words::all();
  TokenTexts tokens;
  std::vector<Size> offsets{0};
  for (const StressText& text : texts) {
    for (const std::string_view word : text.words) {
      const auto place = std::lower_bound(known.begin(), known.end(), word);
      const bool found = place != known.end() && *place == word;
      tokens.ids.push_back(found ? static_cast<NodeId>(place - known.begin()) : NodeId{-1});
    }
    offsets.push_back(static_cast<Size>(tokens.ids.size()));
    tokens.labels.push_back(text.label);
  }
  tokens.sets = Segments(std::move(offsets));
  return tokens;
}

double length_only_accuracy(const TokenTexts& train, const TokenTexts& evaluation) {
  const Size num_classes = checked_classes("length-only", train, evaluation);
  std::map<Size, ClassCounts> by_length;
  for (Size b = 0; b < train.sets.count(); ++b) {
    ++by_length.try_emplace(train.sets.size(b), idx(num_classes)).first->second[idx(train.labels[idx(b)])];
  }
  return accuracy(evaluation, [&](Size b) {
    const Size length = evaluation.sets.size(b);
    auto nearest = by_length.lower_bound(length);
    if (nearest == by_length.end()) return majority(std::prev(nearest)->second);
    if (nearest != by_length.begin() && length - std::prev(nearest)->first <= nearest->first - length)
      --nearest;
    return majority(nearest->second);
  });
}

double single_word_accuracy(const TokenTexts& train, const TokenTexts& evaluation) {
  const WordRule rule = best_word_rule(train, checked_classes("single-word", train, evaluation));
  return accuracy(evaluation, [&](Size b) {
    const Rows rows = evaluation.sets.rows(b);
    const auto end = evaluation.ids.begin() + rows.end;
    return std::find(evaluation.ids.begin() + rows.begin, end, rule.token) != end ? rule.with : rule.without;
  });
}

double bag_of_words_accuracy(const TokenTexts& train, const TokenTexts& evaluation) {
  const Size num_classes = checked_classes("bag-of-words", train, evaluation);
  const Columns columns = vocabulary(train);
  const LinearClassifier model = fit_logistic_regression(
      word_counts(train, columns), train.labels, std::max<Size>(2, num_classes), {.max_iterations = 200});
  const std::vector<Size> guesses = predict(model, word_counts(evaluation, columns));
  return accuracy(evaluation, [&](Size b) { return guesses[idx(b)]; });
}

std::string StressCheck::text() const {
  return fmt::format(
      "self-check of the texts: label 1 {:.1f} %; mean words {:.1f} (label 0), {:.1f} (label 1)\n"
      "accuracy from length alone {:.1f} %, from the best single word {:.1f} %, from the bag of words {:.1f} "
      "%\n",
      100 * share_of_ones, mean_words[0], mean_words[1], 100 * length_only, 100 * single_word,
      100 * bag_of_words);
}

StressCheck check_stress_texts(std::span<const StressText> train, std::span<const StressText> evaluation) {
  std::array<double, 2> words{}, texts{};
  for (const auto split : {train, evaluation}) {
    for (const StressText& text : split) {
      words[idx(text.label)] += static_cast<double>(text.words.size());
      ++texts[idx(text.label)];
    }
  }
  const TokenTexts train_tokens = token_texts(train), evaluation_tokens = token_texts(evaluation);
  StressCheck check;
  check.length_only = length_only_accuracy(train_tokens, evaluation_tokens);
  check.single_word = single_word_accuracy(train_tokens, evaluation_tokens);
  check.bag_of_words = bag_of_words_accuracy(train_tokens, evaluation_tokens);
  check.share_of_ones = texts[1] / (texts[0] + texts[1]);
  for (std::size_t label = 0; label < 2; ++label) {
    check.mean_words[label] = texts[label] > 0 ? words[label] / texts[label] : 0;
  }
  return check;
}

}  // namespace tarn
