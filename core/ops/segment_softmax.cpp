#include "tarn/core/ops/segment_softmax.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/segment_softmax_kernels.hpp"
#include "tarn/core/ops/vector_math.hpp"

#include <fmt/format.h>

#include <array>

namespace tarn {

namespace {

/// Standard Gumbel draws first .. first+n-1 of a stream, -ln(-ln u).
void draw_gumbel(const Rng& rng, Size first, Size n, Real* into) {
  constexpr Size run = 64;
  std::array<Real, run> below, above;
  for (Size at = 0; at < n; at += run) {
    const Size count = std::min(run, n - at);
    // -ln u = -ln(1 - v): u and v = 1 - u are both exact to their last bits, the smaller one counts.
    for (Size i = 0; i < count; ++i) {
      const std::uint64_t k = rng.bits(static_cast<std::uint64_t>(first + at + i)) >> 32U;
      const double u = (static_cast<double>(k) + 0.5) * 0x1p-32;
      below[static_cast<std::size_t>(i)] = static_cast<Real>(std::min(u, 0.5));
      above[static_cast<std::size_t>(i)] = static_cast<Real>(u > 0.5 ? u - 1 : 0);
    }
    log_in_place(below.data(), count);
    log1p_in_place(above.data(), count);
    Real* const g = into + at;
    for (Size i = 0; i < count; ++i) {
      const auto k = static_cast<std::size_t>(i);
      g[i] = above[k] < 0 ? -above[k] : -below[k];
    }
    log_in_place(g, count);
    for (Size i = 0; i < count; ++i) g[i] = -g[i];
  }
}

/// One at the first largest of each column with weights, zero elsewhere.
void one_hot(const SetRun& run, const Real* soft, Real* w) {
  std::fill_n(w, run.count(), Real{0});
  run.for_sets([&](Size, Size at, Size rows) {
    for (Size j = 0; j < run.cols; ++j) {
      Size best = at + j;
      bool broken = false;
      for (Size i = 0; i < rows; ++i) {
        const Size here = at + i * run.cols + j;
        if (soft[here] > soft[best]) best = here;
        broken = broken || soft[here] != soft[here];
      }
      if (broken) best = at + j;
      w[best] = broken ? std::numeric_limits<Real>::quiet_NaN() : Real(soft[best] > 0);
    }
  });
}

}  // namespace

inline namespace TARN_PRECISION {

Var segment_softmax(Var scores, const Segments& sets, const SegmentSoftmaxOptions& options) {
  const auto factor = static_cast<Real>(1 / options.temperature);
  return record_weights(
      "segment_softmax", scores, sets,
      [=](const SetRun& run, const Real* s, Real* w) { softmax_run(run, options, s, w); },
      [=](const SetRun& run, const Real*, const Real* w, const Real* g, Real* ds) {
        shared_gradient(run, w, w, g, factor, ds);
      });
}

Var segment_gumbel_softmax(Var scores, const Segments& sets, Var noise, const GumbelSoftmaxOptions& options) {
  Tape& tape = scores.tape();
  if (noise.given() && noise.shape() != scores.shape()) {
    throw ShapeError(fmt::format("segment_gumbel_softmax: noise is {}, scores {}; expected equal shapes",
                                 noise.shape().text(), scores.shape().text()));
  }
  const Real* const given = noise.given() ? dense_numbers(tape, noise.value()) : nullptr;
  const bool draws = given == nullptr && tape.pass().training;
  const Rng rng = draws ? tape.next_rng() : Rng();
  const MatrixView noisy = tape.allocate(scores.shape());
  const bool hard = options.choice == Choice::hard;
  const MatrixView soft = hard ? tape.allocate(scores.shape()) : MatrixView();
  const SegmentSoftmaxOptions softmax{.temperature = options.temperature};
  const auto factor = static_cast<Real>(1 / options.temperature);
  // Where a run of sets stands in the whole.
  const auto place = [](const SetRun& run) { return run.rows().begin * run.cols; };
  return record_weights(
      "segment_gumbel_softmax", scores, sets,
      [=](const SetRun& run, const Real* s, Real* w) {
        const Size at = place(run), count = run.count();
        Real* const sum = noisy.data + at;
        if (draws) {
          draw_gumbel(rng, at, count, sum);
        } else if (given != nullptr) {
          std::copy_n(given + at, count, sum);
        } else {
          std::fill_n(sum, count, Real{0});
        }
        for (Size i = 0; i < count; ++i) sum[i] += s[i];
        softmax_run(run, softmax, sum, hard ? soft.data + at : w);
        if (hard) one_hot(run, soft.data + at, w);
      },
      [=](const SetRun& run, const Real*, const Real* w, const Real* g, Real* ds) {
        const Real* const weights = hard ? soft.data + place(run) : w;
        shared_gradient(run, weights, weights, g, factor, ds);
      });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
