#include "tarn/core/logistic_regression.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/lbfgs.hpp"

#include <Eigen/Core>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using MatrixMap = Eigen::Map<Matrix>;
using ConstMatrixMap = Eigen::Map<const Matrix>;

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// Rows of x in double, at most this many at a time.
constexpr Size tile_rows = 256;

struct Standard {
  Eigen::RowVectorXd mean, scale;  ///< z = (x - mean) * scale
};

/// f(first, rows of x - mean in double) for tiles of rows begin .. end-1.
template <class F>
void for_centred_tiles(ConstMatrixView x, const Eigen::RowVectorXd& mean, Size begin, Size end, F f) {
  Matrix tile;
  for (Size first = begin; first < end; first += tile_rows) {
    const Size count = std::min(tile_rows, end - first);
    tile.resize(count, x.cols);
    for (Size i = 0; i < count; ++i) std::copy_n(x.row(first + i), x.cols, tile.row(i).data());
    tile.rowwise() -= mean;
    f(first, tile);
  }
}

/// Standardised features, made anew for each tile of rows: beside x no memory that grows with it. Parameters
/// lie as [C, D] weights, then [C] biases.
class DenseRows {
 public:
  DenseRows(ConstMatrixView x, const Standard& standard) : x_(x), standard_(standard) {}
  [[nodiscard]] Size rows() const { return x_.rows; }
  [[nodiscard]] Size cols() const { return x_.cols; }
  /// scores [end - begin, C] += z W^T
  void add_scores(Size begin, Size end, const ConstMatrixMap& weights, Matrix& scores) const {
    const Matrix scaled = weights.array().rowwise() * standard_.scale.array();
    for_centred_tiles(x_, standard_.mean, begin, end, [&](Size first, const Matrix& tile) {
      scores.middleRows(first - begin, tile.rows()).noalias() += tile * scaled.transpose();
    });
  }
  /// gradient [C, D] += residuals^T z
  void add_gradient(Size begin, Size end, const Matrix& residuals, MatrixMap& gradient) const {
    Matrix sum = Matrix::Zero(gradient.rows(), gradient.cols());
    for_centred_tiles(x_, standard_.mean, begin, end, [&](Size first, const Matrix& tile) {
      sum.noalias() += residuals.middleRows(first - begin, tile.rows()).transpose() * tile;
    });
    gradient.array() += sum.array().rowwise() * standard_.scale.array();
  }

 private:
  ConstMatrixView x_;
  const Standard& standard_;
};

class SparseDesign {
 public:
  explicit SparseDesign(const SparseRows& x) : x_(x) {}
  [[nodiscard]] Size rows() const { return x_.rows(); }
  [[nodiscard]] Size cols() const { return x_.cols; }
  void add_scores(Size begin, Size end, const ConstMatrixMap& weights, Matrix& scores) const {
    for (Size i = begin; i < end; ++i) {
      for (Size k = x_.offsets[idx(i)]; k < x_.offsets[idx(i + 1)]; ++k) {
        scores.row(i - begin) += x_.values[idx(k)] * weights.col(x_.columns[idx(k)]).transpose();
      }
    }
  }
  void add_gradient(Size begin, Size end, const Matrix& residuals, MatrixMap& gradient) const {
    for (Size i = begin; i < end; ++i) {
      for (Size k = x_.offsets[idx(i)]; k < x_.offsets[idx(i + 1)]; ++k) {
        gradient.col(x_.columns[idx(k)]) += x_.values[idx(k)] * residuals.row(i - begin).transpose();
      }
    }
  }

 private:
  const SparseRows& x_;
};

/// Turns scores into softmax minus one-hot, in place; the sum of the rows' cross entropies.
double cross_entropy_residuals(Matrix& scores, std::span<const Size> labels) {
  double loss = 0;
  for (Eigen::Index i = 0; i < scores.rows(); ++i) {
    const Size label = labels[idx(i)];
    const double peak = scores.row(i).maxCoeff();
    const double target = scores(i, label) - peak;
    scores.row(i) = (scores.row(i).array() - peak).exp().matrix();
    const double total = scores.row(i).sum();
    loss += std::log(total) - target;
    scores.row(i) /= total;
    scores(i, label) -= 1;
  }
  return loss;
}

