#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/core/registry.hpp"

#include <array>

namespace tarn {

enum class HeadInputs { one, pair };

inline namespace TARN_PRECISION {

/// What stands between pooled vectors and a loss.
class Head : public Module {
 public:
  [[nodiscard]] virtual HeadInputs inputs() const = 0;
  /// a [B, in], and b [B, in] for pairs -> [B, out]. Throws ShapeError for another width or unequal shapes.
  [[nodiscard]] virtual Var forward(Var a, Var b) = 0;
};

[[nodiscard]] Registry<Head>& heads();
void register_heads(Registry<Head>& registry);

}  // namespace TARN_PRECISION

struct ProjectionHeadOptions {
  Size in_channels = 0;
  Size out_channels = 0;
  bool normalize = true;
  void fields(Fields& f) {
    f("in_channels", in_channels, at_least(1), "width of z");
    f("out_channels", out_channels, at_least(0), "width of y; 0: no linear layer");
    f("normalize", normalize, "divide by (norm + 1e-8)");
  }
};

enum class PairFeatures { concat, concat_diff_product };
inline std::span<const std::string_view> enum_names(PairFeatures) {
  static constexpr std::array<std::string_view, 2> names{"concat", "concat-diff-product"};
  return names;
}

struct PairClassifierOptions {
  Size in_channels = 0;
  Size num_classes = 2;
  PairFeatures features = PairFeatures::concat;
  void fields(Fields& f) {
    f("in_channels", in_channels, at_least(1), "width of one side");
    f("num_classes", num_classes, at_least(1), "classes");
    f("features", features, "[a, b], or [a, b, |a - b|, a * b]");
  }
};

inline namespace TARN_PRECISION {

/// y = z W^T + b, divided by its (norm + 1e-8). z [B, in] -> [B, out]. Parameters: proj.weight, proj.bias.
class ProjectionHead final : public Head {
 public:
  using Options = ProjectionHeadOptions;
  explicit ProjectionHead(const Options& options);
  HeadInputs inputs() const override { return HeadInputs::one; }
  Var forward(Var z, Var unused = {}) override;

 private:
  Options o_;
  Linear* proj_ = nullptr;
};

/// y = [a, b] W^T + bias for pairs. a, b [B, in] -> [B, num_classes]. Parameters: classifier.weight,
/// classifier.bias.
class PairClassifier final : public Head {
 public:
  using Options = PairClassifierOptions;
  explicit PairClassifier(const Options& options);
  HeadInputs inputs() const override { return HeadInputs::pair; }
  Var forward(Var a, Var b) override;

 private:
  Options o_;
  Linear& classifier_;
};

/// y = z W^T + b: logits of single texts. z [B, in] -> [B, num_classes]. Parameters: classifier.weight,
/// classifier.bias.
class SingleClassifier final : public Module {
 public:
  SingleClassifier(Size in_channels, Size num_classes);
  Var forward(Var z) { return classifier_.forward(z); }

 private:
  Linear& classifier_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
