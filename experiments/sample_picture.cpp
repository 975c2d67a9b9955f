#include "tarn/experiments/sample_picture.hpp"

#include "tarn/experiments/text_model.hpp"
#include "tarn/experiments/trained_readout.hpp"

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

constexpr unsigned marked_flag = 4;

Value::List numbers(const std::vector<double>& values) {
  Value::List list;
  for (const double v : values) list.emplace_back(std::round(v * 1e5) / 1e5);
  return list;
}

std::vector<double> weighted_mean(ConstMatrixView x, const std::vector<double>& weights) {
  std::vector<double> row(static_cast<std::size_t>(x.cols), 0);
  for (Size i = 0; i < x.rows; ++i) {
    for (Size j = 0; j < x.cols; ++j)
      row[static_cast<std::size_t>(j)] += weights[static_cast<std::size_t>(i)] * static_cast<double>(x(i, j));
  }
  return row;
}

std::vector<double> column_maxima(ConstMatrixView x) {
  std::vector<double> highest(x.row(0), x.row(0) + x.cols);
  for (Size i = 1; i < x.rows; ++i) {
    for (Size j = 0; j < x.cols; ++j) {
      double& value = highest[static_cast<std::size_t>(j)];
      value = std::max(value, static_cast<double>(x(i, j)));
    }
  }
  return highest;
}

/// Vectors of the width of a token, drawn beside the tokens.
struct PooledRows {
  std::vector<std::string> names;
  std::vector<Real> values;

  void add(const std::string& name, const std::vector<double>& row) {
    names.push_back(name);
    for (const double v : row) values.push_back(static_cast<Real>(v));
  }
};

/// The tokens' states with the pooled rows below them.
Tensor with_pooled(const Tensor& x, const PooledRows& pooled) {
  const std::span<const Real> flat = x.flat();
  std::vector<Real> values(flat.begin(), flat.end());
  values.insert(values.end(), pooled.values.begin(), pooled.values.end());
  return {{x.shape().rows() + static_cast<Size>(pooled.names.size()), x.shape().cols()}, values};
}

Value::List cosines_of(ConstMatrixView x) {
  Value::List rows;
  for (Size i = 0; i < x.rows; ++i) {
    std::vector<double> row;
    for (Size j = 0; j < x.rows; ++j) {
      row.push_back(row_cosines(x.row_block(i, i + 1), x.row_block(j, j + 1)).front());
    }
    rows.emplace_back(numbers(row));
  }
  return rows;
}

/// What a readout weighs; empty for one without weights.
std::vector<double> weights_of(Readout& readout, const Tensor& x) {
  Tape tape;
  const Pooled pooled = readout.forward({.x = tape.input(x), .sets = Segments::uniform(1, x.shape().rows())});
  if (!pooled.weights.given()) return {};
  const std::span<const Real> flat = pooled.weights.value().flat();
  return {flat.begin(), flat.end()};
}

}  // namespace

inline namespace TARN_PRECISION {

SampleText read_sample(const TokenSplit& split, Size row, const LayerSelection& layers) {
  SampleText sample{.x = split.read(std::span(&row, 1), 0, layers).x,
                    .tokens = split.tokens(row),
                    .marked = {},
                    .label = split.has_labels() ? split.label(row) : std::nan("")};
  sample.tokens.resize(static_cast<std::size_t>(sample.x.shape().rows()), "?");
  const std::vector<std::uint8_t> flags = split.flags(row);
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if ((flags[i] & marked_flag) != 0) sample.marked.push_back(static_cast<Size>(i));
  }
  return sample;
}

Value sample_picture(const SampleText& text, std::span<const SampleReadout> readouts,
                     const std::string& title) {
  if (text.tokens.empty()) return Value::List{};
  std::vector<std::string> tokens = text.tokens;
  PooledRows pooled;
  pooled.add("[MEAN]",
             weighted_mean(text.x.matrix(),
                           std::vector<double>(tokens.size(), 1 / static_cast<double>(tokens.size()))));
  pooled.add("[MAX]", column_maxima(text.x.matrix()));
  std::vector<std::pair<std::string, std::vector<double>>> shares;
  for (const SampleReadout& readout : readouts) {
    if (!std::filesystem::exists(readout.checkpoint)) continue;
    const std::vector<double> own = weights_of(*load_readout(readout.checkpoint), text.x);
    if (own.empty()) continue;
    pooled.add(readout.name, weighted_mean(text.x.matrix(), own));
    shares.emplace_back(readout.name, own);
  }
  Value::List pooled_rows;
  for (const std::string& name : pooled.names) {
    pooled_rows.emplace_back(static_cast<Size>(tokens.size()));
    tokens.push_back(name);
  }
  Value weights{Value::Table{}};
  for (auto& [readout, own] : shares) {
    own.resize(tokens.size(), 0);
    weights.set(readout, numbers(own));
  }
  Value result;
  result.set("title", title);
  result.set("tokens", Value::List(tokens.begin(), tokens.end()));
  result.set("needle", Value::List(text.marked.begin(), text.marked.end()));
  result.set("pooled", pooled_rows);
  result.set("cosine", cosines_of(with_pooled(text.x, pooled).matrix()));
  result.set("weights", weights);
  return result;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
