#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/datasets/stress_texts.hpp"

#include <array>
#include <span>
#include <string>
#include <vector>

namespace tarn {

/// What can be told of a text's label without reading it: control rows for a table of readouts, and the
/// generator's self-check.

/// Tokenized texts with their labels. A token is any number; one below zero is unknown and counts for the
/// length alone.
struct TokenTexts {
  std::vector<NodeId> ids;
  Segments sets;             ///< text b owns ids of its rows
  std::vector<Size> labels;  ///< one a text, from 0
};

/// The words of stress texts as numbers: places in `stress_words::all()`.
[[nodiscard]] TokenTexts token_texts(std::span<const StressText> texts);

/// The controls fit on `train` and return the share of `evaluation` they get right. All throw ShapeError
/// where ids, sets and labels do not fit together, ValueError for no texts or a label below zero.

/// From the number of tokens alone: the most frequent label among the training texts of the same length, or
/// of the nearest length that occurs (the shorter of two).
[[nodiscard]] double length_only_accuracy(const TokenTexts& train, const TokenTexts& evaluation);

/// From whether one token occurs: the token, and the label on either side of it, that do best in training.
[[nodiscard]] double single_word_accuracy(const TokenTexts& train, const TokenTexts& evaluation);

/// From how often each token occurs: logistic regression on the counts, 200 iterations (see
/// `fit_logistic_regression`). Tokens that training does not have are left out.
[[nodiscard]] double bag_of_words_accuracy(const TokenTexts& train, const TokenTexts& evaluation);

/// What the generator gives away.
struct StressCheck {
  double share_of_ones = 0;            ///< in both splits together
  std::array<double, 2> mean_words{};  ///< of the texts with label 0 and 1
  double length_only = 0;
  double single_word = 0;
  double bag_of_words = 0;

  /// The lines that a program prints before a run.
  [[nodiscard]] std::string text() const;
};

[[nodiscard]] StressCheck check_stress_texts(std::span<const StressText> train,
                                             std::span<const StressText> evaluation);

}  // namespace tarn
