#pragma once

#include "tarn/core/options.hpp"
#include "tarn/core/segments.hpp"
#include "tarn/core/tensor.hpp"
#include "tarn/datasets/stress_texts.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tarn {

/// synthetic: all of it; raw: word and position only, so that no token knows its neighbours.
enum class SyntheticStates { synthetic, raw };
[[nodiscard]] std::span<const std::string_view> enum_names(SyntheticStates);

struct SyntheticEncoderOptions {
  SyntheticStates encoder = SyntheticStates::synthetic;
  Size dim = 64;
  Size seed = 7;

  void fields(Fields& f);
};

/// Names of the rows of an encoded text: [CLS], the words, [SEP].
[[nodiscard]] std::vector<std::string> token_names(std::span<const std::string_view> words);
/// The row of an encoded text that holds word `position`.
[[nodiscard]] constexpr Size token_row(Size position) {
  return position + 1;
}

inline namespace TARN_PRECISION {

/// States of several texts, one after another.
struct EncodedTexts {
  Tensor x;       ///< [N, d]
  Segments sets;  ///< a set per text
};

/// A frozen stand-in for a language model, without a weights file: deterministic vectors with the traits that
/// matter to a readout among distractors. The head that carries a negation to its noun is put in by hand, and
/// the task is easy for any readout that can look at single tokens: accuracy on these states says nothing
/// about language.
///
/// Tokens [CLS], words, [SEP]. A token starts as its word's random unit vector mixed with a common direction
/// and that of its class (noun, marker, context), plus a sinusoid of its position, and is normalised. Two
/// steps follow, which `raw` leaves out: x_i += 0.4 V_local a_i + 0.6 V_scope s_i, normalised again, where
/// a_i is the mean of the other tokens with weights e^(-|i-j|/2), and s_i is, for a noun, the mean of the
/// markers to its left with weights e^(-(i-j)/4) and, for [CLS], the mean of all others. States are x_i sqrt
/// d.
///
/// Immutable after construction, so threads may share it. Vectors of the stress test's words are computed
/// once; any other word costs O(d) draws each time it occurs.
class SyntheticEncoder {
 public:
  using Options = SyntheticEncoderOptions;
  /// Throws ValueError for an option outside its range or an odd dim.
  explicit SyntheticEncoder(const Options& options = {});
  SyntheticEncoder(SyntheticEncoder&&) noexcept;
  ~SyntheticEncoder();

  /// [words + 2, d]. Time O(n d^2).
  [[nodiscard]] Tensor encode(std::span<const std::string_view> words) const;
  /// All texts, in parallel; a text has the same bits as alone, for any number of threads.
  [[nodiscard]] EncodedTexts encode_all(std::span<const StressText> texts) const;

  [[nodiscard]] Size dim() const;

 private:
  struct Tables;
  std::unique_ptr<const Tables> tables_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
