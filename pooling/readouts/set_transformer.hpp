#pragma once

#include "tarn/pooling/blocks/seed_pooling.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include <array>
#include <vector>

namespace tarn {

enum class SetEncoder { sab, isab };
inline std::span<const std::string_view> enum_names(SetEncoder) {
  static constexpr std::array<std::string_view, 2> names{"sab", "isab"};
  return names;
}

struct PmaOptions : WidthOptions, AttentionBlockOptions {
  Size num_seed_points = 1;
  bool concat = true;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("num_seed_points", num_seed_points, at_least(1), "seeds");
    f("concat", concat, "results of the seeds side by side; false: their mean");
    AttentionBlockOptions::fields(f);
  }
};

struct SetTransformerOptions : WidthOptions, AttentionBlockOptions {
  SetTransformerOptions() { layer_norm = false; }
  Size num_seed_points = 1;
  Size num_encoder_blocks = 1;
  Size num_decoder_blocks = 1;
  bool concat = true;
  SetEncoder encoder = SetEncoder::sab;
  Size num_induced_points = 0;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("num_seed_points", num_seed_points, at_least(1), "seeds");
    f("num_encoder_blocks", num_encoder_blocks, at_least(0), "blocks on the rows");
    f("num_decoder_blocks", num_decoder_blocks, at_least(0), "blocks on the seeds");
    f("concat", concat, "results of the seeds side by side; false: their mean");
    f("encoder", encoder, "rows see all rows, or induced points");
    f("num_induced_points", num_induced_points, at_least(0), "induced points of isab");
    AttentionBlockOptions::fields(f);
  }
};

struct GmtOptions : WidthOptions, AttentionBlockOptions {
  GmtOptions() { layer_norm = false; }
  std::optional<Size> k;
  Size num_encoder_blocks = 1;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("k", k, at_least(1), "seeds of the first pooling; must be given");
    f("num_encoder_blocks", num_encoder_blocks, at_least(0), "blocks on the seeds");
    AttentionBlockOptions::fields(f);
  }
};

inline namespace TARN_PRECISION {

/// Pooling by multi-head attention: learned seeds attend to the rows of a set. See `SeedPooling`, whose
/// parameters these are.
///
/// x [N, C] -> [B, S C], seed-major, or [B, C]; of an empty set the seeds pass through the rest of the block.
/// Few seeds and heads read x once and build neither keys nor values. Lee et al. 2019, arXiv 1810.00825.
class Pma final : public Readout {
 public:
  using Options = PmaOptions;
  explicit Pma(const Options& options);
  Pooled pool(const SetInput& in) override;
  Size out_dim(Size in_dim) const override { return o_.concat ? o_.num_seed_points * in_dim : in_dim; }

 private:
  Options o_;
  SeedPooling& pooling_;
};

/// Self-attention blocks on the rows, pooling by seeds, self-attention blocks on the seeds.
///
/// x [N, C] -> [B, S C], seed-major, or [B, C]. Parameters: encoders.K.mab.* (sab), encoders.K.ind, .mab1.*,
/// .mab2.* (isab; original: .I, .mab0.*, .mab1.*), pma.*, decoders.K.mab.*. Time O(sum n^2 C) for sab, O(N m
/// C) for isab; nothing of the size of a longest set. Throws ConfigError for isab without induced points. Lee
/// et al. 2019, arXiv 1810.00825.
class SetTransformer final : public Readout {
 public:
  using Options = SetTransformerOptions;
  explicit SetTransformer(const Options& options);
  Pooled pool(const SetInput& in) override;
  Size out_dim(Size in_dim) const override { return o_.concat ? o_.num_seed_points * in_dim : in_dim; }

 private:
  struct Encoder {
    Parameter* induced = nullptr;
    AttentionBlock *first, *second = nullptr;
  };
  Encoder make_encoder(Size number);
  static Var encode(const Encoder& encoder, Var x, const Segments& sets);

  Options o_;
  std::vector<Encoder> encoders_;
  SeedPooling* pma_;
  std::vector<AttentionBlock*> decoders_;
};

/// Graph Multiset Transformer: pooling by k seeds, self-attention blocks on them, pooling by one seed.
///
/// x [N, C] -> [B, C]. With `keys` and `values` [N, C] (the paper's come from message passing over the graph)
/// these stand for the projected keys and values of the first pooling. Parameters: pma1.*, encoders.K.mab.*,
/// pma2.*. Baek et al. 2021, arXiv 2102.11533.
class Gmt final : public Readout {
 public:
  using Options = GmtOptions;
  explicit Gmt(const Options& options);
  Pooled pool(const SetInput& in) override;

 private:
  Size k_;
  SeedPooling& pma1_;
  std::vector<AttentionBlock*> encoders_;
  SeedPooling* pma2_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
