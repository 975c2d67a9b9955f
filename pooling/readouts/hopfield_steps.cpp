#include "tarn/pooling/readouts/hopfield_steps.hpp"

#include "tarn/core/ops/vector.hpp"

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

/// softmax(beta <q, k_i>) over the rows of a set.
void weights_of(const Real* q, ConstMatrixView keys, double beta, std::vector<double>& w) {
  w.resize(static_cast<std::size_t>(keys.rows));
  for (Size i = 0; i < keys.rows; ++i)
    w[static_cast<std::size_t>(i)] = beta * static_cast<double>(dot(q, keys.row(i), keys.cols));
  const double highest = *std::ranges::max_element(w);
  double sum = 0;
  for (double& v : w) sum += v = std::exp(v - highest);
  for (double& v : w) v /= sum;
}

/// Squared distance of the weights of all states of one head of one set.
double movement(const HopfieldStep& s, Size set, Size head) {
  const Size width = s.keys.cols / s.heads, column = head * width;
  const Rows rows = s.sets.rows(set);
  const ConstMatrixView keys = s.keys.row_block(rows.begin, rows.end).column_block(column, column + width);
  thread_local std::vector<double> before, after;
  double squares = 0;
  for (Size i = set * s.states; i < (set + 1) * s.states; ++i) {
    weights_of(s.before.row(i) + column, keys, s.beta, before);
    weights_of(s.after.row(i) + column, keys, s.beta, after);
    for (std::size_t j = 0; j < before.size(); ++j)
      squares += (after[j] - before[j]) * (after[j] - before[j]);
  }
  return squares;
}

/// Which of `heads` columns blocks of a row come from the first of two matrices.
struct Choice {
  std::span<const bool> chosen;
  Size heads, states;
  [[nodiscard]] bool operator()(Size row, Size head) const {
    return chosen[static_cast<std::size_t>(row / states * heads + head)];
  }
};

}  // namespace

inline namespace TARN_PRECISION {

void stop_still_heads(const HopfieldStep& step, double eps, std::vector<bool>& moving) {
  const Size count = step.sets.count() * step.heads;
  std::vector<double> squares(static_cast<std::size_t>(count), 0.0);
  for_blocks(count, 1, [&](Size task, Size) {
    const auto at = static_cast<std::size_t>(task);
    const Size set = task / step.heads;
    if (moving[at] && step.sets.size(set) > 0) squares[at] = movement(step, set, task % step.heads);
  });
  for (std::size_t k = 0; k < squares.size(); ++k) moving[k] = moving[k] && std::sqrt(squares[k]) > eps;
}

Var choose_heads(const std::vector<bool>& chosen, Size heads, Size states, Var a, Var b) {
  if (std::ranges::find(chosen, false) == chosen.end()) return a;
  Tape& tape = a.tape();
  const auto own = tape.allocate_array<bool>(static_cast<Size>(chosen.size()));
  std::ranges::copy(chosen, own.begin());
  const Choice choice{own, heads, states};
  const MatrixView y = tape.allocate(a.shape());
  const Size width = y.cols / heads;
  const ConstMatrixView from_a = a.value(), from_b = b.value();
  for (Size i = 0; i < y.rows; ++i) {
    for (Size h = 0; h < heads; ++h)
      std::copy_n((choice(i, h) ? from_a : from_b).row(i) + h * width, width, y.row(i) + h * width);
  }
  return tape.record("choose_heads", a.shape(), y, {a, b}, [=, &tape](ConstMatrixView dy) {
    const auto add_to = [&](Var v, bool first) {
      if (!v.needs_grad()) return;
      const MatrixView into = tape.grad(v);
      for (Size i = 0; i < dy.rows; ++i) {
        for (Size h = 0; h < heads; ++h) {
          if (choice(i, h) == first) add_scaled(1, dy.row(i) + h * width, into.row(i) + h * width, width);
        }
      }
    };
    add_to(a, true);
    add_to(b, false);
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
