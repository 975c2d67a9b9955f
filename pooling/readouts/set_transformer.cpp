#include "tarn/pooling/readouts/set_transformer.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/segment.hpp"

#include <fmt/format.h>

namespace tarn {

namespace {

/// Rows [B S, C] of the seeds, side by side or averaged.
Var join_seeds(Var rows, Size sets, Size seeds, bool concat) {
  if (concat) return reshape(rows, {sets, seeds * rows.cols()});
  return segment_reduce(rows, Segments::uniform(sets, seeds), Reduce::mean);
}

}  // namespace

inline namespace TARN_PRECISION {

Pma::Pma(const Options& o)
    : Readout("pma", o),
      o_(o),
      pooling_(child("", std::make_unique<SeedPooling>(o.in_channels, o.num_seed_points, o, "pma"))) {}

Pooled Pma::pool(const SetInput& in) {
  return {join_seeds(pooling_.forward(in.x, in.sets), in.sets.count(), o_.num_seed_points, o_.concat)};
}

SetTransformer::SetTransformer(const Options& o) : Readout("set-transformer", o), o_(o) {
  if (o.encoder == SetEncoder::isab && o.num_induced_points < 1)
    throw ConfigError("set-transformer.num_induced_points: got 0 with encoder isab; expected at least 1");
  for (Size k = 0; k < o.num_encoder_blocks; ++k) encoders_.push_back(make_encoder(k));
  pma_ = &child("pma", std::make_unique<SeedPooling>(o.in_channels, o.num_seed_points, o, name()));
  for (Size k = 0; k < o.num_decoder_blocks; ++k) {
    decoders_.push_back(&child(fmt::format("decoders.{}.mab", k),
                               std::make_unique<AttentionBlock>(o.in_channels, o, name())));
  }
}

SetTransformer::Encoder SetTransformer::make_encoder(Size number) {
  const bool pyg = o_.variant == BlockVariant::pyg;
  const auto block = [&](const char* block_name) {
    return &child(fmt::format("encoders.{}.{}", number, block_name),
                  std::make_unique<AttentionBlock>(o_.in_channels, o_, name()));
  };
  if (o_.encoder == SetEncoder::sab) return {nullptr, block("mab")};
  const Size points = o_.num_induced_points, width = o_.in_channels;
  Parameter& induced = parameter(fmt::format("encoders.{}.{}", number, pyg ? "ind" : "I"), {1, points, width},
                                 glorot(points * width, width));
  return {&induced, block(pyg ? "mab1" : "mab0"), block(pyg ? "mab2" : "mab1")};
}

Var SetTransformer::encode(const Encoder& encoder, Var x, const Segments& sets) {
  if (encoder.induced == nullptr) return encoder.first->forward(x, sets);
  const Shape& shape = encoder.induced->value.shape();
  const Var points = reshape(x.tape().parameter(*encoder.induced), {shape[1], shape[2]});
  const Var h = encoder.first->pool(points, x, sets);  // [B m, C]
  return encoder.second->forward(x, sets, h, Segments::uniform(sets.count(), shape[1]));
}

Pooled SetTransformer::pool(const SetInput& in) {
  Var x = in.x;
  for (const Encoder& encoder : encoders_) x = encode(encoder, x, in.sets);
  Var seeds = pma_->forward(x, in.sets);  // [B S, C]
  const Segments of_sets = Segments::uniform(in.sets.count(), o_.num_seed_points);
  for (AttentionBlock* decoder : decoders_) seeds = decoder->forward(seeds, of_sets);
  return {join_seeds(seeds, in.sets.count(), o_.num_seed_points, o_.concat)};
}

Gmt::Gmt(const Options& o)
    : Readout("gmt", o),
      k_(required_option("gmt", "k", o.k)),
      pma1_(child("pma1", std::make_unique<SeedPooling>(o.in_channels, k_, o, "gmt"))) {
  for (Size k = 0; k < o.num_encoder_blocks; ++k) {
    encoders_.push_back(&child(fmt::format("encoders.{}.mab", k),
                               std::make_unique<AttentionBlock>(o.in_channels, o, name())));
  }
  pma2_ = &child("pma2", std::make_unique<SeedPooling>(o.in_channels, 1, o, name()));
}

Pooled Gmt::pool(const SetInput& in) {
  if (in.keys.given() != in.values.given())
    throw ShapeError("gmt: got keys or values alone; expected both or none");
  const Segments seeds = Segments::uniform(in.sets.count(), k_);
  Var h;  // [B k, C]
  if (in.keys.given()) {
    require_shape(name(), "keys", in.keys, in.x.shape());
    require_shape(name(), "values", in.values, in.x.shape());
    h = pma1_.forward_given(in.keys, in.values, in.sets);
  } else {
    h = pma1_.forward(in.x, in.sets);
  }
  for (AttentionBlock* encoder : encoders_) h = encoder->forward(h, seeds);
  return {pma2_->forward(h, seeds)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
