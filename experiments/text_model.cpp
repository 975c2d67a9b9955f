#include "tarn/experiments/text_model.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/losses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {
inline namespace TARN_PRECISION {

TextModel::TextModel(std::unique_ptr<Readout> readout, const TextModelShape& shape) : shape_(shape) {
  const Size width = readout ? readout->out_dim(shape.dim) : shape.dim;
  if (readout) readout_ = &child("readout", std::move(readout));
  if (shape.task == TextTask::similarity) {
    if (shape.num_texts != 2) throw ValueError("similarity: got single texts; expected pairs");
    head_ = &child("head", std::make_unique<ProjectionHead>(ProjectionHeadOptions{
                               .in_channels = width, .out_channels = width, .normalize = false}));
  } else if (shape.num_texts == 2) {
    head_ = &child("head", std::make_unique<PairClassifier>(PairClassifierOptions{
                               .in_channels = width, .num_classes = shape.num_classes}));
  } else {
    single_ = &child("head", std::make_unique<SingleClassifier>(width, shape.num_classes));
  }
}

std::array<Var, 2> TextModel::pooled(Tape& tape, const TextBatch& batch, const Graphs& graphs) {
  std::array<Var, 2> z;
  for (std::size_t s = 0; s < static_cast<std::size_t>(shape_.num_texts); ++s) {
    const Var x = tape.input(batch.x[s], {batch.x[s].rows, batch.x[s].cols});
    z[s] = readout_ == nullptr ? x : readout_->forward({.x = x, .sets = batch.sets[s], .graph = graphs[s]}).y;
  }
  return z;
}

Var TextModel::logits(const std::array<Var, 2>& z) {
  return single_ != nullptr ? single_->forward(z[0]) : head_->forward(z[0], z[1]);
}

Var TextModel::loss(Tape& tape, const TextBatch& batch, const Graphs& graphs,
                    std::span<const double> labels) {
  const std::array<Var, 2> z = pooled(tape, batch, graphs);
  if (shape_.task == TextTask::similarity) {
    similarities_.assign(labels.begin(), labels.end());
    const auto rows = static_cast<Size>(labels.size());
    const Var targets = tape.input(ConstMatrixView(similarities_.data(), 1, rows), {rows});
    return cosine_mse_loss(head_->forward(z[0], {}), head_->forward(z[1], {}), targets);
  }
  classes_.clear();
  for (const double label : labels) classes_.push_back(std::isfinite(label) ? static_cast<Size>(label) : -1);
  return cross_entropy(logits(z), classes_);
}

void TextModel::predict(Tape& tape, const TextBatch& batch, const Graphs& graphs,
                        std::span<double> predictions) {
  const std::array<Var, 2> z = pooled(tape, batch, graphs);
  if (shape_.task == TextTask::similarity) {
    const Var a = head_->forward(z[0], {}), b = head_->forward(z[1], {});
    const std::vector<double> cosines = row_cosines(a.value(), b.value());
    std::copy(cosines.begin(), cosines.end(), predictions.begin());
    return;
  }
  const ConstMatrixView scores = logits(z).value();
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const auto row = scores.row_span(static_cast<Size>(i));
    const bool finite = std::all_of(row.begin(), row.end(), [](Real v) { return std::isfinite(v); });
    const auto best = std::max_element(row.begin(), row.end()) - row.begin();
    predictions[i] = finite ? static_cast<double>(best) : std::nan("");
  }
}

std::vector<double> row_cosines(ConstMatrixView a, ConstMatrixView b) {
  std::vector<double> result;
  for (Size i = 0; i < a.rows; ++i) {
    double dot = 0, aa = 0, bb = 0;
    for (Size j = 0; j < a.cols; ++j) {
      const auto u = static_cast<double>(a(i, j)), v = static_cast<double>(b(i, j));
      dot += u * v;
      aa += u * u;
      bb += v * v;
    }
    result.push_back(dot / (std::max(std::sqrt(aa), 1e-8) * std::max(std::sqrt(bb), 1e-8)));
  }
  return result;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
