#pragma once

#include "tarn/experiments/texts.hpp"
#include "tarn/pooling/heads/head.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include <array>
#include <memory>
#include <span>
#include <vector>

namespace tarn {

/// What a model says of a text or a pair: its class, or how alike its two texts are.
enum class TextTask { classes, similarity };

struct TextModelShape {
  Size dim = 0;        ///< width of the token states
  Size num_texts = 1;  ///< 2 for pairs; similarity needs pairs
  TextTask task = TextTask::classes;
  Size num_classes = 2;
};

inline namespace TARN_PRECISION {

/// A readout and a head. Classes: single-classifier, or pair-classifier for pairs, trained by cross entropy.
/// Similarity: a square projection-head without normalisation on both texts, trained by cosine-mse-loss; the
/// prediction is their cosine.
///
/// Children `readout` and `head`.
class TextModel final : public Module {
 public:
  /// Without a readout each text is one row that is pooled already. Throws ValueError for similarity of
  /// single texts.
  TextModel(std::unique_ptr<Readout> readout, const TextModelShape& shape);

  using Graphs = std::array<const TokenGraph*, 2>;

  /// Mean loss of a batch; labels are class numbers, or cosines. Throws ValueError naming the first label
  /// outside the classes.
  [[nodiscard]] Var loss(Tape& tape, const TextBatch& batch, const Graphs& graphs,
                         std::span<const double> labels);
  /// Class (the lowest on a tie) or cosine of every row of a batch; NaN where the model leaves the finite
  /// numbers.
  void predict(Tape& tape, const TextBatch& batch, const Graphs& graphs, std::span<double> predictions);

  /// Null without a readout.
  [[nodiscard]] Readout* readout() { return readout_; }
  [[nodiscard]] const TextModelShape& shape() const { return shape_; }

 private:
  /// One vector per text.
  std::array<Var, 2> pooled(Tape& tape, const TextBatch& batch, const Graphs& graphs);
  Var logits(const std::array<Var, 2>& z);

  TextModelShape shape_;
  Readout* readout_ = nullptr;
  SingleClassifier* single_ = nullptr;
  Head* head_ = nullptr;
  std::vector<Size> classes_;       // labels of the batch as cross entropy takes them
  std::vector<Real> similarities_;  // labels of the batch as the cosine loss takes them
};

/// Cosine of row i of a and b, with norms of at least 1e-8.
[[nodiscard]] std::vector<double> row_cosines(ConstMatrixView a, ConstMatrixView b);

}  // namespace TARN_PRECISION
}  // namespace tarn
