#include "tarn/core/ops/set_norm.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/set_chunks.hpp"

#include <cmath>

namespace tarn {

namespace {

/// Whether negative results became zero in the same pass.
enum class Rectify { no, yes };

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

/// Adds the sums over the rows of x - shift and of (x - shift)^2 to sums [2 C]; four rows at a time, so that
/// a sum is loaded and stored once for four additions.
void add_moments(ConstMatrixView x, Rows rows, const Real* __restrict shift, double* sums) {
  double* __restrict sum = sums;
  double* __restrict squares = sums + x.cols;
  Size i = rows.begin;
  for (; i + 4 <= rows.end; i += 4) {
    const Real* __restrict a = x.row(i);
    const Real* __restrict b = x.row(i + 1);
    const Real* __restrict c = x.row(i + 2);
    const Real* __restrict d = x.row(i + 3);
    for (Size j = 0; j < x.cols; ++j) {
      const double s = shift[j], p = a[j] - s, q = b[j] - s, r = c[j] - s, t = d[j] - s;
      sum[j] += (p + q) + (r + t);
      squares[j] += (p * p + q * q) + (r * r + t * t);
    }
  }
  for (; i < rows.end; ++i) {
    const Real* __restrict a = x.row(i);
    for (Size j = 0; j < x.cols; ++j) {
      const double p = static_cast<double>(a[j]) - static_cast<double>(shift[j]);
      sum[j] += p;
      squares[j] += p * p;
    }
  }
}

/// What a rectified result lets through of its gradient.
template <Rectify rectify>
Real passed(Real d, Real y) {
  return rectify == Rectify::no ? d : d * Real(y > 0);
}

/// Adds the sums over the rows of d and of d (x - centre) to sums [2 C], d = dy or, where the result was
/// rectified, dy where y > 0.
template <Rectify rectify>
void add_gradient_sums(ConstMatrixView dy, ConstMatrixView x, ConstMatrixView y, Rows rows,
                       const Real* __restrict centre, double* sums) {
  double* __restrict sum = sums;
  double* __restrict products = sums + x.cols;
  Size i = rows.begin;
  for (; i + 2 <= rows.end; i += 2) {
    const Real* __restrict xa = x.row(i), * __restrict xb = x.row(i + 1);
    const Real* __restrict da = dy.row(i), * __restrict db = dy.row(i + 1);
    const Real* __restrict ya = y.row(i), * __restrict yb = y.row(i + 1);
    for (Size j = 0; j < x.cols; ++j) {
      const double p = passed<rectify>(da[j], ya[j]), q = passed<rectify>(db[j], yb[j]);
      sum[j] += p + q;
      products[j] += p * (xa[j] - centre[j]) + q * (xb[j] - centre[j]);
    }
  }
  for (; i < rows.end; ++i) {
    const Real* __restrict xa = x.row(i), * __restrict da = dy.row(i), * __restrict ya = y.row(i);
    for (Size j = 0; j < x.cols; ++j) {
      const double p = passed<rectify>(da[j], ya[j]);
      sum[j] += p;
      products[j] += p * (xa[j] - centre[j]);
    }
  }
}

/// dx (+)= a (d - mean_dy) + b (x - centre) + c, channel by channel, on the rows of one set.
struct Slope {
  const Real *a, *mean_dy, *b, *c, *centre;
};

template <Rectify rectify>
void write_gradient(ConstMatrixView dy, ConstMatrixView x, ConstMatrixView y, Rows rows, Slope s,
                    GradSink into) {
  const Real* __restrict a = s.a, * __restrict mean_dy = s.mean_dy, * __restrict b = s.b, * __restrict c = s.c;
  const Real* __restrict centre = s.centre;
  for (Size i = rows.begin; i < rows.end; ++i) {
    const Real* __restrict in = x.row(i);
    const Real* __restrict above = dy.row(i);
    Real* __restrict out = into.view.row(i);
    const Real* __restrict result = y.row(i);
    const auto value = [&](Size j) {
      const Real d = passed<rectify>(above[j], result[j]) - mean_dy[j];
      return a[j] * d + (b[j] * (in[j] - centre[j]) + c[j]);
    };
    if (into.write == Write::assign) {
      for (Size j = 0; j < x.cols; ++j) out[j] = value(j);
    } else {
      for (Size j = 0; j < x.cols; ++j) out[j] += value(j);
    }
  }
}

/// What the passes of one normalisation share; views, handles and memory of the tape.
struct Normalisation {
  Segments sets;
  ChannelMoments moments;
  SetNorm norm;
  ConstMatrixView x, y;
  Size cols;
  std::span<Real> centre;   // [B * C] mean_scale m
  std::span<double> exact;  // [B * C] the same before rounding
  std::span<double> rstd;   // [B * C] 1 / sqrt(s + eps)

