#include "tarn/core/ops/recurrent.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/gather.hpp"
#include "tarn/core/ops/set_linear.hpp"

#include "core/op_fixture.hpp"

using namespace tarn;
using namespace tarn::test;

namespace {

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

Operation sweep(Segments sets, Cell cell, Reading reading) {
  return [=](Tape&, const Inputs& in) { return segment_recurrent(in[0], in[1], in[2], sets, cell, reading); };
}

/// The states of a cell over the rows of one set, number by number.
void plain_sweep(const Tensor& input, const Tensor& w, const Tensor& bias, Rows rows, Cell cell,
                 Reading reading, std::vector<double>& y) {
  const Size width = w.shape().cols(), gates = gates_of(cell);
  std::vector<double> h(static_cast<std::size_t>(width), 0.0), c = h;
  for (Size step = 0; step < rows.size(); ++step) {
    const Size row = reading == Reading::first_to_last ? rows.begin + step : rows.end - 1 - step;
    std::vector<double> u(static_cast<std::size_t>(gates * width));
    for (Size k = 0; k < gates * width; ++k) {
      double sum = static_cast<double>(bias.data()[k]);
      for (Size j = 0; j < width; ++j)
        sum += static_cast<double>(w.matrix()(k, j)) * h[static_cast<std::size_t>(j)];
      u[static_cast<std::size_t>(k)] = sum;
    }
    for (Size j = 0; j < width; ++j) {
      const auto at = [&](Size gate) { return static_cast<double>(input.matrix()(row, gate * width + j)); };
      const auto of = [&](Size gate) { return u[static_cast<std::size_t>(gate * width + j)]; };
      const auto k = static_cast<std::size_t>(j);
      if (cell == Cell::lstm) {
        c[k] = sigmoid(at(1) + of(1)) * c[k] + sigmoid(at(0) + of(0)) * std::tanh(at(2) + of(2));
        h[k] = sigmoid(at(3) + of(3)) * std::tanh(c[k]);
      } else {
        const double r = sigmoid(at(0) + of(0)), z = sigmoid(at(1) + of(1));
        h[k] = (1 - z) * std::tanh(at(2) + r * of(2)) + z * h[k];
      }
      y[static_cast<std::size_t>(row * width + j)] = h[k];
    }
  }
}

const Segments some_sets({0, 0, 3, 4, 4, 11, 40});

}  // namespace

TEST_CASE("a sweep equals the cell run row by row, in both directions", "[core][recurrent]") {
  for (const Cell cell : {Cell::lstm, Cell::gru}) {
    for (const Reading reading : {Reading::first_to_last, Reading::last_to_first}) {
      CAPTURE(static_cast<int>(cell), static_cast<int>(reading));
      const Size all = gates_of(cell) * 5;
      const Tensor input = random_tensor({40, all}, 1), w = random_tensor({all, 5}, 2),
                   b = random_tensor({all}, 3);
      std::vector<double> want(200);
      for (Size s = 0; s < some_sets.count(); ++s)
        plain_sweep(input, w, b, some_sets.rows(s), cell, reading, want);
      check_near(evaluate(tensors(input, w, b), sweep(some_sets, cell, reading)).y, want,
                 rounding(1e-5, 1e-12));
    }
  }
}

TEST_CASE("gradients of sweeps and steps agree with central differences", "[core][recurrent]") {
  for (const Cell cell : {Cell::lstm, Cell::gru}) {
    const Size all = gates_of(cell) * 3;
    for (const Reading reading : {Reading::first_to_last, Reading::last_to_first}) {
      check_gradients(
          tensors(random_tensor({40, all}, 1), random_tensor({all, 3}, 2), random_tensor({all}, 3)),
          sweep(some_sets, cell, reading));
    }
  }
  check_gradients(tensors(random_tensor({4, 12}, 1), random_tensor({4, 3}, 2)),
                  [](Tape&, const Inputs& in) { return lstm_step(in[0], in[1]); });
  check_gradients(tensors(random_tensor({4, 12}, 1)),
                  [](Tape&, const Inputs& in) { return lstm_step(in[0], {}); });
  check_gradients(tensors(random_tensor({4, 9}, 1), random_tensor({4, 9}, 2), random_tensor({4, 3}, 3)),
                  [](Tape&, const Inputs& in) { return gru_step(in[0], in[1], in[2]); });
}

