#include "tarn/core/ops/recurrent.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/reduce_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace tarn {

namespace {

constexpr Size rows_per_block = 64;

/// f(row) for rows 0 .. count-1, in parallel.
template <class F>
void for_rows(Size count, F f) {
  for_blocks(count, rows_per_block, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) f(i);
  });
}

/// Sets in the order of the sweep, longest first, and how many of them have a row at each step.
struct Steps {
  Segments sets;
  Reading reading;
  std::span<Size> order;   // [B]
  std::span<Size> active;  // by step

  Steps(Tape& tape, Segments over, Reading direction)
      : sets(std::move(over)), reading(direction), order(tape.allocate_array<Size>(sets.count())) {
    std::iota(order.begin(), order.end(), Size{0});
    std::stable_sort(order.begin(), order.end(), [&](Size a, Size b) { return sets.size(a) > sets.size(b); });
    active = tape.allocate_array<Size>(order.empty() ? 0 : sets.size(order.front()));
    std::fill(active.begin(), active.end(), Size{0});
    for (Size b = 0; b < sets.count(); ++b) {
      for (Size t = 0; t < sets.size(b); ++t) ++active[static_cast<std::size_t>(t)];
    }
  }
  [[nodiscard]] Size count() const { return static_cast<Size>(active.size()); }
  [[nodiscard]] Size sets_at(Size step) const { return active[static_cast<std::size_t>(step)]; }
  /// The row that the k-th set reads at a step.
  [[nodiscard]] Size row(Size k, Size step) const {
    const Rows rows = sets.rows(order[static_cast<std::size_t>(k)]);
    return reading == Reading::first_to_last ? rows.begin + step : rows.end - 1 - step;
  }
};

/// What a sweep keeps for every row.
struct Sweep {
  Steps steps;
  Cell cell;
  Size width;
  MatrixView gates;  // [N, G H] after the activations
  MatrixView extra;  // [N, H]: c of an LSTM; of a GRU what the state came to for n, [N, H]
  MatrixView h;      // [N, H]

  [[nodiscard]] const Real* before(MatrixView m, Size k, Size step) const {
    return step == 0 ? nullptr : m.row(steps.row(k, step - 1));
  }
};

void forward_row(const Sweep& s, Size k, Size step, ConstMatrixView input, const Real* bias, Real* hidden) {
  const Size row = s.steps.row(k, step), all = gates_of(s.cell) * s.width;
  Real* const gates = s.gates.row(row);
  for (Size j = 0; j < all; ++j) hidden[j] += bias[j];
  if (s.cell == Cell::lstm) {
    for (Size j = 0; j < all; ++j) gates[j] = input(row, j) + hidden[j];
    lstm_forward(gates, s.before(s.extra, k, step), s.extra.row(row), s.h.row(row), s.width);
  } else {
    std::copy_n(hidden + 2 * s.width, s.width, s.extra.row(row));
    gru_forward(input.row(row), hidden, s.before(s.h, k, step), gates, s.h.row(row), s.width);
  }
}

void sweep_forward(Tape& tape, const Sweep& s, ConstMatrixView input, ConstMatrixView weight,
                   const Real* bias) {
  const Size sets = s.steps.sets.count(), all = gates_of(s.cell) * s.width;
  const MatrixView state = tape.allocate({sets, s.width}), hidden = tape.allocate({sets, all});
  for (Size step = 0; step < s.steps.count(); ++step) {
    const Size active = s.steps.sets_at(step);
    const MatrixView now = hidden.row_block(0, active);
    if (step == 0) {
      std::fill_n(now.data, now.size(), Real{0});
    } else {
      multiply(state.row_block(0, active), Transpose::no, weight, Transpose::yes, now);
    }
    for_rows(active, [&](Size k) {
      forward_row(s, k, step, input, bias, now.row(k));
      std::copy_n(s.h.row(s.steps.row(k, step)), s.width, state.row(k));
    });
  }
}

