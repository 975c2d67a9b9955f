#include "tarn/core/losses.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace tarn {

namespace {

constexpr double smallest_norm = 1e-8;

MatrixView scalar(Tape& tape, double value) {
  const MatrixView y = tape.allocate({1});
  y.data[0] = static_cast<Real>(value);
  return y;
}

/// log(sum exp(row)), stable, in double.
template <class At>
double log_sum_exp(Size n, At at) {
  double best = at(0);
  for (Size j = 1; j < n; ++j) best = std::max(best, at(j));
  double sum = 0;
  for (Size j = 0; j < n; ++j) sum += std::exp(at(j) - best);
  return best + std::log(sum);
}

void require_pair(const char* where, Var a, Var b) {
  if (a.shape() == b.shape()) return;
  throw ShapeError(fmt::format("{}: a is {} and b is {}; expected equal shapes", where, a.shape().text(),
                               b.shape().text()));
}

double dot(ConstMatrixView a, ConstMatrixView b, Size i) {
  double sum = 0;
  for (Size j = 0; j < a.cols; ++j) sum += static_cast<double>(a(i, j)) * static_cast<double>(b(i, j));
  return sum;
}

/// Cosine of one pair of rows with what its gradient needs.
struct Cosine {
  double value, norm_a, norm_b;
  bool a_constant, b_constant;
};

Cosine cosine(ConstMatrixView a, ConstMatrixView b, Size i) {
  const double na = std::sqrt(dot(a, a, i)), nb = std::sqrt(dot(b, b, i));
  const double ga = std::max(na, smallest_norm), gb = std::max(nb, smallest_norm);
  return {dot(a, b, i) / (ga * gb), ga, gb, na < smallest_norm, nb < smallest_norm};
}

/// d cos / d a = b / (|a| |b|) - cos a / |a|^2, the last term only where the norm varies.
void add_cosine_gradient(double g, ConstMatrixView a, ConstMatrixView b, Size i, const Cosine& c, double norm,
                         bool constant, MatrixView into) {
  const double along = constant ? 0 : c.value / (norm * norm);
  for (Size j = 0; j < a.cols; ++j) {
    into(i, j) += static_cast<Real>(
        g * (static_cast<double>(b(i, j)) / (c.norm_a * c.norm_b) - along * static_cast<double>(a(i, j))));
  }
}

}  // namespace

inline namespace TARN_PRECISION {

Var cross_entropy(Var logits, std::span<const Size> labels, double smoothing) {
  const ConstMatrixView z = logits.value();
  if (static_cast<Size>(labels.size()) != z.rows) {
    throw ShapeError(
        fmt::format("cross_entropy: {} labels for {} rows; expected one each", labels.size(), z.rows));
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] >= 0 && labels[i] < z.cols) continue;
    throw ValueError(
        fmt::format("cross_entropy: label {} of row {}; expected 0 to {}", labels[i], i, z.cols - 1));
  }
  Tape& tape = logits.tape();
  const auto classes = tape.allocate_array<Size>(z.rows);
  std::copy(labels.begin(), labels.end(), classes.begin());
  const auto norms = tape.allocate_array<double>(z.rows);
  double total = 0;
  for (Size i = 0; i < z.rows; ++i) {
    const auto at = [&](Size j) { return static_cast<double>(z(i, j)); };
    norms[static_cast<std::size_t>(i)] = log_sum_exp(z.cols, at);
    total += norms[static_cast<std::size_t>(i)] - (1 - smoothing) * at(classes[static_cast<std::size_t>(i)]);
    if (smoothing == 0) continue;
    double sum = 0;
    for (Size j = 0; j < z.cols; ++j) sum += at(j);
    total -= smoothing * sum / static_cast<double>(z.cols);
  }
  const double everywhere = smoothing / static_cast<double>(std::max<Size>(z.cols, 1));
  const double share = z.rows > 0 ? 1 / static_cast<double>(z.rows) : 0;
  return tape.record(
      "cross_entropy", {1}, scalar(tape, total * share), {logits}, [=, &tape](ConstMatrixView dy) {
        const MatrixView dz = tape.grad(logits);
        const double g = static_cast<double>(dy.data[0]) * share;
        for (Size i = 0; i < z.rows; ++i) {
          const auto row = static_cast<std::size_t>(i);
          for (Size j = 0; j < z.cols; ++j) {
            const double target = (1 - smoothing) * double(classes[row] == j) + everywhere;
            dz(i, j) += static_cast<Real>(g * (std::exp(static_cast<double>(z(i, j)) - norms[row]) - target));
          }
        }
      });
}

