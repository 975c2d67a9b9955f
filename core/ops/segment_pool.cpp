#include "tarn/core/ops/segment_pool.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/segment_chunks.hpp"
#include "tarn/core/ops/segment_pool_kernels.hpp"
#include "tarn/core/ops/sum_over_tasks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace tarn {

namespace {

/// Weights are kept where they take at most this share of the values.
constexpr Size values_per_weight = 25;

void pool_forward(Tape& tape, const PoolPlan& p) {
  const SegmentChunks chunks(p.sets);
  const Size size = PoolTotals::size(p);
  const auto parts = tape.allocate_array<double>(chunks.num_parts() * size);
  const auto part = [&](Size k) { return PoolTotals::over(p, parts.data() + k * size); };
  chunks.for_each([&](const SegmentChunk& chunk) {
    if (!chunk.whole()) return pool_rows(p, chunk.set, chunk.rows, part(chunk.part));
    thread_local std::vector<double> memory;
    memory.resize(static_cast<std::size_t>(size));
    const PoolTotals totals = PoolTotals::over(p, memory.data());
    pool_rows(p, chunk.set, chunk.rows, totals);
    finish_pooled(p, chunk.set, totals);
    finish_weights(p, chunk.set, chunk.rows);
  });
  chunks.for_each_cut([&](Size set, Rows of_set) {
    for (Size k = of_set.begin + 1; k < of_set.end; ++k) join_pooled(p, part(k), part(of_set.begin));
    finish_pooled(p, set, part(of_set.begin));
    finish_weights(p, set, p.sets.rows(set));
  });
}

/// The inputs of a pooling, by their gradients.
struct PoolInputs {
  Var scores, queries;
  std::span<const Var> values;
};

/// Gradients of the values and the scores; none of a value that needs none.
struct PoolSinks {
  std::vector<RowWriter> values;
  MatrixView scores{};

  PoolSinks(Tape& tape, const PoolInputs& in) {
    for (const Var& v : in.values) values.push_back(v.needs_grad() ? RowWriter(tape.sink(v)) : RowWriter());
    if (in.scores.given() && in.scores.needs_grad()) scores = tape.grad(in.scores);
  }
  [[nodiscard]] PoolGradients with(double* queries) const { return {values, scores, queries}; }
};

void add_to_gradient(std::span<const double> total, MatrixView grad) {
  const auto into = grad.flat();
  for (std::size_t j = 0; j < into.size(); ++j) into[j] += static_cast<Real>(total[j]);
}

/// f(chunk, gradients) for every chunk, with sums over tasks, or over the parts of a set, for the gradient of
/// the queries.
template <class F>
void pool_backward(Tape& tape, const PoolPlan& p, const PoolInputs& in, const SegmentChunks& chunks, F f) {
  const PoolSinks sinks(tape, in);
  const auto settle = [&] {
    for (const RowWriter& w : sinks.values) w.settle();
  };
  const bool to_queries = in.queries.given() && in.queries.needs_grad();
  if (!to_queries) {
    chunks.for_each([&](const SegmentChunk& chunk) {
      f(chunk, sinks.with(nullptr));
      settle();
    });
    return;
  }
  const Size size = p.num_queries * p.width;
  if (!p.queries_of_sets) {
    const auto total = sum_over_tasks(tape, chunks, size, [&](const SegmentChunk& chunk, double* sum) {
      f(chunk, sinks.with(sum));
      settle();
    });
    return add_to_gradient(total, tape.grad(in.queries));
  }
  const MatrixView grad = tape.grad(in.queries);
  sum_over_sets(
      tape, chunks, size,
      [&](const SegmentChunk& chunk, double* sum) {
        f(chunk, sinks.with(sum));
        settle();
      },
      [&](Size set, std::span<const double> total) {
        add_to_gradient(total, grad.row_block(set * p.num_queries, (set + 1) * p.num_queries));
      });
}

PooledRows record(Tape& tape, PoolPlan p, const PoolInputs& in, bool keep_weights) {
  const Size sets = p.sets.count(), stats = sets * p.num_queries;
  const Shape shape{sets, p.num_queries * p.out_width()};
  p.y = tape.allocate(shape);
  p.highest = tape.allocate_array<double>(stats);
  p.inverse = tape.allocate_array<double>(stats);
  if (!tape.pass().training) p.options.dropout = 0;
  if (p.options.dropout > 0) p.rng = tape.next_rng();
  const Shape weights_shape{p.sets.num_rows(), p.num_queries};
  if (keep_weights) p.weights = tape.allocate(weights_shape);
  pool_forward(tape, p);

  const auto inputs = tape.allocate_array<Var>(static_cast<Size>(in.values.size()) + 1);
  std::copy(in.values.begin(), in.values.end(), inputs.begin());
  inputs.back() = in.scores.given() ? in.scores : in.queries;
  const Var y =
      tape.record("segment_pool", shape, p.y, std::span<const Var>(inputs), [=, &tape](ConstMatrixView dy) {
        pool_backward(tape, p, in, SegmentChunks(p.sets),
                      [&](const SegmentChunk& chunk, const PoolGradients& into) {
                        pool_rows_backward(p, chunk.set, chunk.rows, dy, into);
                      });
      });
  if (!keep_weights) return {y};
  const std::span<const Var> sources = in.scores.given() ? std::span<const Var>(inputs).last(1) : inputs;
  const PoolInputs from{in.scores, in.queries, in.scores.given() ? std::span<const Var>() : in.values};
  return {y, tape.record("segment_pool_weights", weights_shape, p.weights, sources,
                         [=, &tape](ConstMatrixView da) {
                           pool_backward(tape, p, from, SegmentChunks(p.sets, {}, Cut::no),
                                         [&](const SegmentChunk& chunk, const PoolGradients& into) {
                                           weights_backward(p, chunk.set, da, into);
                                         });
                         })};
}

void require_rows(const char* where, Var values, Size rows) {
  if (values.rows() == rows) return;
  throw ShapeError(fmt::format("{}: values have {} rows; expected {}", where, values.rows(), rows));
}

}  // namespace

