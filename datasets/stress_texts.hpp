#pragma once

#include "tarn/core/options.hpp"
#include "tarn/core/real.hpp"

#include <filesystem>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tarn {

/// Which stress test: the published generator with its flaws; one marker among distractors, nothing given
/// away by length; or two clauses whose markers are known and whose pairing is the label.
enum class StressMode { official, matched, relational };
[[nodiscard]] std::span<const std::string_view> enum_names(StressMode);

/// Where the clauses stand among the noise.
enum class NeedlePosition { random, start, middle, end };
[[nodiscard]] std::span<const std::string_view> enum_names(NeedlePosition);

struct StressOptions {
  StressMode mode = StressMode::matched;
  Size num_samples = 2000;
  Size seq_len = 128;
  double ratio = 0.8;
  NeedlePosition position = NeedlePosition::random;
  Size distance = 10;
  Size seed = 0;
  std::string split = "train";

  void fields(Fields& f);
};

/// One text of the stress test. The words point into static tables and live as long as the program.
struct StressText {
  std::vector<std::string_view> words;
  /// 1: affirmed (or, in `official`, not negated); 0: negated.
  Size label = 0;
  /// Ascending positions of the words of the clause that decides: its context, marker and noun. The filler
  /// words inside the clause and the decoy clause are not among them.
  std::vector<Size> needle;

  /// The words joined by single spaces.
  [[nodiscard]] std::string text() const;
  friend bool operator==(const StressText&, const StressText&) = default;
};

/// Generates the texts of one split.
///
/// Text i draws from the stream (seed, split, i), one draw after the other, so it depends on nothing but the
/// options; the labels of `matched` and `relational` are exactly half ones (an odd count has one more zero),
/// shuffled by a stream of their own. Draws of a text:
/// - `official`: coin (1 is positive), noun, context; for a negative modifier and `distance` fillers;
///   the noise; the place, uniform in [0, m]. A context counts as one item: up to `seq_len` + 3 words.
/// - `matched`: context, marker, `distance` filler words, noun; the noise; the place.
/// - `relational`: the same for the clause, then for the decoy clause (whose marker is of the other kind);
///   the coin of their order (1: decoy first); the noise; two places, sorted.
///
/// Throws ValueError for an option outside its range, and where the longest clauses do not fit into
/// `seq_len`, naming the smallest that works.
[[nodiscard]] std::vector<StressText> generate_stress_texts(const StressOptions& options);

/// Cuts every text to `seq_len` tokens as a tokenizer does: two special tokens and `seq_len` - 2 words.
/// Needle positions beyond are dropped. Only texts of mode `official` are ever that long.
void truncate_stress_texts(std::vector<StressText>& texts, Size seq_len);

/// Writes one JSON object a line: {"index":0,"text":"...","label":1,"needle":[3,4]}.
void write_stress_texts(std::span<const StressText> texts, std::ostream& out);

/// The same into a file, which appears whole or not at all. Throws IoError.
void write_stress_texts(std::span<const StressText> texts, const std::filesystem::path& path);

}  // namespace tarn
