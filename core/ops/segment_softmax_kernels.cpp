#include "tarn/core/ops/segment_softmax_kernels.hpp"

#include "tarn/core/ops/vector_math.hpp"

#include <cmath>

namespace tarn {

namespace {

/// Numbers of a set that are worked on at a time, and up to which sets share a run of exponentials.
constexpr Size block_numbers = 4096;
/// Bytes of a set's scores up to which `automatic` reads them three times: half of a usual second cache.
constexpr Size most_cached = Size{1} << 20U;

/// Largest scores, sums and their inverses of the columns of one set.
struct Columns {
  std::vector<Real> highest, shift, before, inverse;
  std::vector<double> sum;

  void start(Size cols) {
    highest.assign(static_cast<std::size_t>(cols), -std::numeric_limits<Real>::infinity());
    shift.resize(highest.size());
    inverse.resize(highest.size());
    sum.assign(highest.size(), 0.0);
  }
  /// Columns of minus infinity are shifted by nothing.
  void set_shift() {
    for (std::size_t j = 0; j < shift.size(); ++j)
      shift[j] = highest[j] == -std::numeric_limits<Real>::infinity() ? Real{0} : highest[j];
  }
  void set_inverse() {
    for (std::size_t j = 0; j < sum.size(); ++j)
      inverse[j] = sum[j] == 0 ? Real{0} : static_cast<Real>(1 / sum[j]);
  }
};

/// One set under a softmax: its scores, where its weights go, and its columns.
struct SetScores {
  Size rows, cols;
  const Real* s;
  Real* w;
  Columns& columns;

  /// f(first number, rows) for blocks of rows.
  template <class F>
  void for_row_blocks(F f) const {
    const Size block = std::max<Size>(1, block_numbers / cols);
    for (Size i = 0; i < rows; i += block) f(i * cols, std::min(block, rows - i));
  }
  void subtract(Size at, Size block, const Real* from, Real* to) const {
    for_columns(block, cols, columns.shift.data(), [=](Size i, Real m) { to[i] = from[at + i] - m; });
  }
  void add(Size block, const Real* e) const {
    sum_columns(block, cols, columns.sum.data(), [e](Size i) { return e[i]; });
  }
  void scale(Size at, Size block) const {
    Real* const to = w + at;
    for_columns(block, cols, columns.inverse.data(), [to](Size i, Real inverse) { to[i] *= inverse; });
  }
  void find_highest() const { raise_columns(rows, cols, columns.highest.data(), s); }
};

/// w = exp(s - shift) / sum, exponentials computed anew.
void write_weights(const SetScores& x) {
  x.columns.set_inverse();
  x.for_row_blocks([&](Size at, Size block) {
    x.subtract(at, block, x.s, x.w + at);
    exp_in_place(x.w + at, block * x.cols);
    x.scale(at, block);
  });
}

void three_pass(const SetScores& x) {
  x.find_highest();
  x.columns.set_shift();
  x.for_row_blocks([&](Size at, Size block) {
    x.subtract(at, block, x.s, x.w + at);
    exp_in_place(x.w + at, block * x.cols);
    x.add(block, x.w + at);
  });
  x.columns.set_inverse();
  x.scale(0, x.rows);
}

/// Exponentials of a block that are summed and not kept.
void add_block(const SetScores& x, Size at, Size block, std::vector<Real>& e) {
  e.resize(static_cast<std::size_t>(block * x.cols));
  x.subtract(at, block, x.s, e.data());
  exp_in_place(e.data(), block * x.cols);
  x.add(block, e.data());
}

void three_pass_recompute(const SetScores& x, std::vector<Real>& e) {
  x.find_highest();
  x.columns.set_shift();
  x.for_row_blocks([&](Size at, Size block) { add_block(x, at, block, e); });
  write_weights(x);
}

void online(const SetScores& x, std::vector<Real>& e) {
  Columns& c = x.columns;
  x.for_row_blocks([&](Size at, Size block) {
    raise_columns(block, x.cols, c.highest.data(), x.s + at);
    const std::vector<Real>& before = c.before = c.shift;
    c.set_shift();
    for (std::size_t j = 0; j < c.sum.size(); ++j) {
      if (c.sum[j] != 0 && c.shift[j] != before[j])
        c.sum[j] *= std::exp(static_cast<double>(before[j]) - static_cast<double>(c.shift[j]));
    }
    add_block(x, at, block, e);
  });
  write_weights(x);
}

SoftmaxAlgorithm chosen(SoftmaxAlgorithm algorithm, Size numbers) {
  if (algorithm != SoftmaxAlgorithm::automatic) return algorithm;
  const Size bytes = numbers * static_cast<Size>(sizeof(Real));
  return bytes <= most_cached ? SoftmaxAlgorithm::three_pass : SoftmaxAlgorithm::two_pass;
}

void one_set(const SetScores& x, SoftmaxAlgorithm algorithm) {
  thread_local std::vector<Real> e;
  x.columns.start(x.cols);
  switch (chosen(algorithm, x.rows * x.cols)) {
    case SoftmaxAlgorithm::three_pass_recompute:
      return three_pass_recompute(x, e);
    case SoftmaxAlgorithm::online:
      return online(x, e);
    case SoftmaxAlgorithm::two_pass:
      if (two_pass_softmax(x.rows, x.cols, x.s, x.w)) return;
      [[fallthrough]];
    default:
      return three_pass(x);
  }
}

/// Three passes over several short sets at once, so that their exponentials fill vectors: the bits of
/// `three_pass`.
void short_sets(const SetRun& run, Size first, Size last, const Real* s, Real* w, Columns& c) {
  const SetRun part{run.sets, first, last, run.cols};
  s += run.start(first);
  w += run.start(first);
  const auto each = [&](auto f) {
    part.for_sets([&](Size, Size at, Size rows) {
      c.start(run.cols);
      f(SetScores{rows, run.cols, s + at, w + at, c});
    });
  };
  each([](const SetScores& x) {
    x.find_highest();
    x.columns.set_shift();
    x.subtract(0, x.rows, x.s, x.w);
  });
  exp_in_place(w, part.count());
  each([](const SetScores& x) {
    x.add(x.rows, x.w);
    x.columns.set_inverse();
    x.scale(0, x.rows);
  });
}

}  // namespace

inline namespace TARN_PRECISION {

void softmax_run(const SetRun& run, const SegmentSoftmaxOptions& options, const Real* s, Real* w) {
  thread_local Columns columns;
  thread_local std::vector<Real> divided;
  if (options.temperature != 1) {
    const auto temperature = static_cast<Real>(options.temperature);
    divided.assign(s, s + run.count());
    for (Real& v : divided) v /= temperature;
    s = divided.data();
  }
  const bool choose = options.algorithm == SoftmaxAlgorithm::automatic;
  const auto is_short = [&](Size set) { return choose && run.num_rows(set) * run.cols <= block_numbers; };
  for (Size b = run.first; b < run.last;) {
    Size end = b;
    while (end < run.last && is_short(end)) ++end;
    if (end > b) {
      short_sets(run, b, end, s, w, columns);
      b = end;
    } else {
      const Size at = run.start(b);
      one_set({run.num_rows(b), run.cols, s + at, w + at, columns}, options.algorithm);
      ++b;
    }
  }
}

}  // namespace TARN_PRECISION
}  // namespace tarn
