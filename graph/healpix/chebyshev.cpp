#include "tarn/graph/healpix/chebyshev.hpp"

#include "tarn/core/ops/reduce_rows.hpp"
#include "tarn/core/ops/vector.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/ops/for_nodes.hpp"

#include <algorithm>
#include <array>

namespace tarn {

namespace {

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

/// Maps with the numbers of all maps at a pixel side by side: [P, B C]. Copies unless there is one map.
MatrixView to_pixel_rows(Tape& tape, ConstMatrixView x, Size maps) {
  const Size pixels = maps == 0 ? 0 : x.rows / maps;
  const MatrixView rows = tape.allocate({pixels, maps * x.cols});
  for_blocks(pixels, 256, [&](Size begin, Size end) {
    for (Size p = begin; p < end; ++p) {
      for (Size b = 0; b < maps; ++b) std::copy_n(x.row(b * pixels + p), x.cols, rows.row(p) + b * x.cols);
    }
  });
  return rows;
}

/// Back to one map after another, a row vector added where there is one.
void from_pixel_rows(ConstMatrixView rows, Size maps, const Real* bias, MatrixView y, Write write) {
  for_blocks(rows.rows, 256, [&](Size begin, Size end) {
    for (Size p = begin; p < end; ++p) {
      for (Size b = 0; b < maps; ++b) {
        const Real* from = rows.row(p) + b * y.cols;
        Real* to = y.row(b * rows.rows + p);
        for (Size c = 0; c < y.cols; ++c) {
          const Real v = from[c] + (bias != nullptr ? bias[c] : Real{0});
          to[c] = write == Write::add ? to[c] + v : v;
        }
      }
    }
  });
}

/// The rows begin .. end-1 of [P, B C] as one matrix of all maps, [(end - begin) B, C].
template <class T>
BasicMatrixView<T> by_map(BasicMatrixView<T> rows, Size begin, Size end, Size channels) {
  const Size maps = rows.cols / std::max<Size>(channels, 1);
  return {rows.data + begin * rows.cols, (end - begin) * maps, channels};
}

/// The recurrences on [P, B C] buffers.
struct Recurrence {
  const SparseOperator& l;
  Size order;  ///< K

  /// out = factor L x - before, for some rows; `before` may be empty, and out may be it.
  void step(Real factor, ConstMatrixView x, ConstMatrixView before, MatrixView out, Size begin,
            Size end) const {
    const Adjacency rows = l.graph.incoming();
    for (Size i = begin; i < end; ++i) {
      Real* to = out.row(i);
      for (Size c = 0; c < out.cols; ++c) to[c] = before.data == nullptr ? Real{0} : -before(i, c);
      const Rows run = rows.positions(i);
      for (Size e = run.begin; e < run.end; ++e)
        add_scaled(factor * l.values[at(e)], x.row(rows.nodes[at(e)]), to, out.cols);
    }
  }

  /// Calls use(k, T_k x, begin, end) for blocks of rows of T_k x as they are made, k = 0 .. K-1. T_k x is
  /// written to buffers[(k - 1) % count] for k > 0; three are enough, K - 1 keep all.
  template <class Use>
  void polynomials(ConstMatrixView x, std::span<const MatrixView> buffers, Use use) const {
    for_node_blocks(l.graph.incoming(), [&](Size begin, Size end) { use(0, x, begin, end); });
    const auto polynomial = [&](Size k) -> ConstMatrixView {
      return k == 0 ? x : ConstMatrixView(buffers[at(k - 1) % buffers.size()]);
    };
    for (Size k = 1; k < order; ++k) {
      const MatrixView out = buffers[at(k - 1) % buffers.size()];
      for_node_blocks(l.graph.incoming(), [&](Size begin, Size end) {
        if (k == 1) {
          step(1, x, {}, out, begin, end);
        } else {
          step(2, polynomial(k - 1), polynomial(k - 2), out, begin, end);
        }
        use(k, ConstMatrixView(out), begin, end);
      });
    }
  }

