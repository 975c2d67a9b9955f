#pragma once

#include <array>
#include <span>
#include <string_view>
#include <vector>

namespace tarn::stress_words {

/// The word tables of the distractor stress test. A context is a phrase of three or four words.
using Phrase = std::vector<std::string_view>;

inline constexpr std::array<std::string_view, 6> nouns{"keys",    "reports",   "files",
                                                       "tickets", "documents", "alerts"};
inline constexpr std::array<std::string_view, 4> modifiers{"not", "never", "without", "excluding"};
inline constexpr std::array<std::string_view, 4> affirmers{"indeed", "always", "certainly", "including"};
inline constexpr std::array<std::string_view, 6> decoy_nouns{"maps",  "cables", "tools",
                                                             "flags", "plates", "stamps"};

[[nodiscard]] std::span<const Phrase> contexts();
[[nodiscard]] std::span<const Phrase> decoy_contexts();
/// The 100 distractors of mode `official`, `not` and `no` among them.
[[nodiscard]] std::span<const std::string_view> official_noise();
/// The same without `not` and `no`: 98 words.
[[nodiscard]] std::span<const std::string_view> noise();
/// Every word of the tables once, in ascending order: the vocabulary of all stress texts.
[[nodiscard]] std::span<const std::string_view> all();

}  // namespace tarn::stress_words
