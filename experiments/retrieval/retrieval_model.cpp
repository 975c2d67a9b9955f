#include "tarn/experiments/retrieval/retrieval_model.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/gather.hpp"
#include "tarn/core/ops/linear.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

namespace {

constexpr double smallest_norm = 1e-12;

Var unit_rows(Var x) {
  return normalize_rows(x, smallest_norm, NormGuard::maximum);
}

}  // namespace

RetrievalModel::RetrievalModel(const std::string& readout, const Value& options, Size width)
    : map_(child("map", std::make_unique<Linear>(width, width))), ones_({1, width}) {
  ones_.fill(1);
  if (query_readouts().find(readout) != nullptr) {
    query_readout_ = &child("readout", make_query_readout(readout, width, options));
    return;
  }
  readout_ = &child("readout", make_readout(readout, width, options));
  if (const Size pooled = readout_->out_dim(width); pooled != width)
    fit_ = &child("fit", std::make_unique<Linear>(pooled, width));
}

Var RetrievalModel::similarities(Tape& tape, ConstMatrixView x, const Segments& sets,
                                 ConstMatrixView queries) {
  const Var rows = map_.forward(tape.input(x, {x.rows, x.cols}));
  const Var asked = unit_rows(map_.forward(tape.input(queries, {queries.rows, queries.cols})));
  if (query_readout_ != nullptr) return for_each_query(unit_rows(rows), sets, asked);
  Var pooled = readout_->forward({.x = rows, .sets = sets}).y;
  if (fit_ != nullptr) pooled = fit_->forward(pooled);
  return linear(asked, unit_rows(pooled));
}

Var RetrievalModel::for_each_query(Var x, const Segments& sets, Var queries) {
  const Var pooled = query_readout_->forward({.x = x, .sets = sets, .queries = queries});
  if (query_readout_->gives_scores()) return pooled;
  const Size num_queries = queries.rows(), width = pooled.shape().cols();
  const Var vectors = unit_rows(reshape(pooled, {num_queries * sets.count(), width}));  // [Q B, D]
  const Var products = multiply_elements(vectors, repeat_rows(queries, sets.count()));
  const Var sums = linear(products, x.tape().input(ones_));  // [Q B, 1]
  return reshape(sums, {num_queries, sets.count()});
}

}  // namespace TARN_PRECISION
}  // namespace tarn
