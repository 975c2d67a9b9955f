#pragma once

#include "tarn/core/module.hpp"
#include "tarn/core/options.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace tarn {

enum class WeightDecay { l2, decoupled };

struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
  WeightDecay decay = WeightDecay::l2;  ///< l2: added to the gradient (Adam); decoupled: AdamW
};

struct SgdOptions {
  double lr = 1e-2;
  double momentum = 0;
  double weight_decay = 0;
};

/// How the learning rate moves over the steps: constant, or after `warmup` steps of linear rise a cosine or
/// linear fall to zero at `total` steps.
struct Schedule {
  enum class Kind { constant, cosine, linear } kind = Kind::constant;
  Size warmup = 0;
  Size total = 0;
  /// Factor on the learning rate at step 0, 1, ...
  [[nodiscard]] double factor(Size step) const;
};

inline namespace TARN_PRECISION {

/// Steps parameters by their gradients, and clears the gradients. A parameter without a gradient stays as it
/// is.
class Optimiser {
 public:
  virtual ~Optimiser() = default;
  void step();
  /// Scales the learning rate of the options; schedules and plateaus set it.
  void set_lr_factor(double factor) { lr_factor_ = factor; }
  /// Scales the learning rate of each parameter on top of that, in the order given to the optimiser: groups
  /// such as backbone and head learn at rates of their own. Throws ShapeError unless there is one factor a
  /// parameter.
  void set_lr_scales(std::vector<double> scales);
  [[nodiscard]] Size steps() const { return steps_; }
  void set_steps(Size steps) { steps_ = steps; }
  /// Moments by parameter position, for checkpoints: "0.m", "0.v", ...
  [[nodiscard]] virtual std::vector<std::pair<std::string, Tensor*>> state() = 0;

 protected:
  explicit Optimiser(std::vector<Parameter*> parameters) : parameters_(std::move(parameters)) {}
  virtual void update(std::size_t index, Parameter& p, double lr_factor) = 0;
  std::vector<Parameter*> parameters_;

 private:
  double lr_factor_ = 1;
  std::vector<double> lr_scales_;  // empty: all 1
  Size steps_ = 0;
};

/// Kingma & Ba 2015, arXiv 1412.6980, with bias correction, as PyTorch computes it; AdamW: Loshchilov &
/// Hutter 2019, arXiv 1711.05101.
[[nodiscard]] std::unique_ptr<Optimiser> make_adam(std::vector<Parameter*> parameters,
                                                   const AdamOptions& options);
/// v = momentum v + g; p -= lr v.
[[nodiscard]] std::unique_ptr<Optimiser> make_sgd(std::vector<Parameter*> parameters,
                                                  const SgdOptions& options);

/// Scales all gradients so that their joint Euclidean norm is at most `limit`; returns the norm before.
double clip_norm(std::span<Parameter* const> parameters, double limit);

}  // namespace TARN_PRECISION
}  // namespace tarn
