#include "tarn/pooling/blocks/seed_pooling.hpp"

#include "tarn/core/ops/elementwise.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

SeedPooling::SeedPooling(Size width, Size num_seeds, const AttentionBlockOptions& options,
                         std::string_view where)
    : lin_(options.variant == BlockVariant::pyg ? &child("lin", std::make_unique<Linear>(width, width))
                                                : nullptr),
      seed_(
          parameter(lin_ != nullptr ? "seed" : "S", {1, num_seeds, width}, glorot(num_seeds * width, width))),
      mab_(child("mab", std::make_unique<AttentionBlock>(width, options, where))) {}

Var SeedPooling::seeds(Tape& tape) {
  const Shape& shape = seed_.value.shape();
  return reshape(tape.parameter(seed_), {shape[1], shape[2]});
}

Var SeedPooling::forward(Var x, const Segments& sets) {
  return mab_.pool(seeds(x.tape()), lin_ != nullptr ? lin_->forward(x, Activation::relu) : x, sets);
}

Var SeedPooling::forward_given(Var keys, Var values, const Segments& sets) {
  return mab_.pool_given(seeds(keys.tape()), keys, values, sets);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
