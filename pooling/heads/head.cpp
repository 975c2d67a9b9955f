#include "tarn/pooling/heads/head.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"

#include <fmt/format.h>

namespace tarn {

namespace {

constexpr double normalize_eps = 1e-8;

void require_width(const char* where, Var z, Size width) {
  if (z.shape().rank() == 2 && z.cols() == width) return;
  throw ShapeError(
      fmt::format("{}: input is {}; expected [B, {}] (in_channels)", where, z.shape().text(), width));
}

}  // namespace

inline namespace TARN_PRECISION {

ProjectionHead::ProjectionHead(const Options& o) : o_(o) {
  check_options(o, "projection-head");
  if (o.out_channels > 0) proj_ = &child("proj", std::make_unique<Linear>(o.in_channels, o.out_channels));
}

Var ProjectionHead::forward(Var z, Var) {
  require_width("projection-head", z, o_.in_channels);
  const Var y = proj_ != nullptr ? proj_->forward(z) : z;
  return o_.normalize ? normalize_rows(y, normalize_eps, NormGuard::sum) : y;
}

PairClassifier::PairClassifier(const Options& o)
    : o_(o),
      classifier_(child("classifier",
                        std::make_unique<Linear>((o.features == PairFeatures::concat ? 2 : 4) * o.in_channels,
                                                 o.num_classes))) {
  check_options(o, "pair-classifier");
}

Var PairClassifier::forward(Var a, Var b) {
  require_width("pair-classifier", a, o_.in_channels);
  require_width("pair-classifier", b, o_.in_channels);
  std::vector<Var> blocks{a, b};
  if (o_.features == PairFeatures::concat_diff_product) {
    blocks.push_back(absolute_difference(a, b));
    blocks.push_back(multiply_elements(a, b));
  }
  return classifier_.forward(blocks);
}

SingleClassifier::SingleClassifier(Size in_channels, Size num_classes)
    : classifier_(child("classifier", std::make_unique<Linear>(in_channels, num_classes))) {}

void register_heads(Registry<Head>& r) {
  r.add<ProjectionHead>("projection-head", {"y = (W z + b) / (|W z + b| + 1e-8)", ""});
  r.add<PairClassifier>("pair-classifier", {"logits of [a, b]", ""});
}

Registry<Head>& heads() {
  static Registry<Head> registry = [] {
    Registry<Head> r("head");
    register_heads(r);
    return r;
  }();
  return registry;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