/// Mean cross entropy plus penalty, with its gradient. Row blocks depend on the number of rows alone and
/// their sums are joined in order.
template <class Design>
double objective(const Design& x, std::span<const Size> labels, Size num_classes, double l2,
                 std::span<const double> point, std::span<double> gradient) {
  const Size n = x.rows(), num_weights = num_classes * x.cols();
  const Size grain = std::max<Size>(256, (n + 15) / 16);
  const Size blocks = (n + grain - 1) / grain;
  const ConstMatrixMap weights(point.data(), num_classes, x.cols());
  const Eigen::Map<const Eigen::RowVectorXd> bias(point.data() + num_weights, num_classes);
  std::vector<double> losses(idx(blocks));
  std::vector<std::vector<double>> parts(idx(blocks));
  for_blocks(n, grain, [&](Size begin, Size end) {
    Matrix scores = bias.replicate(end - begin, 1);
    x.add_scores(begin, end, weights, scores);
    losses[idx(begin / grain)] =
        cross_entropy_residuals(scores, labels.subspan(idx(begin), idx(end - begin)));
    std::vector<double>& part = parts[idx(begin / grain)];
    part.assign(gradient.size(), 0);
    MatrixMap weight_gradient(part.data(), num_classes, x.cols());
    x.add_gradient(begin, end, scores, weight_gradient);
    Eigen::Map<Eigen::RowVectorXd>(part.data() + num_weights, num_classes) = scores.colwise().sum();
  });
  double loss = 0, penalty = 0;
  std::fill(gradient.begin(), gradient.end(), 0);
  for (Size block = 0; block < blocks; ++block) {
    loss += losses[idx(block)];
    for (std::size_t k = 0; k < gradient.size(); ++k) gradient[k] += parts[idx(block)][k];
  }
  for (double& g : gradient) g /= static_cast<double>(n);
  for (std::size_t k = 0; k < idx(num_weights); ++k) {
    penalty += point[k] * point[k];
    gradient[k] += l2 * point[k];
  }
  return loss / static_cast<double>(n) + l2 / 2 * penalty;
}

template <class Design>
LinearClassifier solve(const Design& x, std::span<const Size> labels, Size num_classes,
                       const LogisticRegressionOptions& options) {
  const auto function = [&](std::span<const double> point, std::span<double> gradient) {
    return objective(x, labels, num_classes, options.l2, point, gradient);
  };
  const Size num_weights = num_classes * x.cols();
  Minimum minimum =
      minimise_lbfgs(function, std::vector<double>(idx(num_weights + num_classes)),
                     {.max_iterations = options.max_iterations, .tolerance = options.tolerance});
  const auto middle = minimum.point.begin() + num_weights;
  return {.num_classes = num_classes,
          .dim = x.cols(),
          .weights = {minimum.point.begin(), middle},
          .bias = {middle, minimum.point.end()},
          .loss = minimum.value,
          .iterations = minimum.iterations,
          .converged = minimum.converged};
}

void check(Size rows, std::span<const Size> labels, Size num_classes,
           const LogisticRegressionOptions& options) {
  check_options(options, "logistic-regression");
  if (static_cast<Size>(labels.size()) != rows) {
    throw ShapeError(
        fmt::format("logistic-regression: x has {} rows but there are {} labels; expected one a row", rows,
                    labels.size()));
  }
  if (rows == 0) throw ValueError("logistic-regression: x has no rows; expected at least one");
  if (num_classes < 2) {
    throw ValueError(fmt::format("logistic-regression: got {} classes; expected at least 2", num_classes));
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] >= 0 && labels[i] < num_classes) continue;
    throw ValueError(fmt::format("logistic-regression: label {} of row {}; expected one in 0 .. {}",
                                 labels[i], i, num_classes - 1));
  }
}

void require_dim(const LinearClassifier& model, Size cols) {
  if (cols == model.dim) return;
  throw ShapeError(
      fmt::format("logistic-regression: x has {} columns; expected {}, as in the fit", cols, model.dim));
}

/// The lowest of the classes with the highest score.
Size best_class(std::span<const double> scores) {
  return std::max_element(scores.begin(), scores.end()) - scores.begin();
}

/// Class of every row, its products with the weights given by add(row, class scores).
template <class Add>
std::vector<Size> predict_rows(const LinearClassifier& model, Size rows, const Add& add) {
  std::vector<Size> classes(idx(rows));
  for_blocks(rows, 256, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) {
      std::vector<double> scores = model.bias;
      add(i, scores);
      classes[idx(i)] = best_class(scores);
    }
  });
  return classes;
}

void require_finite(ConstMatrixView x) {
  for (Size i = 0; i < x.rows; ++i) {
    if (std::all_of(x.row(i), x.row(i) + x.cols, [](Real v) { return std::isfinite(v); })) continue;
    throw ValueError(
        fmt::format("logistic-regression: row {} of x is not finite; expected finite numbers", i));
  }
}

