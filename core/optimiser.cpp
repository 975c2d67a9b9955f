#include "tarn/core/optimiser.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tarn {

namespace {

constexpr Size elements_per_block = 16384;

/// The constants of one Adam step.
struct AdamStep {
  Real beta1, beta2, size, root, eps;
  Real decay;  ///< times w, added to the gradient
  Real keep;   ///< the share of w that stays
};

void take_step(const AdamStep s, Size n, const Real* __restrict grad, Real* __restrict w, Real* __restrict m,
               Real* __restrict v) {
  for (Size i = 0; i < n; ++i) {
    const Real g = grad[i] + s.decay * w[i];
    m[i] = s.beta1 * m[i] + (1 - s.beta1) * g;
    v[i] = s.beta2 * v[i] + (1 - s.beta2) * g * g;
    w[i] = s.keep * w[i] - s.size * m[i] / (std::sqrt(v[i]) * s.root + s.eps);
  }
}

class Adam final : public Optimiser {
 public:
  Adam(std::vector<Parameter*> parameters, const AdamOptions& options)
      : Optimiser(std::move(parameters)), options_(options) {
    for (const Parameter* p : parameters_) {
      first_.emplace_back(p->value.shape());
      second_.emplace_back(p->value.shape());
    }
  }

  std::vector<std::pair<std::string, Tensor*>> state() override {
    std::vector<std::pair<std::string, Tensor*>> result;
    for (std::size_t i = 0; i < first_.size(); ++i) {
      result.emplace_back(fmt::format("{}.m", i), &first_[i]);
      result.emplace_back(fmt::format("{}.v", i), &second_[i]);
    }
    return result;
  }

 protected:
  void update(std::size_t index, Parameter& p, double lr_factor) override {
    const double t = static_cast<double>(steps());
    const double lr = options_.lr * lr_factor;
    const bool l2 = options_.decay == WeightDecay::l2;
    const AdamStep step{
        .beta1 = static_cast<Real>(options_.beta1),
        .beta2 = static_cast<Real>(options_.beta2),
        .size = static_cast<Real>(lr / (1 - std::pow(options_.beta1, t))),
        .root = static_cast<Real>(1 / std::sqrt(1 - std::pow(options_.beta2, t))),
        .eps = static_cast<Real>(options_.eps),
        .decay = static_cast<Real>(l2 ? options_.weight_decay : 0),
        .keep = static_cast<Real>(l2 ? 1 : 1 - lr * options_.weight_decay),
    };
    Real *w = p.value.data(), *m = first_[index].data(), *v = second_[index].data();
    const Real* grad = p.grad.data();
    for_blocks(p.value.size(), elements_per_block, [&](Size begin, Size end) {
      take_step(step, end - begin, grad + begin, w + begin, m + begin, v + begin);
    });
  }

 private:
  AdamOptions options_;
  std::vector<Tensor> first_, second_;
};

class Sgd final : public Optimiser {
 public:
  Sgd(std::vector<Parameter*> parameters, const SgdOptions& options)
      : Optimiser(std::move(parameters)), options_(options) {
    for (const Parameter* p : parameters_) velocity_.emplace_back(p->value.shape());
  }

  std::vector<std::pair<std::string, Tensor*>> state() override {
    std::vector<std::pair<std::string, Tensor*>> result;
    for (std::size_t i = 0; i < velocity_.size(); ++i)
      result.emplace_back(fmt::format("{}.v", i), &velocity_[i]);
    return result;
  }

 protected:
  void update(std::size_t index, Parameter& p, double lr_factor) override {
    const Real lr = static_cast<Real>(options_.lr * lr_factor);
    const Real momentum = static_cast<Real>(options_.momentum),
               decay = static_cast<Real>(options_.weight_decay);
    const auto w = p.value.flat(), v = velocity_[index].flat(), g = p.grad.flat();
    for (std::size_t i = 0; i < w.size(); ++i) {
      v[i] = momentum * v[i] + g[i] + decay * w[i];
      w[i] -= lr * v[i];
    }
  }

 private:
  SgdOptions options_;
  std::vector<Tensor> velocity_;
};

}  // namespace

double Schedule::factor(Size step) const {
  if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup);
  if (kind == Kind::constant || total <= warmup) return 1;
  const double done = std::min(1.0, static_cast<double>(step - warmup) / static_cast<double>(total - warmup));
  return kind == Kind::linear ? 1 - done : 0.5 * (1 + std::cos(std::numbers::pi * done));
}

inline namespace TARN_PRECISION {

void Optimiser::step() {
  ++steps_;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i]->has_grad) continue;
    update(i, *parameters_[i], lr_scales_.empty() ? lr_factor_ : lr_factor_ * lr_scales_[i]);
    parameters_[i]->has_grad = false;
  }
}

void Optimiser::set_lr_scales(std::vector<double> scales) {
  if (scales.size() != parameters_.size()) {
    throw ShapeError(
        fmt::format("optimiser: got {} scales of the learning rate; expected {}, one a parameter",
                    scales.size(), parameters_.size()));
  }
  lr_scales_ = std::move(scales);
}

std::unique_ptr<Optimiser> make_adam(std::vector<Parameter*> parameters, const AdamOptions& options) {
  return std::make_unique<Adam>(std::move(parameters), options);
}

std::unique_ptr<Optimiser> make_sgd(std::vector<Parameter*> parameters, const SgdOptions& options) {
  return std::make_unique<Sgd>(std::move(parameters), options);
}

double clip_norm(std::span<Parameter* const> parameters, double limit) {
  double squares = 0;
  for (const Parameter* p : parameters) {
    if (!p->has_grad) continue;
    const auto g = p->grad.flat();
    squares += sum_blocks(p->grad.size(), elements_per_block, [&](Size begin, Size end) {
      double sum = 0;
      for (Size i = begin; i < end; ++i) {
        const double v = static_cast<double>(g[static_cast<std::size_t>(i)]);
        sum += v * v;
      }
      return sum;
    });
  }
  const double norm = std::sqrt(squares);
  if (norm <= limit) return norm;
  const Real factor = static_cast<Real>(limit / norm);
  for (Parameter* p : parameters) {
    if (!p->has_grad) continue;
    for (Real& g : p->grad.flat()) g *= factor;
  }
  return norm;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
