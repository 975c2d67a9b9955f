#pragma once

#include "tarn/core/registry.hpp"
#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"

#include <string>

namespace tarn {

/// The default of `check_finite`: true in builds without optimisation.
[[nodiscard]] bool checks_scores_by_default();

/// What every normaliser is told.
struct ScoreOptions {
  double temperature = 1;
  bool check_finite = checks_scores_by_default();
  void fields(Fields& f) {
    f("temperature", temperature, above(0), "divides the scores");
    f("check_finite", check_finite, "refuse scores of plus infinity or NaN");
  }
};

/// The options `Own` of a normaliser beside those of all.
template <class Own>
struct WithScoreOptions : ScoreOptions, Own {
  void fields(Fields& f) {
    ScoreOptions::fields(f);
    Own::fields(f);
  }
};

inline namespace TARN_PRECISION {

struct NormaliserInput {
  Var scores;     ///< [N, H]; minus infinity leaves a row out
  Segments sets;  ///< over the N rows
  Var noise{};    ///< [N, H] in place of what the operator would draw, without gradient
};

/// Maps every column of the scores of a set to weights of its rows: [N, H] -> [N, H]. Scores are divided by
/// the option `temperature`. A score of minus infinity is left out before any arithmetic and has weight and
/// gradient 0; a set and column with nothing else has zeros; an empty set adds no rows. A NaN stays in its
/// set and column.
///
/// An operator is a struct of options, a constructor that hands name and options to this class, and `weigh`.
class Normaliser {
 public:
  virtual ~Normaliser() = default;
  /// Throws ShapeError if the scores are no matrix or sets or noise do not fit them, and with the option
  /// `check_finite` ValueError for the first score of plus infinity or NaN, naming set, row and column.
  [[nodiscard]] Var forward(const NormaliserInput& in) const;
  /// Whether it takes `noise`; others throw ValueError for it.
  [[nodiscard]] virtual bool takes_noise() const { return false; }
  [[nodiscard]] const std::string& name() const { return name_; }

 protected:
  /// Throws ValueError for options out of range.
  template <DescribedOptions Options>
  Normaliser(std::string name, const Options& options)
      : name_(std::move(name)), check_finite_(options.check_finite) {
    check_options(options, name_);
  }
  /// The operator itself, on input that has been checked.
  [[nodiscard]] virtual Var weigh(const NormaliserInput& in) const = 0;

 private:
  std::string name_;
  bool check_finite_;
};

/// All normalisers by name: built in ones end in `-weights`.
[[nodiscard]] Registry<Normaliser>& normalisers();
void register_normalisers(Registry<Normaliser>& registry);

}  // namespace TARN_PRECISION
}  // namespace tarn
