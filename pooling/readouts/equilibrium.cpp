#include "tarn/pooling/readouts/equilibrium.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/gather.hpp"
#include "tarn/core/ops/layer_norm.hpp"
#include "tarn/core/ops/log_softmax.hpp"
#include "tarn/core/ops/per_set.hpp"
#include "tarn/core/ops/scaling.hpp"
#include "tarn/core/ops/segment.hpp"
#include "tarn/core/ops/slice.hpp"
#include "tarn/core/ops/vector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace tarn {

namespace {

constexpr double norm_eps = 1e-5;
constexpr Size rows_per_block = 128;

/// A row of z, standardised: x = (z - mean) inverse.
struct Standard {
  double inverse;
  std::vector<double> x;
};

Standard standardise(const Real* z, Size n) {
  double mean = 0, squares = 0;
  for (Size j = 0; j < n; ++j) mean += static_cast<double>(z[j]);
  mean /= static_cast<double>(n);
  Standard s{0, std::vector<double>(static_cast<std::size_t>(n))};
  for (Size j = 0; j < n; ++j) {
    const double d = s.x[static_cast<std::size_t>(j)] = static_cast<double>(z[j]) - mean;
    squares += d * d;
  }
  s.inverse = 1 / std::sqrt(squares / static_cast<double>(n) + norm_eps);
  for (double& v : s.x) v *= s.inverse;
  return s;
}

/// Means of m and of m x over a row.
struct Means {
  double plain, along;
};
Means means_of(const Real* m, const Standard& s) {
  Means result{0, 0};
  for (std::size_t j = 0; j < s.x.size(); ++j) {
    result.plain += static_cast<double>(m[j]);
    result.along += static_cast<double>(m[j]) * s.x[j];
  }
  const auto n = static_cast<double>(s.x.size());
  return {result.plain / n, result.along / n};
}

/// J m = inverse (m - mean(m) - x mean(m x)), the gradient of a standardised row along m.
double pulled_back(const Real* m, const Standard& s, const Means& means, std::size_t j) {
  return s.inverse * (static_cast<double>(m[j]) - means.plain - s.x[j] * means.along);
}

/// J m on rows as a function of z and m, both [N, D]. J is symmetric; with a = mean(w x), b = mean(m x), c =
/// <w, m> - n mean(w) mean(m) - n a b the gradient along w is J w for m, and -c inverse^2 x / n - inverse (a
/// J m
/// + b J w) for z.
Var standardise_gradient(Var z, Var m) {
  Tape& tape = z.tape();
  const ConstMatrixView rows = z.value(), along = m.value();
  const MatrixView y = tape.allocate(z.shape());
  const auto for_rows = [n = rows.rows](auto f) {
    for_blocks(n, rows_per_block, [&](Size begin, Size end) {
      for (Size i = begin; i < end; ++i) f(i);
    });
  };
  for_rows([&](Size i) {
    const Standard s = standardise(rows.row(i), rows.cols);
    const Means means = means_of(along.row(i), s);
    for (std::size_t j = 0; j < s.x.size(); ++j)
      y.row(i)[j] = static_cast<Real>(pulled_back(along.row(i), s, means, j));
  });
  return tape.record("standardise_gradient", z.shape(), y, {z, m}, [=, &tape](ConstMatrixView w) {
    const MatrixView dz = z.needs_grad() ? tape.grad(z) : MatrixView();
    const MatrixView dm = m.needs_grad() ? tape.grad(m) : MatrixView();
    for_rows([&](Size i) {
      const Standard s = standardise(rows.row(i), rows.cols);
      const Means of_m = means_of(along.row(i), s), of_w = means_of(w.row(i), s);
      const auto n = static_cast<double>(rows.cols);
      double c = -n * (of_w.plain * of_m.plain + of_w.along * of_m.along);
      for (Size j = 0; j < rows.cols; ++j)
        c += static_cast<double>(w(i, j)) * static_cast<double>(along(i, j));
      for (std::size_t j = 0; j < s.x.size(); ++j) {
        const double jm = pulled_back(along.row(i), s, of_m, j), jw = pulled_back(w.row(i), s, of_w, j);
        if (dm.data != nullptr) dm.row(i)[j] += static_cast<Real>(jw);
        if (dz.data == nullptr) continue;
        dz.row(i)[j] += static_cast<Real>(-c * s.inverse * s.inverse * s.x[j] / n -
                                          s.inverse * (of_w.along * jm + of_m.along * jw));
      }
    });
  });
}

/// ln(1 + exp(s)) of one learned number.
Var softplus(Var s) {
  const MatrixView zero = s.tape().allocate({1});
  zero.data[0] = 0;
  return log_sum_exp(std::array{s.tape().input(zero, {1}), s});
}

/// x times one learned number.
Var multiply_by_scalar(Var x, Var s) {
  const Var column = reshape(x, {x.shape().count(), 1});
  return reshape(multiply_by(column, reshape(s, {1, 1})), x.shape());
}

}  // namespace