  /// Clenshaw's sum of T_k(L) z_k: b_k = z_k + 2 L b_k+1 - b_k+2, result z_0 + L b_1 - b_2. add(k, out,
  /// begin, end) adds z_k to some rows. `out` takes the result, three more buffers the rest.
  template <class Add>
  void clenshaw(MatrixView out, const std::array<MatrixView, 3>& buffers, Add add) const {
    const auto b = [&](Size k) -> ConstMatrixView {
      return k < order ? ConstMatrixView(buffers[at(k) % 3]) : ConstMatrixView{};
    };
    for (Size k = order - 1; k >= 0; --k) {
      const MatrixView to = k == 0 ? out : buffers[at(k) % 3];
      for_node_blocks(l.graph.incoming(), [&](Size begin, Size end) {
        if (k + 1 < order) {
          step(k == 0 ? 1 : 2, b(k + 1), b(k + 2), to, begin, end);
        } else {
          for (Size i = begin; i < end; ++i) std::fill_n(to.row(i), to.cols, Real{0});
        }
        add(k, to, begin, end);
      });
    }
  }
};

/// One application, its buffers on the tape.
struct ChebyshevCall {
  std::shared_ptr<const SparseOperator> l;
  Size maps, pixels, order, in, out;
  Var x, weight, bias;

