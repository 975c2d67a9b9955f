#include "tarn/core/ops/mix.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/vector.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

namespace {

constexpr Size rows_per_block = 256;

void check_mix(std::span<const Var> blocks, Var weights) {
  if (weights.shape().count() != static_cast<Size>(blocks.size())) {
    throw ShapeError(fmt::format("mix: {} blocks but weights {}; expected one each", blocks.size(),
                                 weights.shape().text()));
  }
  for (const Var& x : blocks) {
    if (x.shape() == blocks[0].shape()) continue;
    throw ShapeError(fmt::format("mix: blocks are {} and {}; expected equal shapes", blocks[0].shape().text(),
                                 x.shape().text()));
  }
}

}  // namespace

inline namespace TARN_PRECISION {

Var mix(std::span<const Var> blocks, Var weights) {
  check_mix(blocks, weights);
  Tape& tape = weights.tape();
  const Size count = static_cast<Size>(blocks.size());
  const auto inputs = tape.allocate_array<Var>(count + 1);
  std::copy(blocks.begin(), blocks.end(), inputs.begin());
  inputs.back() = weights;
  const auto layers = inputs.first(blocks.size());
  const Real* w = weights.value().data;
  const MatrixView y = tape.allocate(blocks[0].shape());
  for_blocks(y.rows, rows_per_block, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) {
      std::fill_n(y.row(i), y.cols, Real{0});
      for (std::size_t l = 0; l < layers.size(); ++l)
        add_scaled(w[l], layers[l].value().row(i), y.row(i), y.cols);
    }
  });
  return tape.record("mix", blocks[0].shape(), y, std::span<const Var>(inputs),
                     [=, &tape](ConstMatrixView dy) {
                       for (std::size_t l = 0; l < layers.size(); ++l) {
                         const ConstMatrixView x = layers[l].value();
                         if (weights.needs_grad()) {
                           const double sum = sum_blocks(dy.rows, rows_per_block, [&](Size begin, Size end) {
                             double part = 0;
                             for (Size i = begin; i < end; ++i)
                               part += static_cast<double>(dot(dy.row(i), x.row(i), dy.cols));
                             return part;
                           });
                           tape.grad(weights).data[l] += static_cast<Real>(sum);
                         }
                         if (!layers[l].needs_grad()) continue;
                         const MatrixView dx = tape.grad(layers[l]);
                         for_blocks(dy.rows, rows_per_block, [&](Size begin, Size end) {
                           for (Size i = begin; i < end; ++i) add_scaled(w[l], dy.row(i), dx.row(i), dy.cols);
                         });
                       }
                     });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