  [[nodiscard]] double weight(Size j) const {
    return norm.scale * (norm.weight.given() ? static_cast<double>(norm.weight.value().data[j]) : 1.0);
  }
  [[nodiscard]] double mean_scale(Size j) const {
    return norm.mean_scale.given() ? static_cast<double>(norm.mean_scale.value().data[j]) : 1.0;
  }
  [[nodiscard]] bool rectified() const { return norm.activation == Activation::relu; }
};

/// Sum over the channels of one set.
template <class Term>
double over_channels(Size cols, Term term) {
  double total = 0;
  for (Size j = 0; j < cols; ++j) total += term(j);
  return total;
}

/// Centre and 1 / sqrt(s + eps) of the channels of one set.
void measure_set(const Normalisation& n, Size set) {
  const double* mean = n.moments.mean.data() + set * n.cols;
  const double* variance = n.moments.variance.data() + set * n.cols;
  const double channels = static_cast<double>(n.cols);
  double centre = 0, square = 0;
  if (n.norm.over == NormOver::set) {
    centre = over_channels(n.cols, [&](Size j) { return mean[j]; }) / channels;
    square =
        over_channels(n.cols, [&](Size j) { return variance[j] + (mean[j] - centre) * (mean[j] - centre); }) /
        channels;
  } else if (n.norm.over == NormOver::lengths) {
    square = over_channels(n.cols, [&](Size j) { return variance[j]; });
  }
  for (Size j = 0; j < n.cols; ++j) {
    if (n.norm.over != NormOver::set) centre = n.mean_scale(j) * mean[j];
    if (n.norm.over == NormOver::channel) {
      square = variance[j] + (mean[j] - centre) * (mean[j] - centre);
    }
    n.exact[at(set * n.cols + j)] = centre;
    n.centre[at(set * n.cols + j)] = static_cast<Real>(centre);
    n.rstd[at(set * n.cols + j)] = 1 / std::sqrt(square + n.norm.eps);
  }
}

/// Elements are computed in double as well: a small spread about a large mean is what norms are for, and the
/// pass is bound by memory anyway.
void write_values(Tape& tape, const Normalisation& n, const SetChunks& chunks, MatrixView y) {
  const Size cols = n.cols;
  const auto scale = tape.allocate_array<double>(n.sets.count() * cols);
  for (std::size_t k = 0; k < scale.size(); ++k) scale[k] = n.rstd[k] * n.weight(static_cast<Size>(k) % cols);
  const auto shift = tape.allocate_array<double>(cols);
  for (Size j = 0; j < cols; ++j) {
    shift[at(j)] = n.norm.bias.given() ? static_cast<double>(n.norm.bias.value().data[j]) : 0.0;
  }
  chunks.for_each([&](Size, const SetChunk& chunk) {
    const double* __restrict centre = n.exact.data() + chunk.set * cols;
    const double* __restrict factor = scale.data() + chunk.set * cols;
    const double* __restrict offset = shift.data();
    for (Size i = chunk.rows.begin; i < chunk.rows.end; ++i) {
      const Real* __restrict in = n.x.row(i);
      Real* __restrict out = y.row(i);
      for (Size j = 0; j < cols; ++j) {
        out[j] = static_cast<Real>((static_cast<double>(in[j]) - centre[j]) * factor[j] + offset[j]);
      }
      if (!n.rectified()) continue;
      for (Size j = 0; j < cols; ++j) out[j] = out[j] < 0 ? Real{0} : out[j];
    }
  });
}

/// Gradients of weight, bias and mean_scale: sums over the sets in order, in double.
void add_parameter_gradients(Tape& tape, const Normalisation& n, const SetChunks& chunks,
                             std::span<const double> sums, std::span<const double> sum_du) {
  const auto add = [&](Var v, auto term) {
    if (!v.given() || !v.needs_grad()) return;
    const GradSink into = tape.sink(v);
    for (Size j = 0; j < n.cols; ++j) {
      double total = 0;
      for (Size b = 0; b < n.sets.count(); ++b) {
        if (n.sets.size(b) > 0) total += term(b, j);
      }
      Real& out = into.view.data[j];
      out = static_cast<Real>(total) + (into.write == Write::add ? out : Real{0});
    }
  };
  const auto sum = [&](Size b, Size column) { return sums[at(chunks.of(b).begin * 2 * n.cols + column)]; };
  add(n.norm.bias, [&](Size b, Size j) { return sum(b, j); });
  add(n.norm.weight,
      [&](Size b, Size j) { return n.norm.scale * sum(b, n.cols + j) * n.rstd[at(b * n.cols + j)]; });
  add(n.norm.mean_scale,
      [&](Size b, Size j) { return -n.moments.mean[at(b * n.cols + j)] * sum_du[at(b * n.cols + j)]; });
}

/// The coefficients of `Slope`, and the sums of du that the gradient of mean_scale needs, [B * C].
struct Coefficients {
  std::span<Real> a, mean_dy, b, c;
  std::span<double> sum_du;
};

/// du = a dy + b u, b from the gradient of s; and dx is du less what passes through m. Where that is a share
/// of the mean of dy it is taken from dy before the factor a, which may be large where the spread is small.
void set_coefficients(const Normalisation& n, Size set, const double* sums, const Coefficients& result) {
  const bool through = n.norm.gradient == MomentGradient::through;
  const double rows = static_cast<double>(n.sets.size(set));
  const double *sum_dy = sums, *sum_dyu = sums + n.cols;
  const Size first = set * n.cols;
  const bool per_channel = n.norm.over == NormOver::channel;
  const double values = n.norm.over == NormOver::set ? rows * static_cast<double>(n.cols) : rows;
  const double shared =
      per_channel ? 0 : over_channels(n.cols, [&](Size j) { return n.weight(j) * sum_dyu[j]; });
  for (Size j = 0; j < n.cols; ++j) {
    const std::size_t k = at(first + j);
    const double rstd = n.rstd[k], along = per_channel ? n.weight(j) * sum_dyu[j] : shared;
    const double slope = through ? -rstd * rstd * rstd * along / values : 0.0;
    const double sum_u = rows * (n.moments.mean[k] - static_cast<double>(n.centre[k]));
    result.sum_du[k] = n.weight(j) * rstd * sum_dy[j] + slope * sum_u;
    result.a[k] = static_cast<Real>(n.weight(j) * rstd);
    result.b[k] = static_cast<Real>(slope);
  }
  const double shared_du = n.norm.over == NormOver::set
                               ? over_channels(n.cols, [&](Size j) { return result.sum_du[at(first + j)]; })
                               : 0.0;
  for (Size j = 0; j < n.cols; ++j) {
    const std::size_t k = at(first + j);
    double mean_dy = 0, constant = -shared_du / values;
    if (n.norm.over != NormOver::set) {
      mean_dy = n.mean_scale(j) * sum_dy[j] / rows;
      constant = -n.mean_scale(j) * (n.moments.mean[k] - static_cast<double>(n.centre[k])) *
                 static_cast<double>(result.b[k]);
    }
    result.mean_dy[k] = through ? static_cast<Real>(mean_dy) : Real{0};
    result.c[k] = through ? static_cast<Real>(constant) : Real{0};
  }
}

Coefficients coefficients(Tape& tape, const Normalisation& n, const SetChunks& chunks,
                          std::span<const double> sums) {
  const Size count = n.sets.count() * n.cols;
  const auto reals = [&] { return tape.allocate_array<Real>(count); };
  const Coefficients result{reals(), reals(), reals(), reals(), tape.allocate_array<double>(count)};
  for (Size b = 0; b < n.sets.count(); ++b) {
    if (n.sets.size(b) == 0) continue;
    set_coefficients(n, b, sums.data() + chunks.of(b).begin * 2 * n.cols, result);
  }
  return result;
}

template <Rectify rectify>
void backward(Tape& tape, const Normalisation& n, Var x, ConstMatrixView dy) {
  const SetChunks chunks(tape, n.sets);
  const auto sums = chunks.sums(tape, 2 * n.cols, [&](const SetChunk& chunk, double* into) {
    add_gradient_sums<rectify>(dy, n.x, n.y, chunk.rows, n.centre.data() + chunk.set * n.cols, into);
  });
  const Coefficients s = coefficients(tape, n, chunks, sums);
  add_parameter_gradients(tape, n, chunks, sums, s.sum_du);
  if (!x.needs_grad()) return;
  const GradSink dx = tape.sink(x);
  chunks.for_each([&](Size, const SetChunk& chunk) {
    const Size first = chunk.set * n.cols;
    write_gradient<rectify>(dy, n.x, n.y, chunk.rows,
                            {s.a.data() + first, s.mean_dy.data() + first, s.b.data() + first,
                             s.c.data() + first, n.centre.data() + first},
                            dx);
  });
}

}  // namespace

inline namespace TARN_PRECISION {

ChannelMoments channel_moments(Tape& tape, ConstMatrixView x, const Segments& sets) {
  const Size cols = x.cols;
  const ChannelMoments m{tape.allocate_array<double>(sets.count() * cols),
                         tape.allocate_array<double>(sets.count() * cols)};
  const SetChunks chunks(tape, sets);
  const auto sums = chunks.sums(tape, 2 * cols, [&](const SetChunk& chunk, double* into) {
    add_moments(x, chunk.rows, x.row(sets.rows(chunk.set).begin), into);
  });
  for (Size b = 0; b < sets.count(); ++b) {
    const Rows rows = sets.rows(b);
    for (Size j = 0; j < cols; ++j) {
      double &mean = m.mean[at(b * cols + j)], &variance = m.variance[at(b * cols + j)];
      mean = variance = 0;
      if (rows.size() == 0) continue;
      const double* set_sums = sums.data() + chunks.of(b).begin * 2 * cols;
      const double n = static_cast<double>(rows.size()), offset = set_sums[j] / n;
      mean = static_cast<double>(x(rows.begin, j)) + offset;
      variance = std::max(0.0, set_sums[cols + j] / n - offset * offset);
    }
  }
  return m;
}

Var normalize_sets(Var x, const Segments& sets, const ChannelMoments& moments, const SetNorm& norm) {
  Tape& tape = x.tape();
  const Size cols = x.cols(), count = sets.count() * cols;
  const MatrixView y = tape.allocate(x.shape());
  const Normalisation n{sets,
                        moments,
                        norm,
                        x.value(),
                        y,
                        cols,
                        tape.allocate_array<Real>(count),
                        tape.allocate_array<double>(count),
                        tape.allocate_array<double>(count)};
  for (Size b = 0; b < sets.count(); ++b) measure_set(n, b);
  write_values(tape, n, SetChunks(tape, sets), y);
  const Var result = tape.record("normalize_sets", x.shape(), y, {x, norm.weight, norm.bias, norm.mean_scale},
                                 [=, &tape](ConstMatrixView dy) {
                                   if (n.rectified()) {
                                     backward<Rectify::yes>(tape, n, x, dy);
                                   } else {
                                     backward<Rectify::no>(tape, n, x, dy);
                                   }
                                 });
  return n.rectified() ? result : activate(result, norm.activation);
}

Var centre_sets(Var x, const Segments& sets) {
  Tape& tape = x.tape();
  const MatrixView y = tape.allocate(x.shape());
  const auto write = [sets, &tape](ConstMatrixView from, GradSink to) {
    const ChannelMoments m = channel_moments(tape, from, sets);
    SetChunks(tape, sets).for_each([&](Size, const SetChunk& chunk) {
      const double* mean = m.mean.data() + chunk.set * from.cols;
      for (Size i = chunk.rows.begin; i < chunk.rows.end; ++i) {
        for (Size j = 0; j < from.cols; ++j) {
          const Real centred = static_cast<Real>(static_cast<double>(from(i, j)) - mean[j]);
          to.view(i, j) = centred + (to.write == Write::add ? to.view(i, j) : Real{0});
        }
      }
    });
  };
  write(x.value(), {y, Write::assign});
  // Centring is its own transpose.
  return tape.record("centre_sets", x.shape(), y, {x},
                     [=, &tape](ConstMatrixView dy) { write(dy, tape.sink(x)); });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
