#include "tarn/datasets/stress_words.hpp"

#include <algorithm>

namespace tarn::stress_words {

namespace {

constexpr std::array<std::string_view, 100> official_noise_words{
    "the",      "of",   "and",   "to",      "a",    "in",    "for",   "is",       "on",          "that",
    "by",       "this", "with",  "i",       "you",  "it",    "not",   "or",       "be",          "are",
    "from",     "at",   "as",    "your",    "all",  "have",  "new",   "more",     "an",          "was",
    "we",       "will", "home",  "can",     "us",   "about", "if",    "page",     "my",          "has",
    "search",   "free", "but",   "our",     "one",  "other", "do",    "no",       "information", "time",
    "they",     "site", "he",    "up",      "may",  "what",  "which", "their",    "news",        "out",
    "use",      "any",  "there", "see",     "only", "so",    "his",   "when",     "contact",     "here",
    "business", "who",  "web",   "also",    "now",  "help",  "get",   "pm",       "view",        "online",
    "first",    "am",   "been",  "would",   "how",  "were",  "me",    "services", "some",        "these",
    "click",    "its",  "like",  "service", "x",    "than",  "find",  "date",     "top",         "yet"};

std::vector<std::string_view> collect_all() {
  std::vector<std::string_view> words(official_noise_words.begin(), official_noise_words.end());
  const auto append = [&](const auto& table) { words.insert(words.end(), table.begin(), table.end()); };
  append(nouns);
  append(modifiers);
  append(affirmers);
  append(decoy_nouns);
  for (const Phrase& phrase : contexts()) append(phrase);
  for (const Phrase& phrase : decoy_contexts()) append(phrase);
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

}  // namespace

std::span<const Phrase> contexts() {
  static const std::vector<Phrase> phrases{
      {"the", "delivery", "contains"}, {"the", "folder", "includes"}, {"in", "the", "box", "are"}};
  return phrases;
}

std::span<const Phrase> decoy_contexts() {
  static const std::vector<Phrase> phrases{
      {"the", "office", "sends"}, {"the", "drawer", "holds"}, {"on", "the", "shelf", "lie"}};
  return phrases;
}

std::span<const std::string_view> official_noise() {
  return official_noise_words;
}

std::span<const std::string_view> noise() {
  static const std::vector<std::string_view> words = [] {
    std::vector<std::string_view> kept;
    std::copy_if(official_noise_words.begin(), official_noise_words.end(), std::back_inserter(kept),
                 [](std::string_view word) { return word != "not" && word != "no"; });
    return kept;
  }();
  return words;
}

std::span<const std::string_view> all() {
  static const std::vector<std::string_view> words = collect_all();
  return words;
}

}  // namespace tarn::stress_words
