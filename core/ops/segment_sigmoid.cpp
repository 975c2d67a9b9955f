#include "tarn/core/ops/segment_sigmoid.hpp"

#include "tarn/core/ops/segment_weights.hpp"
#include "tarn/core/ops/vector_math.hpp"

#include <cmath>

namespace tarn {

namespace {

double norm_of(LengthNorm norm, double length) {
  switch (norm) {
    case LengthNorm::none:
      return 1;
    case LengthNorm::sqrt_length:
      return std::sqrt(length);
    case LengthNorm::length:
      return length;
  }
  return 1;
}

}  // namespace

inline namespace TARN_PRECISION {

Var segment_sigmoid(Var scores, const Segments& sets, const SegmentSigmoidOptions& o) {
  Tape& tape = scores.tape();
  const Size cols = scores.cols();
  const MatrixView divisor = tape.allocate({sets.count(), cols});
  const auto temperature = static_cast<Real>(o.temperature);
  const auto forward = [=](const SetRun& run, const Real* s, Real* w) {
    thread_local std::vector<double> length;
    thread_local std::vector<Real> bias;
    run.for_sets([&](Size set, Size at, Size rows) {
      length.assign(static_cast<std::size_t>(cols), 0.0);
      bias.resize(length.size());
      sum_columns(rows, cols, length.data(),
                  [=](Size i) { return Real(s[at + i] != -std::numeric_limits<Real>::infinity()); });
      for (std::size_t j = 0; j < length.size(); ++j) {
        const double n = std::max(length[j], 1.0);
        bias[j] = static_cast<Real>(o.bias.value_or(-std::log(n)));
        divisor(set, static_cast<Size>(j)) = static_cast<Real>(norm_of(o.length_norm, n));
      }
      for_columns(rows, cols, bias.data(), [=](Size i, Real b) { w[at + i] = s[at + i] / temperature + b; });
    });
    sigmoid_in_place(w, run.count());
    if (o.length_norm == LengthNorm::none) return;
    run.for_sets([&](Size set, Size at, Size rows) {
      for_columns(rows, cols, divisor.row(set), [=](Size i, Real c) { w[at + i] /= c; });
    });
  };
  const auto backward = [=](const SetRun& run, const Real*, const Real* w, const Real* g, Real* ds) {
    run.for_sets([&](Size set, Size at, Size rows) {
      for_columns(rows, cols, divisor.row(set), [=](Size i, Real c) {
        ds[at + i] = g[at + i] * w[at + i] * (1 - w[at + i] * c) / temperature;
      });
    });
  };
  return record_weights("segment_sigmoid", scores, sets, forward, backward);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