/// Sums over the rows of term(tile), a row of numbers, where tiles count from `mean`; blocks joined in order.
template <class Term>
Eigen::RowVectorXd column_sums(ConstMatrixView x, const Eigen::RowVectorXd& mean, Term term) {
  const Size grain = 16 * tile_rows, blocks = (x.rows + grain - 1) / grain;
  std::vector<Eigen::RowVectorXd> parts(idx(blocks), Eigen::RowVectorXd::Zero(x.cols));
  for_blocks(x.rows, grain, [&](Size begin, Size end) {
    for_centred_tiles(x, mean, begin, end,
                      [&](Size, const Matrix& tile) { parts[idx(begin / grain)] += term(tile); });
  });
  Eigen::RowVectorXd total = Eigen::RowVectorXd::Zero(x.cols);
  for (const Eigen::RowVectorXd& part : parts) total += part;
  return total;
}

Standard standard_of(ConstMatrixView x) {
  const auto n = static_cast<double>(x.rows);
  const auto sums = [](const Matrix& tile) -> Eigen::RowVectorXd { return tile.colwise().sum(); };
  const auto squares = [](const Matrix& tile) -> Eigen::RowVectorXd { return tile.colwise().squaredNorm(); };
  Standard standard{column_sums(x, Eigen::RowVectorXd::Zero(x.cols), sums) / n, {}};
  const Eigen::RowVectorXd deviation = (column_sums(x, standard.mean, squares) / n).cwiseSqrt();
  standard.scale.resize(x.cols);
  for (Eigen::Index j = 0; j < x.cols; ++j) {
    // What rounding leaves of a constant column is not a feature.
    const bool constant = deviation[j] <= 1e-12 * std::abs(standard.mean[j]) || deviation[j] == 0;
    standard.scale[j] = constant ? 0 : 1 / deviation[j];
  }
  return standard;
}

}  // namespace

void LogisticRegressionOptions::fields(Fields& f) {
  f("l2", l2, at_least(0), "penalty l2/2 |W|^2 on the weights, beside the mean cross entropy");
  f("max_iterations", max_iterations, at_least(1), "most L-BFGS steps");
  f("tolerance", tolerance, above(0), "largest component of the gradient at the end");
}

inline namespace TARN_PRECISION {

LinearClassifier fit_logistic_regression(ConstMatrixView x, std::span<const Size> labels, Size num_classes,
                                         const LogisticRegressionOptions& options) {
  check(x.rows, labels, num_classes, options);
  require_finite(x);
  const Standard standard = standard_of(x);
  LinearClassifier model = solve(DenseRows(x, standard), labels, num_classes, options);
  // W z + b = (W scale) x + (b - (W scale) mean)
  MatrixMap weights(model.weights.data(), num_classes, x.cols);
  weights.array().rowwise() *= standard.scale.array();
  Eigen::Map<Eigen::VectorXd>(model.bias.data(), num_classes) -= weights * standard.mean.transpose();
  return model;
}

std::vector<Size> predict(const LinearClassifier& model, ConstMatrixView x) {
  require_dim(model, x.cols);
  return predict_rows(model, x.rows, [&](Size i, std::vector<double>& scores) {
    for (std::size_t c = 0; c < scores.size(); ++c) {
      const double* weights = model.weights.data() + idx(x.cols) * c;
      for (Size j = 0; j < x.cols; ++j) scores[c] += weights[j] * static_cast<double>(x(i, j));
    }
  });
}

}  // namespace TARN_PRECISION

LinearClassifier fit_logistic_regression(const SparseRows& x, std::span<const Size> labels, Size num_classes,
                                         const LogisticRegressionOptions& options) {
  check(x.rows(), labels, num_classes, options);
  return solve(SparseDesign(x), labels, num_classes, options);
}

std::vector<Size> predict(const LinearClassifier& model, const SparseRows& x) {
  require_dim(model, x.cols);
  return predict_rows(model, x.rows(), [&](Size i, std::vector<double>& scores) {
    for (std::size_t c = 0; c < scores.size(); ++c) {
      const double* weights = model.weights.data() + idx(x.cols) * c;
      for (Size k = x.offsets[idx(i)]; k < x.offsets[idx(i + 1)]; ++k) {
        scores[c] += weights[x.columns[idx(k)]] * x.values[idx(k)];
      }
    }
  });
}

}  // namespace tarn
