#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/core/options.hpp"
#include "tarn/core/segments.hpp"

#include <optional>
#include <string_view>

namespace tarn {

struct LatentOptions {
  Size num_latents = 512;
  Size heads = 8;
  std::optional<Size> dim_head;
  Size ff_mult = 4;
  bool normalize = true;
  void fields(Fields& f) {
    f("num_latents", num_latents, at_least(1), "learned vectors");
    f("heads", heads, at_least(1), "attention heads");
    f("dim_head", dim_head, at_least(1), "width of a head; null: the width of x");
    f("ff_mult", ff_mult, at_least(1), "hidden width of the feed-forward map over that of x");
    f("normalize", normalize, "L2-normalise the result");
  }
};

inline namespace TARN_PRECISION {

/// Learned latents [r, C] and one block of cross attention with a gated feed-forward map, pre-normalised, as
/// Perceiver and NV-Embed have it: z = q + to_out(attention(to_q LN(q), to_kv LN(context))), z = z + net2(a
/// gelu(b)), [a, b] = net0(LN(z)). Rows attend to the latents, or latents to the rows of a set.
///
/// Parameters: latents; cross_attend_blocks.0.norm.* (of rows), .norm_context.* (of latents),
/// .fn.to_q.weight, .fn.to_kv.weight (keys first), .fn.to_out.weight; cross_attend_blocks.1.norm.*,
/// .fn.net.0.*, .fn.net.2.*. Jaegle et al. 2021, arXiv 2103.03206; names of the published NV-Embed code.
class LatentBlocks final : public Module {
 public:
  LatentBlocks(Size width, const LatentOptions& options);
  /// Every row attends to all latents: x [N, C] -> [N, C].
  Var read_latents(Var x);
  /// The latents attend to the rows of each set: x [N, C] -> [B r, C], set after set.
  Var read_rows(Var x, const Segments& sets);
  /// Rows, L2-normalised where that was asked for.
  [[nodiscard]] Var finish(Var y) const;

 private:
  Var feed_forward(Var z);

  LatentOptions o_;
  Size dim_head_;
  Parameter& latents_;
  LayerNorm &norm_rows_, &norm_latents_;
  Linear &to_q_, &to_kv_, &to_out_;
  LayerNorm& norm_ff_;
  Linear &gate_, &out_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