  [[nodiscard]] bool narrows() const { return out < in; }
  [[nodiscard]] Recurrence recurrence() const { return {*l, order}; }
  [[nodiscard]] ConstMatrixView weights(Size k) const {
    return {weight.value().data + k * in * out, in, out};
  }
  [[nodiscard]] std::vector<MatrixView> buffers(Tape& tape, Size count, Size channels) const {
    std::vector<MatrixView> result;
    for (Size i = 0; i < count; ++i) result.push_back(tape.allocate({pixels, maps * channels}));
    return result;
  }
  [[nodiscard]] std::array<MatrixView, 3> three(Tape& tape, Size channels) const {
    const std::vector<MatrixView> b = buffers(tape, order > 1 ? 3 : 0, channels);
    return order > 1 ? std::array{b[0], b[1], b[2]} : std::array<MatrixView, 3>{};
  }
};

/// sum over k of T_k(L) x W_k on pixel rows; the polynomials of x go to `buffers` where they are made.
void forward_rows(Tape& tape, const ChebyshevCall& call, ConstMatrixView x,
                  std::span<const MatrixView> buffers, MatrixView y) {
  if (call.narrows()) {
    return call.recurrence().clenshaw(
        y, call.three(tape, call.out), [&](Size k, MatrixView to, Size begin, Size end) {
          multiply_serial(by_map(x, begin, end, call.in), Transpose::no, call.weights(k), Transpose::no,
                          by_map(to, begin, end, call.out), Write::add);
        });
  }
  call.recurrence().polynomials(x, buffers, [&](Size k, ConstMatrixView t, Size begin, Size end) {
    multiply_serial(by_map(t, begin, end, call.in), Transpose::no, call.weights(k), Transpose::no,
                    by_map(y, begin, end, call.out), k == 0 ? Write::assign : Write::add);
  });
}

void input_gradient(Tape& tape, const ChebyshevCall& call, ConstMatrixView g,
                    std::span<const MatrixView> g_polynomials) {
  const MatrixView dx = tape.allocate({call.pixels, call.maps * call.in});
  const auto transposed = [&](Size k, ConstMatrixView from, MatrixView to, Size begin, Size end,
                              Write write) {
    multiply_serial(by_map(from, begin, end, call.out), Transpose::no, call.weights(k), Transpose::yes,
                    by_map(to, begin, end, call.in), write);
  };
  if (call.narrows()) {
    for (Size k = 0; k < call.order; ++k) {
      const ConstMatrixView t = k == 0 ? g : ConstMatrixView(g_polynomials[at(k - 1)]);
      for_blocks(call.pixels, 256, [&](Size begin, Size end) {
        transposed(k, t, dx, begin, end, k == 0 ? Write::assign : Write::add);
      });
    }
  } else {
    call.recurrence().clenshaw(
        dx, call.three(tape, call.in),
        [&](Size k, MatrixView to, Size begin, Size end) { transposed(k, g, to, begin, end, Write::add); });
  }
  const GradSink sink = tape.sink(call.x);
  from_pixel_rows(dx, call.maps, nullptr, sink.view, sink.write);
}

/// dW_k = (T_k x)^T g = x^T (T_k g), L being symmetric: whichever side has fewer channels carries T_k.
void weight_gradient(Tape& tape, const ChebyshevCall& call, ConstMatrixView x, ConstMatrixView g,
                     std::span<const MatrixView> polynomials) {
  const GradSink sink = tape.sink(call.weight);
  for (Size k = 0; k < call.order; ++k) {
    const ConstMatrixView t = k == 0 ? (call.narrows() ? g : x) : ConstMatrixView(polynomials[at(k - 1)]);
    const ConstMatrixView left = call.narrows() ? x : t, right = call.narrows() ? t : g;
    multiply(by_map(left, 0, call.pixels, call.in), Transpose::yes, by_map(right, 0, call.pixels, call.out),
             Transpose::no, {sink.view.data + k * call.in * call.out, call.in, call.out}, sink.write);
  }
}

void backward(Tape& tape, const ChebyshevCall& call, ConstMatrixView x, std::span<const MatrixView> kept,
              ConstMatrixView dy) {
  const ConstMatrixView g = to_pixel_rows(tape, dy, call.maps);
  const auto nothing = [](Size, ConstMatrixView, Size, Size) {};
  std::vector<MatrixView> polynomials(kept.begin(), kept.end());
  if (call.narrows() && (call.x.needs_grad() || call.weight.needs_grad())) {
    polynomials = call.buffers(tape, call.order - 1, call.out);
    call.recurrence().polynomials(g, polynomials, nothing);
  } else if (call.weight.needs_grad() && polynomials.empty()) {
    polynomials = call.buffers(tape, call.order - 1, call.in);
    call.recurrence().polynomials(x, polynomials, nothing);
  }
  if (call.weight.needs_grad()) weight_gradient(tape, call, x, g, polynomials);
  if (call.x.needs_grad()) input_gradient(tape, call, g, polynomials);
  if (call.bias.given() && call.bias.needs_grad()) add_column_sums(tape, dy, tape.sink(call.bias));
}

}  // namespace

inline namespace TARN_PRECISION {

Var chebyshev(std::shared_ptr<const SparseOperator> l, Size maps, Var x, Var weight, Var bias,
              ChebyshevMemory memory) {
  Tape& tape = x.tape();
  const Size pixels = l->graph.num_nodes();
  const ChebyshevCall call{.l = std::move(l),
                           .maps = maps,
                           .pixels = pixels,
                           .order = weight.shape()[0],
                           .in = weight.shape()[1],
                           .out = weight.shape()[2],
                           .x = x,
                           .weight = weight,
                           .bias = bias};
  const ConstMatrixView rows = to_pixel_rows(tape, x.value(), maps);
  // All polynomials are kept where the gradient of the weights will ask for them.
  const bool keep = weight.needs_grad() && memory == ChebyshevMemory::high && !call.narrows();
  const Size most = call.order - 1, count = call.narrows() ? 0 : keep ? most : std::min<Size>(most, 3);
  const std::vector<MatrixView> buffers = call.buffers(tape, count, call.in);
  const MatrixView sums = tape.allocate({pixels, maps * call.out});
  forward_rows(tape, call, rows, buffers, sums);

  const Shape shape{maps * pixels, call.out};
  const MatrixView y = tape.allocate(shape);
  from_pixel_rows(sums, maps, bias.given() ? bias.value().data : nullptr, y, Write::assign);
  const auto kept = tape.allocate_array<MatrixView>(keep ? count : 0);
  if (keep) std::copy(buffers.begin(), buffers.end(), kept.begin());
  return tape.record("chebyshev", shape, y, {x, weight, bias},
                     [=, &tape](ConstMatrixView dy) { backward(tape, call, rows, kept, dy); });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
