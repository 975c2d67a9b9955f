#include "tarn/experiments/benchmarks/workload.hpp"

#include "tarn/core/losses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace tarn {

namespace {

constexpr Size centres_per_text = 40;

void fill_text(MatrixView text, std::span<const double> common, const Rng& rng) {
  const Rng centres = rng.split("centres"), choice = rng.split("choice"), noise = rng.split("noise");
  const Size dim = text.cols;
  for (Size i = 0; i < text.rows; ++i) {
    const Size centre = choice.below(centres_per_text, static_cast<std::uint64_t>(i));
    for (Size j = 0; j < dim; ++j) {
      const double state = 0.35 * common[static_cast<std::size_t>(j)] +
                           centres.normal(static_cast<std::uint64_t>(centre * dim + j)) +
                           0.7 * noise.normal(static_cast<std::uint64_t>(i * dim + j));
      text(i, j) = static_cast<Real>(state);
    }
  }
}

std::vector<Parameter*> joined(std::vector<Parameter*> a, const std::vector<Parameter*>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

std::string WorkloadShape::text() const {
  return fmt::format("B{}/N{}/D{}", sets, tokens, dim);
}

inline namespace TARN_PRECISION {

Workload make_workload(const WorkloadShape& shape) {
  const Rng rng = Rng(0).split("benchmark");
  std::vector<double> common(static_cast<std::size_t>(shape.dim));
  for (std::size_t j = 0; j < common.size(); ++j) common[j] = rng.split("common").normal(j);
  Workload w{shape, Tensor({shape.rows(), shape.dim}), Segments::uniform(shape.sets, shape.tokens), {}};
  for (Size b = 0; b < shape.sets; ++b) {
    const Rows rows = w.sets.rows(b);
    fill_text(w.x.matrix().row_block(rows.begin, rows.end), common, rng.split(static_cast<std::uint64_t>(b)));
    w.labels.push_back(b % 2);
  }
  return w;
}

TrainedReadout::TrainedReadout(std::unique_ptr<Readout> readout, Size dim, ProductPrecision products)
    : readout_(std::move(readout)), products_(products), head_(readout_->out_dim(dim), 2) {
  readout_->init(Rng(0).split("readout"));
  head_.init(Rng(0).split("head"));
  optimiser_ = make_adam(joined(readout_->parameters(), head_.parameters()), {.lr = 1e-4});
}

Var TrainedReadout::logits(ConstMatrixView x, const Segments& sets, const TokenGraph* graph) {
  const Var states = tape_.input(x, {x.rows, x.cols});
  return head_.forward(readout_->forward({.x = states, .sets = sets, .graph = graph}).y);
}

double TrainedReadout::step(ConstMatrixView x, const Segments& sets, std::span<const Size> labels,
                            const TokenGraph* graph) {
  tape_.reset({.training = true, .products = products_});
  const Var loss = cross_entropy(logits(x, sets, graph), labels);
  tape_.backward(loss);
  optimiser_->step();
  return static_cast<double>(loss.value().data[0]);
}

void TrainedReadout::forward(ConstMatrixView x, const Segments& sets, const TokenGraph* graph) {
  tape_.reset({.products = products_});
  static_cast<void>(logits(x, sets, graph));
}

std::unique_ptr<Readout> make_glot(const GlotShape& shape, Size dim) {
  Value options;
  options.set("num_layers", shape.layers);
  options.set("hidden_channels", shape.hidden);
  options.set("tau", shape.tau);
  return make_readout("glot", dim, options);
}

double glot_product_operations(const WorkloadShape& shape, const GlotShape& glot, bool backward) {
  const double rows = static_cast<double>(shape.rows()), dim = static_cast<double>(shape.dim);
  const double hidden = static_cast<double>(glot.hidden), layers = static_cast<double>(glot.layers);
  const double out = dim + layers * hidden, scorer = std::max(128.0, std::floor(out / 2));
  const double first_layer = dim * hidden, other_layers = (layers - 1) * hidden * hidden;
  const double forward = first_layer + other_layers + out * scorer + scorer;
  // Weight gradients repeat the forward products; gradients of inputs leave out the raw states.
  const double gradients = forward + other_layers + layers * hidden * scorer + scorer;
  return 2 * rows * (forward + (backward ? gradients : 0));
}

double measure_product_rate() {
  const Size rows = 4096, inner = 640, out = 320;
  Tensor a({rows, inner}), b({out, inner}), c({rows, out});
  a.fill(Real(0.5));
  b.fill(Real(0.25));
  using Clock = std::chrono::steady_clock;
  double best = 0;
  for (int repeat = 0; repeat < 12; ++repeat) {
    const auto start = Clock::now();
    multiply(std::as_const(a).matrix(), Transpose::no, std::as_const(b).matrix(), Transpose::yes, c.matrix());
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, 2.0 * static_cast<double>(rows * inner * out) / seconds);
  }
  return best;
}

double measure_copy_rate(double bytes) {
  constexpr Size block = Size{1} << 18;
  const auto count = std::max<Size>(1, static_cast<Size>(bytes / (2 * sizeof(Real))));
  Tensor from({count}), to({count});
  from.fill(Real(1));
  to.fill(Real(0));
  using Clock = std::chrono::steady_clock;
  double best = 0;
  for (int repeat = 0; repeat < 12; ++repeat) {
    const auto start = Clock::now();
    for_blocks(count, block, [&](Size begin, Size end) {
      std::copy(from.data() + begin, from.data() + end, to.data() + begin);
    });
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, 2.0 * static_cast<double>(count) * sizeof(Real) / seconds);
  }
  return best;
}

Tensor normal_numbers(const Shape& shape, std::string_view stream) {
  const Rng rng = Rng(7).split(stream);
  Tensor t(shape);
  for_blocks(t.size(), Size{1} << 14, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i)
      t.data()[i] = static_cast<Real>(rng.normal(static_cast<std::uint64_t>(i)));
  });
  return t;
}

void count_bytes(State& state, double bytes, const Timing& timing) {
  const double rate = bytes / timing.fastest, copy = measure_copy_rate(bytes);
  state.counters["GB/s"] = rate * 1e-9;
  state.counters["copy GB/s"] = copy * 1e-9;
  state.counters["of copy rate"] = rate / copy;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