/// What runs backward from step to step, for each set in the order of the sweep.
struct Carried {
  MatrixView h;       // [B, H]
  MatrixView c;       // [B, H], of an LSTM
  MatrixView hidden;  // [B, G H]: gradient of what the state came to
};

/// The gradients at one row: of the input, added, and of what the state before came to.
void backward_row(const Sweep& s, Size k, Size step, ConstMatrixView dy, const Carried& carried, Real* dinput,
                  Real* dhidden) {
  const Size row = s.steps.row(k, step), all = gates_of(s.cell) * s.width;
  Real* const dh = carried.h.row(k);
  for (Size j = 0; j < s.width; ++j) dh[j] += dy(row, j);
  if (s.cell == Cell::lstm) {
    lstm_backward(s.gates.row(row), s.before(s.extra, k, step), s.extra.row(row), dh, carried.c.row(k),
                  dhidden, s.width);
    std::fill_n(dh, s.width, Real{0});
    for (Size j = 0; dinput != nullptr && j < all; ++j) dinput[j] += dhidden[j];
  } else {
    thread_local std::vector<Real> dx;
    dx.resize(static_cast<std::size_t>(all));
    gru_backward(s.gates.row(row), s.extra.row(row), s.before(s.h, k, step), dh, dx.data(), dhidden, dh,
                 s.width);
    for (Size j = 0; dinput != nullptr && j < all; ++j) dinput[j] += dx[static_cast<std::size_t>(j)];
  }
  std::copy_n(dhidden, all, carried.hidden.row(k));
}

/// The state before every row, zeros before the first of a set.
MatrixView states_before(Tape& tape, const Sweep& s) {
  const MatrixView before = tape.allocate({s.h.rows, s.width});
  for_rows(s.steps.sets.count(), [&](Size k) {
    const Size n = s.steps.sets.size(s.steps.order[static_cast<std::size_t>(k)]);
    for (Size step = 0; step < n; ++step) {
      Real* const to = before.row(s.steps.row(k, step));
      if (step == 0) {
        std::fill_n(to, s.width, Real{0});
      } else {
        std::copy_n(s.h.row(s.steps.row(k, step - 1)), s.width, to);
      }
    }
  });
  return before;
}

/// The gradient of the input is added; that of what the state came to, [N, G H], is returned.
MatrixView sweep_backward(Tape& tape, const Sweep& s, ConstMatrixView weight, ConstMatrixView dy,
                          MatrixView dinput) {
  const Size sets = s.steps.sets.count(), all = gates_of(s.cell) * s.width;
  const Carried carried{tape.allocate({sets, s.width}), tape.allocate({sets, s.width}),
                        tape.allocate({sets, all})};
  std::fill_n(carried.h.data, carried.h.size(), Real{0});
  std::fill_n(carried.c.data, carried.c.size(), Real{0});
  const MatrixView dhidden = tape.allocate({s.h.rows, all});
  for (Size step = s.steps.count(); step-- > 0;) {
    const Size active = s.steps.sets_at(step);
    for_rows(active, [&](Size k) {
      const Size row = s.steps.row(k, step);
      backward_row(s, k, step, dy, carried, dinput.data != nullptr ? dinput.row(row) : nullptr,
                   dhidden.row(row));
    });
    if (step == 0) break;
    multiply(carried.hidden.row_block(0, active), Transpose::no, weight, Transpose::no,
             carried.h.row_block(0, active), Write::add);
  }
  return dhidden;
}

}  // namespace

