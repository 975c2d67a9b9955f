#include "tarn/pooling/query_readouts/tiled_pairs.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace tarn {

namespace {

constexpr Size queries_per_tile = 64;
constexpr Size pairs_per_tile = 4096;

struct Tile {
  Rows queries, sets;
  Size number;
};

Segments sets_of(const Segments& all, Rows sets) {
  std::vector<Size> offsets;
  for (Size b = sets.begin; b <= sets.end; ++b)
    offsets.push_back(all.offsets()[static_cast<std::size_t>(b)] -
                      all.offsets()[static_cast<std::size_t>(sets.begin)]);
  return Segments(std::move(offsets));
}

template <class F>
void for_tiles(const QueriesAndSets& in, F f) {
  Size number = 0;
  const Size all = in.q.rows(), sets = in.sets.count();
  for (Size q = 0; q < all; q += queries_per_tile) {
    const Rows queries{q, std::min(q + queries_per_tile, all)};
    const Size step = std::max<Size>(1, pairs_per_tile / queries.size());
    for (Size b = 0; b < sets; b += step) f(Tile{queries, {b, std::min(b + step, sets)}, number++});
  }
}

/// A tile on a tape of its own: the rows of each matrix, its result, and its gradients.
class TileRun {
 public:
  TileRun(Tape& tape, const QueriesAndSets& in, const PairRows& rows_of, const Tile& tile, const Pass& pass,
          NeedsGrad needs_grad)
      : tape_(tape) {
    tape.reset({.training = pass.training,
                .rng = pass.rng.split(static_cast<std::uint64_t>(tile.number)),
                .products = pass.products});
    const Rows rows{in.sets.rows(tile.sets.begin).begin, in.sets.rows(tile.sets.end - 1).end};
    const auto part = [&](Var v, Rows of) {
      const ConstMatrixView m = v.value().row_block(of.begin, of.end);
      return tape.input(m, {m.rows, m.cols}, needs_grad);
    };
    part_ = {part(in.q, tile.queries), part(in.k, rows), part(in.v, rows), part(in.raw, tile.queries),
             sets_of(in.sets, tile.sets)};
    rows_ = {tile.queries, rows, rows, tile.queries};
    result_ = rows_of(part_);
  }

  [[nodiscard]] Var rows() const { return result_; }
  /// Runs back from the gradient of its rows and adds the gradients of the matrices.
  void backward(ConstMatrixView d, Tape& outer, const QueriesAndSets& in) {
    const std::pair<Var, ConstMatrixView> seed{result_, d};
    tape_.backward(std::span(&seed, 1));
    const Var own[] = {part_.q, part_.k, part_.v, part_.raw}, all[] = {in.q, in.k, in.v, in.raw};
    for (std::size_t m = 0; m < 4; ++m) {
      if (!all[m].needs_grad()) continue;
      const MatrixView into = outer.grad(all[m]).row_block(rows_[m].begin, rows_[m].end);
      pass_gradient(tape_.grad(own[m]), {into, Write::add});
    }
  }

 private:
  Tape& tape_;
  QueriesAndSets part_;
  std::array<Rows, 4> rows_{};
  Var result_;
};

/// f(pair, query, set) for the rows of a tile.
template <class F>
void for_pairs(const Tile& tile, F f) {
  Size pair = 0;
  for (Size b = tile.sets.begin; b < tile.sets.end; ++b) {
    for (Size q = tile.queries.begin; q < tile.queries.end; ++q) f(pair++, q, b);
  }
}

}  // namespace

inline namespace TARN_PRECISION {

Var tiled_pairs(const QueriesAndSets& in, Size width, PairResult result, PairRows rows) {
  Tape& tape = in.q.tape();
  const Pass pass{.training = tape.pass().training,
                  .rng = tape.pass().training ? tape.next_rng() : Rng{},
                  .products = tape.pass().products};
  const Size queries = in.q.rows(), sets = in.sets.count();
  const bool whole = result == PairResult::row;
  const Shape shape = whole ? Shape{queries, sets, width} : Shape{queries, sets};
  const MatrixView y = tape.allocate(shape);
  Tape inner;
  for_tiles(in, [&](const Tile& tile) {
    const ConstMatrixView t = TileRun(inner, in, rows, tile, pass, NeedsGrad::no).rows().value();
    for_pairs(tile, [&](Size pair, Size q, Size b) {
      if (whole) return void(std::copy_n(t.row(pair), width, y.row(q * sets + b)));
      double sum = 0;
      for (Size j = 0; j < width; ++j) sum += static_cast<double>(t(pair, j));
      y(q, b) = static_cast<Real>(sum);
    });
  });
  return tape.record("tiled_pairs", shape, y, {in.q, in.k, in.v, in.raw},
                     [=, &tape, rows = std::move(rows)](ConstMatrixView dy) {
                       Tape again;
                       for_tiles(in, [&](const Tile& tile) {
                         TileRun run(again, in, rows, tile, pass, NeedsGrad::yes);
                         const MatrixView d = again.allocate(run.rows().shape());
                         for_pairs(tile, [&](Size pair, Size q, Size b) {
                           if (whole) return void(std::copy_n(dy.row(q * sets + b), width, d.row(pair)));
                           std::fill_n(d.row(pair), width, dy(q, b));
                         });
                         run.backward(d, tape, in);
                       });
                     });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