inline namespace TARN_PRECISION {

Equilibrium::Equilibrium(const Options& o)
    : Readout("equilibrium", o),
      o_(o),
      out_dim_(required_option("equilibrium", "out_channels", o.out_channels)),
      lamb_(parameter("lamb", {1}, constant(o.lamb))),
      lr_(parameter("optimizer._lr", {1}, constant(0.1))),
      mom_(parameter("optimizer._mom", {1}, constant(0.9))) {
  const Size read = o.in_channels + out_dim_;
  Size width = read;
  const auto add_residual = [&](std::size_t k, Size out) {
    residual_.push_back(
        &child(fmt::format("potential.res_trans.{}", k), std::make_unique<Linear>(read, out)));
  };
  for (std::size_t k = 0; k < o.num_layers.size(); ++k) {
    const Size next = o.num_layers[k];
    const std::string prefix = fmt::format("potential.layers.{}", k);
    layers_.push_back({&child(prefix + ".0", std::make_unique<Linear>(width, next)),
                       &parameter(prefix + ".1.weight", {next}, constant(1)),
                       &parameter(prefix + ".1.bias", {next}, constant(0))});
    add_residual(k, next);
    width = next;
  }
  last_ = &child(fmt::format("potential.layers.{}", o.num_layers.size()), std::make_unique<Linear>(width, 1));
  add_residual(o.num_layers.size(), 1);
}

Var Equilibrium::mean_gradient(const SetInput& in, Var y) {
  Tape& tape = y.tape();
  const Size rows = in.x.rows(), width = in.x.cols();
  const std::array<Var, 2> u{in.x, spread_over_sets(y, in.sets)};  // together [N, D + out]
  std::vector<Var> sums, turns;                                    // before the norm, and tanh of it
  Var h;
  for (std::size_t k = 0; k < layers_.size(); ++k) {
    const Layer& layer = layers_[k];
    const Var z = k == 0 ? layer.map->forward(u) : layer.map->forward(h);
    const Var t =
        activate(layer_norm(z, tape.parameter(layer.norm_weight), tape.parameter(layer.norm_bias), norm_eps),
                 Activation::tanh);
    sums.push_back(z);
    turns.push_back(t);
    if (k + 1 < layers_.size()) h = add(residual_[k]->forward(u), t);
  }
  const auto weight = [&](Linear* map) { return tape.parameter(map->weight()); };
  Var d = repeat_rows(weight(residual_.back()), rows);  // [N, D + out]: the gradient of u beside h
  Var e = repeat_rows(weight(last_), rows);             // the gradient of h
  for (std::size_t k = layers_.size(); k-- > 0;) {
    d = add(d, multiply_by(e, weight(residual_[k])));
    const Var m = add(e, multiply_elements(e, multiply_elements(turns[k], turns[k])), -1);
    const Var scaled = scale_columns(m, tape.parameter(*layers_[k].norm_weight));
    e = multiply_by(standardise_gradient(sums[k], scaled), weight(layers_[k].map));
  }
  const Var du = add(d, e);
  return segment_reduce(slice_columns(du, width, width + out_dim_), in.sets, Reduce::mean);
}

Pooled Equilibrium::pool(const SetInput& in) {
  Tape& tape = in.x.tape();
  const Shape shape{in.sets.count(), out_dim_};
  const MatrixView zeros = tape.allocate(shape);
  std::fill_n(zeros.data, zeros.size(), Real{0});
  Var y = tape.input(zeros, shape), v = y;
  const Var weight = scale(softplus(tape.parameter(lamb_)), 2), rate = softplus(tape.parameter(lr_));
  const Var momentum = activate(tape.parameter(mom_), Activation::sigmoid);
  for (Size step = 0; step < o_.grad_iter; ++step) {
    const Var slope = add(mean_gradient(in, y), multiply_by_scalar(y, weight));
    v = add(multiply_by_scalar(v, momentum), multiply_by_scalar(slope, rate), -1);
    y = add(y, v);
  }
  return {y};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