Var contrastive_loss(Var a, Var b, double temperature) {
  require_pair("contrastive-loss", a, b);
  Tape& tape = a.tape();
  const Size n = a.rows();
  const MatrixView s = tape.allocate({n, n});
  multiply(a.value(), Transpose::no, b.value(), Transpose::yes, s);
  const double scale = 1 / temperature;
  const auto at = [=](Size i, Size j) { return scale * static_cast<double>(s(i, j)); };
  const auto by_row = tape.allocate_array<double>(n), by_column = tape.allocate_array<double>(n);
  double total = 0;
  for (Size i = 0; i < n; ++i) {
    const auto k = static_cast<std::size_t>(i);
    by_row[k] = log_sum_exp(n, [&](Size j) { return at(i, j); });
    by_column[k] = log_sum_exp(n, [&](Size j) { return at(j, i); });
    total += by_row[k] + by_column[k] - 2 * at(i, i);
  }
  const double share = n > 0 ? 0.5 / static_cast<double>(n) : 0;
  return tape.record("contrastive_loss", {1}, scalar(tape, total * share), {a, b},
                     [=, &tape](ConstMatrixView dy) {
                       const double g = static_cast<double>(dy.data[0]) * share * scale;
                       const MatrixView ds = tape.allocate({n, n});
                       for (Size i = 0; i < n; ++i) {
                         for (Size j = 0; j < n; ++j) {
                           const double p = std::exp(at(i, j) - by_row[static_cast<std::size_t>(i)]) +
                                            std::exp(at(i, j) - by_column[static_cast<std::size_t>(j)]);
                           ds(i, j) = static_cast<Real>(g * (p - (i == j ? 2 : 0)));
                         }
                       }
                       if (a.needs_grad()) {
                         const GradSink da = tape.sink(a);
                         multiply(ds, Transpose::no, b.value(), Transpose::no, da.view, da.write);
                       }
                       if (b.needs_grad()) {
                         const GradSink db = tape.sink(b);
                         multiply(ds, Transpose::yes, a.value(), Transpose::no, db.view, db.write);
                       }
                     });
}

Var cosine_mse_loss(Var a, Var b, Var labels) {
  require_pair("cosine-mse-loss", a, b);
  if (labels.shape().count() != a.rows()) {
    throw ShapeError(fmt::format("cosine-mse-loss: labels are {} for {} pairs; expected [{}]",
                                 labels.shape().text(), a.rows(), a.rows()));
  }
  Tape& tape = a.tape();
  const ConstMatrixView x = a.value(), z = b.value();
  const Real* target = labels.value().data;
  const auto cosines = tape.allocate_array<Cosine>(x.rows);
  double total = 0;
  for (Size i = 0; i < x.rows; ++i) {
    Cosine& c = cosines[static_cast<std::size_t>(i)];
    c = cosine(x, z, i);
    total += (c.value - static_cast<double>(target[i])) * (c.value - static_cast<double>(target[i]));
  }
  const double share = x.rows > 0 ? 1 / static_cast<double>(x.rows) : 0;
  return tape.record(
      "cosine_mse_loss", {1}, scalar(tape, total * share), {a, b, labels}, [=, &tape](ConstMatrixView dy) {
        const MatrixView da = a.needs_grad() ? tape.grad(a) : MatrixView{};
        const MatrixView db = b.needs_grad() ? tape.grad(b) : MatrixView{};
        const MatrixView dl = labels.needs_grad() ? tape.grad(labels) : MatrixView{};
        for (Size i = 0; i < x.rows; ++i) {
          const Cosine& c = cosines[static_cast<std::size_t>(i)];
          const double g =
              2 * share * static_cast<double>(dy.data[0]) * (c.value - static_cast<double>(target[i]));
          if (da.data != nullptr) add_cosine_gradient(g, x, z, i, c, c.norm_a, c.a_constant, da);
          if (db.data != nullptr) add_cosine_gradient(g, z, x, i, c, c.norm_b, c.b_constant, db);
          if (dl.data != nullptr) dl.data[i] -= static_cast<Real>(g);
        }
      });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
