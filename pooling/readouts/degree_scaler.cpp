#include "tarn/pooling/readouts/degree_scaler.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/scaling.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

/// x times s, or x / s, for one learned number s: x [B, D], s [1].
Var multiply_or_divide(Var x, Var s, bool divide) {
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const auto value = static_cast<double>(s.value().data[0]);
  const double factor = divide ? 1 / value : value;
  const MatrixView y = tape.allocate(x.shape());
  for (Size i = 0; i < y.rows; ++i) {
    for (Size j = 0; j < y.cols; ++j) y(i, j) = static_cast<Real>(factor * static_cast<double>(in(i, j)));
  }
  return tape.record("multiply_or_divide", x.shape(), y, {x, s}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dx = x.needs_grad() ? tape.grad(x) : MatrixView();
    double total = 0;
    for (Size i = 0; i < dy.rows; ++i) {
      for (Size j = 0; j < dy.cols; ++j) {
        total += static_cast<double>(dy(i, j)) * static_cast<double>(in(i, j));
        if (dx.data != nullptr) dx(i, j) += static_cast<Real>(factor * static_cast<double>(dy(i, j)));
      }
    }
    if (s.needs_grad()) tape.grad(s).data[0] += static_cast<Real>(divide ? -total / (value * value) : total);
  });
}

}  // namespace

inline namespace TARN_PRECISION {

DegreeScaler::DegreeScaler(const Options& o)
    : Readout("degree-scaler", o),
      members_(child("", std::make_unique<Members>(o.aggrs, o.in_channels, "degree-scaler"))) {
  double total = 0;
  for (std::size_t k = 0; k < o.deg.size(); ++k) {
    const auto count = static_cast<double>(o.deg[k]), size = static_cast<double>(k);
    total += count;
    mean_size_ += size * count;
    mean_log_ += std::log(size + 1) * count;
  }
  if (total == 0)
    throw ConfigError("degree-scaler.deg: got a histogram of nothing; expected a count above 0");
  mean_size_ /= total;
  mean_log_ /= total;
  read_scalers(o);
  if (!o.train_norm) return;
  learned_size_ = &parameter("avg_deg_lin", {1}, constant(mean_size_));
  learned_log_ = &parameter("avg_deg_log", {1}, constant(mean_log_));
}

void DegreeScaler::read_scalers(const Options& o) {
  static constexpr std::array<std::string_view, 5> names{"identity", "amplification", "attenuation", "linear",
                                                         "inverse_linear"};
  if (o.scaler.empty()) throw ConfigError("degree-scaler.scaler: got []; expected at least one");
  for (const std::string& given : o.scaler) {
    const auto it = std::ranges::find(names, given);
    if (it == names.end()) {
      throw ConfigError(
          fmt::format("degree-scaler.scaler: got '{}'; expected one of {}", given, fmt::join(names, ", ")));
    }
    const auto scaler = static_cast<Scaler>(it - names.begin());
    const bool divides = scaler == Scaler::amplification || scaler == Scaler::linear;
    if (divides && mean_log_ == 0) {
      throw ConfigError(
          fmt::format("degree-scaler.deg: got sets of no rows alone with scaler {}; expected some "
                      "with rows",
                      given));
    }
    scalers_.push_back(scaler);
  }
}

Var DegreeScaler::scaled(Var y, const Segments& sets, Scaler scaler) const {
  if (scaler == Scaler::identity) return y;
  const bool logs = scaler == Scaler::amplification || scaler == Scaler::attenuation;
  const bool divides = scaler == Scaler::amplification || scaler == Scaler::linear;
  std::vector<double> factors;
  for (Size b = 0; b < sets.count(); ++b) {
    const auto n = static_cast<double>(divides ? sets.size(b) : std::max<Size>(sets.size(b), 1));
    const double size = logs ? std::log(n + 1) : n;
    factors.push_back(divides ? size : 1 / size);
  }
  Parameter* learned = logs ? learned_log_ : learned_size_;
  if (learned != nullptr)
    return multiply_or_divide(scale_rows(y, factors), y.tape().parameter(*learned), divides);
  const double mean = logs ? mean_log_ : mean_size_;
  for (double& factor : factors) factor *= divides ? 1 / mean : mean;
  return scale_rows(y, factors);
}

Pooled DegreeScaler::pool(const SetInput& in) {
  const Var y = concat_columns(members_.forward(in));
  std::vector<Var> parts;
  for (const Scaler scaler : scalers_) parts.push_back(scaled(y, in.sets, scaler));
  return {concat_columns(parts)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