inline namespace TARN_PRECISION {

PooledRows segment_pool(Var scores, std::span<const Var> values, const Segments& sets,
                        const PoolOptions& options) {
  sets.require_cover("segment_pool", scores.rows());
  Tape& tape = scores.tape();
  const auto count = static_cast<Size>(values.size());
  const auto vars = tape.allocate_array<Var>(count);
  const auto views = tape.allocate_array<ConstMatrixView>(count);
  PoolPlan p{.sets = sets,
             .options = options,
             .num_queries = scores.cols(),
             .scores = scores.value(),
             .values = views};
  for (std::size_t k = 0; k < values.size(); ++k) {
    require_rows("segment_pool", values[k], scores.rows());
    vars[k] = values[k];
    views[k] = values[k].value();
    p.width += views[k].cols;
  }
  const bool keep = p.num_queries == 1 || p.num_queries * values_per_weight <= p.width;
  return record(tape, std::move(p), {.scores = scores, .values = vars}, keep);
}

PooledRows segment_query_pool(Var x, Var queries, const Segments& sets, const PoolOptions& options) {
  sets.require_cover("segment_query_pool", x.rows());
  const Shape& shape = queries.shape();
  const bool of_sets = shape.rank() == 3;
  if (shape[-1] != x.cols() || shape.rank() < 2 || (of_sets && shape[0] != sets.count())) {
    throw ShapeError(fmt::format("segment_query_pool: queries are {}; expected [S, {}] or [{}, S, {}]",
                                 shape.text(), x.cols(), sets.count(), x.cols()));
  }
  Tape& tape = x.tape();
  const auto vars = tape.allocate_array<Var>(1);
  const auto views = tape.allocate_array<ConstMatrixView>(1);
  vars[0] = x;
  views[0] = x.value();
  PoolPlan p{.sets = sets,
             .options = options,
             .num_queries = shape[-2],
             .width = x.cols(),
             .queries = queries.value(),
             .queries_of_sets = of_sets,
             .values = views};
  const bool keep = p.num_queries == 1 || p.num_queries * values_per_weight <= p.width;
  return record(tape, std::move(p), {.queries = queries, .values = vars}, keep);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