inline namespace TARN_PRECISION {

Var lstm_step(Var gates, Var c) {
  Tape& tape = gates.tape();
  const Size rows = gates.rows(), width = gates.cols() / 4;
  const Shape shape{rows, 2 * width};
  const MatrixView y = tape.allocate(shape), kept = tape.allocate(gates.shape());
  const ConstMatrixView sums = gates.value(), before = c.given() ? c.value() : ConstMatrixView();
  const auto before_row = [=](Size i) { return before.data == nullptr ? nullptr : before.row(i); };
  for_rows(rows, [&](Size i) {
    std::copy_n(sums.row(i), sums.cols, kept.row(i));
    lstm_forward(kept.row(i), before_row(i), y.row(i) + width, y.row(i), width);
  });
  return tape.record("lstm_step", shape, y, {gates, c}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dgates = tape.allocate({rows, 4 * width}), dc = tape.allocate({rows, width});
    for_rows(rows, [&](Size i) {
      std::copy_n(dy.row(i) + width, width, dc.row(i));
      lstm_backward(kept.row(i), before_row(i), y.row(i) + width, dy.row(i), dc.row(i), dgates.row(i), width);
    });
    if (gates.needs_grad()) pass_gradient(dgates, tape.sink(gates));
    if (c.given() && c.needs_grad()) pass_gradient(dc, tape.sink(c));
  });
}

Var gru_step(Var input, Var hidden, Var h) {
  Tape& tape = input.tape();
  const Size rows = input.rows(), width = input.cols() / 3;
  const Shape shape{rows, width};
  const MatrixView y = tape.allocate(shape), gates = tape.allocate(input.shape());
  const ConstMatrixView x = input.value(), u = hidden.value(), before = h.value();
  for_rows(rows,
           [&](Size i) { gru_forward(x.row(i), u.row(i), before.row(i), gates.row(i), y.row(i), width); });
  return tape.record("gru_step", shape, y, {input, hidden, h}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dx = tape.allocate({rows, 3 * width}), du = tape.allocate({rows, 3 * width});
    const MatrixView dh = tape.allocate(shape);
    for_rows(rows, [&](Size i) {
      gru_backward(gates.row(i), u.row(i) + 2 * width, before.row(i), dy.row(i), dx.row(i), du.row(i),
                   dh.row(i), width);
    });
    if (input.needs_grad()) pass_gradient(dx, tape.sink(input));
    if (hidden.needs_grad()) pass_gradient(du, tape.sink(hidden));
    if (h.needs_grad()) pass_gradient(dh, tape.sink(h));
  });
}

Var segment_recurrent(Var input, Var weight_hh, Var bias_hh, const Segments& sets, Cell cell,
                      Reading reading) {
  sets.require_cover("segment_recurrent", input.rows());
  const Size width = weight_hh.cols(), all = gates_of(cell) * width;
  if (input.cols() != all || weight_hh.rows() != all || bias_hh.shape().count() != all) {
    throw ShapeError(fmt::format(
        "segment_recurrent: input is {}, weight {}, bias {}; expected {} columns, [{}, {}] and [{}]",
        input.shape().text(), weight_hh.shape().text(), bias_hh.shape().text(), all, all, width, all));
  }
  Tape& tape = input.tape();
  const Shape shape{input.rows(), width};
  const Sweep s{.steps = {tape, sets, reading},
                .cell = cell,
                .width = width,
                .gates = tape.allocate(input.shape()),
                .extra = tape.allocate(shape),
                .h = tape.allocate(shape)};
  sweep_forward(tape, s, input.value(), weight_hh.value(), bias_hh.value().data);
  return tape.record(
      "segment_recurrent", shape, s.h, {input, weight_hh, bias_hh}, [=, &tape](ConstMatrixView dy) {
        const MatrixView dinput = input.needs_grad() ? tape.grad(input) : MatrixView();
        const MatrixView dhidden = sweep_backward(tape, s, weight_hh.value(), dy, dinput);
        if (weight_hh.needs_grad()) {
          const GradSink dw = tape.sink(weight_hh);
          multiply(dhidden, Transpose::yes, states_before(tape, s), Transpose::no, dw.view, dw.write);
        }
        if (bias_hh.needs_grad()) add_column_sums(tape, dhidden, tape.sink(bias_hh));
      });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