TEST_CASE("a set is read alone to the bits it has among others, for any number of threads",
          "[core][recurrent]") {
  const Segments sets({0, 0, 300, 301, 340});
  const Tensor input = random_tensor({340, 28}, 1), w = random_tensor({28, 7}, 2), b = random_tensor({28}, 3);
  const Operation together = sweep(sets, Cell::lstm, Reading::first_to_last);
  check_threads(tensors(input, w, b), together);
  const auto all = evaluate(tensors(input, w, b), together).y;
  for (Size s = 0; s < sets.count(); ++s) {
    const auto alone = evaluate(tensors(rows_of(input, sets.rows(s)), w, b),
                                sweep(Segments::uniform(1, sets.size(s)), Cell::lstm, Reading::first_to_last))
                           .y;
    CHECK(std::equal(alone.begin(), alone.end(), all.begin() + sets.rows(s).begin * 7));
  }
}

TEST_CASE("a linear map of the rows of a set side by side is that of the padded rows", "[core][recurrent]") {
  const Segments sets({0, 0, 3, 4, 9, 11});
  const Tensor x = random_tensor({11, 4}, 1), w = random_tensor({5, 16}, 2), b = random_tensor({5}, 3);
  std::vector<double> want;
  for (Size s = 0; s < sets.count(); ++s) {
    for (Size k = 0; k < 5; ++k) {
      double sum = static_cast<double>(b.data()[k]);
      for (Size i = 0; i < std::min<Size>(4, sets.size(s)); ++i) {
        for (Size j = 0; j < 4; ++j) {
          sum += static_cast<double>(w.matrix()(k, i * 4 + j)) *
                 static_cast<double>(x.matrix()(sets.rows(s).begin + i, j));
        }
      }
      want.push_back(std::tanh(sum));
    }
  }
  const Operation map = [=](Tape&, const Inputs& in) {
    return set_linear(in[0], sets, in[1], in[2], Activation::tanh);
  };
  check_near(evaluate(tensors(x, w, b), map).y, want, rounding(1e-5, 1e-13));
  check_gradients(tensors(x, w, b), map);
  check_threads(tensors(x, w, b), map);
  CHECK_THROWS_AS(evaluate(tensors(x, random_tensor({5, 15}, 2), b), map), ShapeError);
}

TEST_CASE("rows are chosen, stacked and repeated", "[core][recurrent]") {
  const std::vector<NodeId> rows{4, 0, 2};
  const Operation all = [&](Tape&, const Inputs& in) {
    const std::array blocks{gather_rows(in[0], rows), in[1], repeat_rows(in[1], 2)};
    return concat_rows(blocks);
  };
  const Tensor x = random_tensor({5, 3}, 1), z = random_tensor({2, 3}, 2);
  const auto y = evaluate(tensors(x, z), all).y;
  CHECK(y.size() == 27);
  CHECK(y[0] == static_cast<double>(x.matrix()(4, 0)));
  CHECK(y[9] == static_cast<double>(z.matrix()(0, 0)));
  CHECK(y[18] == static_cast<double>(z.matrix()(0, 0)));
  check_gradients(tensors(x, z), all);
}

TEST_CASE("gates of another width than the state's are refused", "[core][recurrent][errors]") {
  const Tensor input = random_tensor({40, 12}, 1), w = random_tensor({12, 4}, 2), b = random_tensor({12}, 3);
  CHECK_THROWS_AS(evaluate(tensors(input, w, b), sweep(some_sets, Cell::lstm, Reading::first_to_last)),
                  ShapeError);
}
