#include "tarn/pooling/readouts/patch_transformer.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/scaling.hpp"
#include "tarn/core/ops/segment.hpp"
#include "tarn/core/ops/set_linear.hpp"
#include "tarn/pooling/blocks/sample_spread.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

std::vector<PatchReduce> read_reductions(const std::vector<std::string>& names) {
  const auto known = enum_names(PatchReduce());
  if (names.empty()) throw ConfigError("patch-transformer.aggr: got []; expected at least one reduction");
  std::vector<PatchReduce> result;
  for (const std::string& name : names) {
    const auto it = std::ranges::find(known, name);
    if (it == known.end()) {
      throw ConfigError(
          fmt::format("patch-transformer.aggr: got '{}'; expected one of {}", name, fmt::join(known, ", ")));
    }
    result.push_back(static_cast<PatchReduce>(it - known.begin()));
  }
  return result;
}

/// The rows of every set in runs of `size`, the last of a set shorter.
Segments patches_of(const Segments& sets, Size size) {
  std::vector<Size> offsets{0};
  for (Size b = 0; b < sets.count(); ++b) {
    for (Size i = sets.rows(b).begin; i < sets.rows(b).end; i += size)
      offsets.push_back(std::min(i + size, sets.rows(b).end));
  }
  return Segments(std::move(offsets));
}

Segments count_patches(const Segments& sets, Size size) {
  std::vector<Size> offsets{0};
  for (Size b = 0; b < sets.count(); ++b)
    offsets.push_back(offsets.back() + (sets.size(b) + size - 1) / size);
  return Segments(std::move(offsets));
}

/// sin(p f_j) in the first half of the columns, cos(p f_j) in the second, p the place of a patch in its set.
Var positions(Tape& tape, const Segments& sets, Size width) {
  const Size half = width / 2;
  const MatrixView y = tape.allocate({sets.num_rows(), width});
  for (Size b = 0; b < sets.count(); ++b) {
    const Rows rows = sets.rows(b);
    for (Size i = rows.begin; i < rows.end; ++i) {
      for (Size j = 0; j < half; ++j) {
        const double share = half > 1 ? static_cast<double>(j) / static_cast<double>(half - 1) : 0;
        const double angle = static_cast<double>(i - rows.begin) * std::pow(1e-4, share);
        y(i, j) = static_cast<Real>(std::sin(angle));
        y(i, half + j) = static_cast<Real>(std::cos(angle));
      }
    }
  }
  return tape.input(y, {y.rows, y.cols});
}

Var reduce_patches(Var x, const Segments& sets, PatchReduce how) {
  switch (how) {
    case PatchReduce::sum:
      return segment_reduce(x, sets, Reduce::sum);
    case PatchReduce::mean:
      return segment_reduce(x, sets, Reduce::mean);
    case PatchReduce::min:
      return segment_reduce(x, sets, Reduce::min);
    case PatchReduce::max:
      return segment_reduce(x, sets, Reduce::max);
    case PatchReduce::var:
      return sample_variance(x, sets);
    case PatchReduce::std:
      return sample_deviation(x, sets);
  }
  return x;
}

}  // namespace

inline namespace TARN_PRECISION {

PatchTransformer::PatchTransformer(const Options& o)
    : Readout("patch-transformer", o),
      o_(o),
      reduce_(read_reductions(o.aggr)),
      lin_(child("lin", std::make_unique<Linear>(o.in_channels, o.hidden_channels))),
      pad_projector_(child("pad_projector",
                           std::make_unique<Linear>(o.patch_size * o.hidden_channels, o.hidden_channels))),
      fc_(child("fc", std::make_unique<Linear>(static_cast<Size>(reduce_.size()) * o.hidden_channels,
                                               o.out_channels))) {
  if (o.hidden_channels % 2 != 0) {
    throw ConfigError(
        fmt::format("patch-transformer.hidden_channels: got {}; expected an even number", o.hidden_channels));
  }
  for (Size k = 0; k < o.num_transformer_blocks; ++k) {
    blocks_.push_back(&child(
        fmt::format("blocks.{}", k),
        std::make_unique<AttentionBlock>(
            o.hidden_channels, AttentionBlockOptions{.heads = o.heads, .dropout = o.dropout}, name())));
  }
}

Pooled PatchTransformer::pool(const SetInput& in) {
  Tape& tape = in.x.tape();
  const Segments sets = count_patches(in.sets, o_.patch_size);
  const Var rows = lin_.forward(in.x);  // [N, H]
  Var patches = set_linear(rows, patches_of(in.sets, o_.patch_size), tape.parameter(pad_projector_.weight()),
                           tape.parameter(pad_projector_.bias()));  // [P, H]
  patches = add(patches, positions(tape, sets, o_.hidden_channels));
  for (AttentionBlock* block : blocks_) patches = block->forward(patches, sets);
  std::vector<Var> reduced;
  for (const PatchReduce how : reduce_) reduced.push_back(reduce_patches(patches, sets, how));
  std::vector<double> filled;
  for (Size b = 0; b < in.sets.count(); ++b) filled.push_back(in.sets.size(b) > 0 ? 1 : 0);
  return {scale_rows(fc_.forward(reduced), filled)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
