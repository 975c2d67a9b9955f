#include "tarn/core/losses.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/pooling/losses/loss.hpp"

namespace tarn {

namespace {

struct ContrastiveLossOptions {
  double temperature = 0.07;
  bool normalize = false;
  void fields(Fields& f) {
    f("temperature", temperature, above(0), "divides the inner products");
    f("normalize", normalize, "scale rows to unit length first");
  }
};

struct CosineMseLossOptions {
  void fields(Fields&) {}
};

/// See `contrastive_loss`.
class ContrastiveLoss final : public Loss {
 public:
  using Options = ContrastiveLossOptions;
  explicit ContrastiveLoss(const Options& options) : o_(options) { check_options(o_, "contrastive-loss"); }
  bool takes_labels() const override { return false; }
  Var forward(Var a, Var b, Var) const override {
    if (!o_.normalize) return contrastive_loss(a, b, o_.temperature);
    constexpr double eps = 1e-12;
    return contrastive_loss(normalize_rows(a, eps, NormGuard::maximum),
                            normalize_rows(b, eps, NormGuard::maximum), o_.temperature);
  }

 private:
  Options o_;
};

/// See `cosine_mse_loss`.
class CosineMseLoss final : public Loss {
 public:
  using Options = CosineMseLossOptions;
  explicit CosineMseLoss(const Options&) {}
  bool takes_labels() const override { return true; }
  Var forward(Var a, Var b, Var labels) const override { return cosine_mse_loss(a, b, labels); }
};

}  // namespace

inline namespace TARN_PRECISION {

void register_losses(Registry<Loss>& r) {
  r.add<ContrastiveLoss>("contrastive-loss",
                         {"in-batch cross entropy of a b^T / temperature, both directions, halved",
                          "van den Oord et al. 2018, arXiv 1807.03748"});
  r.add<CosineMseLoss>("cosine-mse-loss", {"mean of (cos(a, b) - label)^2",
                                           "Reimers & Gurevych 2019, Sentence-BERT, arXiv 1908.10084"});
}

Registry<Loss>& losses() {
  static Registry<Loss> registry = [] {
    Registry<Loss> r("loss");
    register_losses(r);
    return r;
  }();
  return registry;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
