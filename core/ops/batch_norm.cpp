#include "tarn/core/ops/batch_norm.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

namespace tarn {

namespace {

void update_running(const BatchNormState& state, const ChannelMoments& batch, Size rows) {
  const double n = static_cast<double>(rows), m = state.momentum;
  for (std::size_t j = 0; j < batch.mean.size(); ++j) {
    Real& mean = state.running_mean.value.flat()[j];
    Real& variance = state.running_var.value.flat()[j];
    mean = static_cast<Real>((1 - m) * static_cast<double>(mean) + m * batch.mean[j]);
    variance =
        static_cast<Real>((1 - m) * static_cast<double>(variance) + m * batch.variance[j] * (n / (n - 1)));
  }
}

ChannelMoments running_moments(Tape& tape, const BatchNormState& state) {
  const Size channels = state.running_mean.value.size();
  const ChannelMoments m{tape.allocate_array<double>(channels), tape.allocate_array<double>(channels)};
  for (std::size_t j = 0; j < m.mean.size(); ++j) {
    m.mean[j] = static_cast<double>(state.running_mean.value.flat()[j]);
    m.variance[j] = static_cast<double>(state.running_var.value.flat()[j]);
  }
  return m;
}

}  // namespace

inline namespace TARN_PRECISION {

Var batch_norm(Var x, Var weight, Var bias, const BatchNormState& state, Activation activation,
               const char* where) {
  Tape& tape = x.tape();
  const Size rows = x.rows();
  bool from_batch = tape.pass().training && rows > 0;
  if (from_batch && rows == 1) {
    if (state.single_row == SingleRow::refuse) {
      throw ShapeError(fmt::format(
          "{}: a training batch of one row; expected at least two (statistics over the batch)", where));
    }
    from_batch = state.single_row == SingleRow::bias_alone;
  }
  const Segments whole = Segments::uniform(1, rows);
  const ChannelMoments moments =
      from_batch ? channel_moments(tape, x.value(), whole) : running_moments(tape, state);
  if (from_batch && rows > 1) update_running(state, moments, rows);
  return normalize_sets(x, whole, moments,
                        {.weight = weight,
                         .bias = bias,
                         .eps = state.eps,
                         .gradient = from_batch ? MomentGradient::through : MomentGradient::none,
                         .activation = activation});
}

}  // namespace TARN_PRECISION
}  // namespace tarn
