#include "tarn/datasets/stress_texts.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/core/rng.hpp"
#include "tarn/datasets/stress_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ostream>
#include <sstream>

namespace tarn {

namespace {

namespace words = stress_words;

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// The draws of one text, in order.
class Draws {
 public:
  explicit Draws(const Rng& rng) : rng_(rng) {}
  Size below(Size n) { return rng_.below(n, position_++); }
  template <class Table>
  decltype(auto) pick(const Table& table) {
    return table[idx(below(static_cast<Size>(table.size())))];
  }

 private:
  Rng rng_;
  std::uint64_t position_ = 0;
};

/// A piece of a text with the positions in it that a reader has to find.
struct Clause {
  std::vector<std::string_view> words;
  std::vector<Size> needle;

  void append(std::string_view word, bool marked) {
    if (marked) needle.push_back(static_cast<Size>(words.size()));
    words.push_back(word);
  }
};

struct Cast {
  std::span<const words::Phrase> contexts;
  std::span<const std::string_view> markers;
  std::span<const std::string_view> nouns;
};

std::span<const std::string_view> markers_of(Size label) {
  if (label == 1) return words::affirmers;
  return words::modifiers;
}

Clause draw_clause(const Cast& cast, Size distance, bool marked, Draws& draws) {
  Clause clause;
  for (const std::string_view word : draws.pick(cast.contexts)) clause.append(word, marked);
  clause.append(draws.pick(cast.markers), marked);
  for (Size i = 0; i < distance; ++i) clause.append(draws.pick(words::noise()), false);
  clause.append(draws.pick(cast.nouns), marked);
  return clause;
}

std::vector<std::string_view> draw_noise(std::span<const std::string_view> table, Size count, Draws& draws) {
  std::vector<std::string_view> noise(idx(count));
  for (std::string_view& word : noise) word = draws.pick(table);
  return noise;
}

Size draw_place(NeedlePosition position, Size num_noise, Draws& draws) {
  switch (position) {
    case NeedlePosition::start:
      return 0;
    case NeedlePosition::middle:
      return num_noise / 2;
    case NeedlePosition::end:
      return num_noise;
    case NeedlePosition::random:
      break;
  }
  return draws.below(num_noise + 1);
}

/// Inserts clause k before noise word places[k]; places ascend.
StressText assemble(std::span<const std::string_view> noise, std::span<const Clause> clauses,
                    std::span<const Size> places, Size label) {
  StressText text{.words = {}, .label = label, .needle = {}};
  Size next = 0;
  for (std::size_t k = 0; k < clauses.size(); ++k) {
    text.words.insert(text.words.end(), noise.begin() + next, noise.begin() + places[k]);
    next = places[k];
    const Size start = static_cast<Size>(text.words.size());
    for (const Size position : clauses[k].needle) text.needle.push_back(start + position);
    text.words.insert(text.words.end(), clauses[k].words.begin(), clauses[k].words.end());
  }
  text.words.insert(text.words.end(), noise.begin() + next, noise.end());
  return text;
}

Size wanted_noise(const StressOptions& options) {
  return static_cast<Size>(std::floor(static_cast<double>(options.seq_len) * options.ratio));
}

StressText official_text(const StressOptions& options, Draws draws) {
  const Size label = draws.below(2);
  const std::string_view noun = draws.pick(words::nouns);
  Clause clause;
  for (const std::string_view word : draws.pick(words::contexts())) clause.append(word, true);
  Size items = 2;  // a context counts as one
  if (label == 0) {
    clause.append(draws.pick(words::modifiers), true);
    for (Size i = 0; i < options.distance; ++i) clause.append(draws.pick(words::official_noise()), false);
    items += 1 + options.distance;
  }
  clause.append(noun, true);
  const Size num_noise = std::min(wanted_noise(options), options.seq_len - items);
  const auto noise = draw_noise(words::official_noise(), num_noise, draws);
  const Size place = draw_place(options.position, num_noise, draws);
  return assemble(noise, {&clause, 1}, {&place, 1}, label);
}

StressText matched_or_relational_text(const StressOptions& options, Size label, Draws draws) {
  std::vector<Clause> clauses;
  clauses.push_back(
      draw_clause({words::contexts(), markers_of(label), words::nouns}, options.distance, true, draws));
  if (options.mode == StressMode::relational) {
    const Cast decoy{words::decoy_contexts(), markers_of(1 - label), words::decoy_nouns};
    clauses.push_back(draw_clause(decoy, options.distance, false, draws));
    if (draws.below(2) == 1) std::swap(clauses[0], clauses[1]);
  }
  Size room = options.seq_len - 2;
  for (const Clause& clause : clauses) room -= static_cast<Size>(clause.words.size());
  const Size num_noise = std::min(wanted_noise(options), room);
  const auto noise = draw_noise(words::noise(), num_noise, draws);
  std::vector<Size> places;
  for (std::size_t k = 0; k < clauses.size(); ++k) {
    places.push_back(draw_place(options.position, num_noise, draws));
  }
  std::sort(places.begin(), places.end());
  return assemble(noise, clauses, places, label);
}

Size longest_phrase(std::span<const words::Phrase> phrases) {
  const auto longer = [](const auto& a, const auto& b) { return a.size() < b.size(); };
  return static_cast<Size>(std::max_element(phrases.begin(), phrases.end(), longer)->size());
}

/// The smallest seq_len into which the longest clauses of a mode fit.
Size smallest_seq_len(const StressOptions& options) {
  if (options.mode == StressMode::official) return options.distance + 3;
  Size longest = longest_phrase(words::contexts()) + options.distance + 2;
  if (options.mode == StressMode::relational)
    longest += longest_phrase(words::decoy_contexts()) + options.distance + 2;
  return longest + 2;
}

void check(const StressOptions& options) {
  check_options(options, "stress");
  if (const Size smallest = smallest_seq_len(options); options.seq_len < smallest) {
    throw ValueError(fmt::format(
        "stress.seq_len: got {}; expected at least {} for mode {} with distance {}, so that the clauses fit",
        options.seq_len, smallest, enum_names(options.mode)[static_cast<std::size_t>(options.mode)],
        options.distance));
  }
}

/// Exactly floor(n/2) ones, in random order.
std::vector<Size> balanced_labels(Size n, const Rng& rng) {
  std::vector<Size> labels(idx(n));
  const std::vector<Size> order = permutation(n, rng);
  for (Size i = 0; i < n; ++i) labels[idx(i)] = order[idx(i)] < n / 2 ? 1 : 0;
  return labels;
}

}  // namespace

std::span<const std::string_view> enum_names(StressMode) {
  static constexpr std::array<std::string_view, 3> names{"official", "matched", "relational"};
  return names;
}

std::span<const std::string_view> enum_names(NeedlePosition) {
  static constexpr std::array<std::string_view, 4> names{"random", "start", "middle", "end"};
  return names;
}

void StressOptions::fields(Fields& f) {
  f("mode", mode,
    "the published generator, one marker with matched lengths, or two clauses whose pairing counts");
  f("num_samples", num_samples, at_least(2), "number of texts");
  f("seq_len", seq_len, at_least(8), "most tokens of a text, two special ones included");
  f("ratio", ratio, between(0, 1), "noise words as a share of seq_len");
  f("position", position, "where the clause stands among the noise");
  f("distance", distance, at_least(0), "filler words between the marker and the noun");
  f("seed", seed, at_least(0), "seed of the texts");
  f("split", split, "name of the random stream: texts of different splits are independent");
}

std::string StressText::text() const {
  return fmt::format("{}", fmt::join(words, " "));
}

std::vector<StressText> generate_stress_texts(const StressOptions& options) {
  check(options);
  const Rng rng = Rng(static_cast<std::uint64_t>(options.seed)).split("stress-texts").split(options.split);
  const std::vector<Size> labels = balanced_labels(options.num_samples, rng.split("labels"));
  std::vector<StressText> texts;
  texts.reserve(labels.size());
  for (Size i = 0; i < options.num_samples; ++i) {
    const Draws draws(rng.split(static_cast<std::uint64_t>(i)));
    texts.push_back(options.mode == StressMode::official
                        ? official_text(options, draws)
                        : matched_or_relational_text(options, labels[idx(i)], draws));
  }
  return texts;
}

void truncate_stress_texts(std::vector<StressText>& texts, Size seq_len) {
  for (StressText& text : texts) {
    if (static_cast<Size>(text.words.size()) <= seq_len - 2) continue;
    text.words.resize(idx(seq_len - 2));
    std::erase_if(text.needle, [&](Size position) { return position >= seq_len - 2; });
  }
}

void write_stress_texts(std::span<const StressText> texts, std::ostream& out) {
  // The words are plain lower-case ASCII: nothing needs escaping.
  for (std::size_t i = 0; i < texts.size(); ++i) {
    out << fmt::format("{{\"index\":{},\"text\":\"{}\",\"label\":{},\"needle\":[{}]}}\n", i, texts[i].text(),
                       texts[i].label, fmt::join(texts[i].needle, ","));
  }
}

void write_stress_texts(std::span<const StressText> texts, const std::filesystem::path& path) {
  std::ostringstream lines;
  write_stress_texts(texts, lines);
  write_file_atomically(path, lines.str());
}

}  // namespace tarn
