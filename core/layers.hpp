#pragma once

#include "tarn/core/module.hpp"
#include "tarn/core/ops/batch_norm.hpp"
#include "tarn/core/ops/linear.hpp"

namespace tarn {

enum class Bias { no, yes };
enum class Affine { no, yes };

inline namespace TARN_PRECISION {

/// y = activation(x W^T + b). Parameters: weight [out, in], bias [out].
class Linear final : public Module {
 public:
  /// Starts uniform in +-1/sqrt(in), weight and bias, unless another start is given.
  Linear(Size in, Size out, Bias bias = Bias::yes);
  Linear(Size in, Size out, Bias bias, Init weight_init);
  Linear(Size in, Size out, Bias bias, Init weight_init, Init bias_init);
  Var forward(Var x, Activation activation = Activation::none) { return forward({&x, 1}, activation); }
  /// Blocks of columns side by side, without a copy.
  Var forward(std::span<const Var> blocks, Activation activation = Activation::none);
  [[nodiscard]] Parameter& weight() { return weight_; }
  /// Null without a bias.
  [[nodiscard]] Parameter* bias() { return bias_; }

 private:
  Parameter& weight_;
  Parameter* bias_;
};

/// See `batch_norm`. Parameters: weight, bias [C] if affine; state: running_mean, running_var [C].
class BatchNorm final : public Module {
 public:
  struct Settings {
    double eps = 1e-5;
    double momentum = 0.1;
    Affine affine = Affine::yes;
    SingleRow single_row = SingleRow::refuse;
  };
  explicit BatchNorm(Size channels) : BatchNorm(channels, Settings{}) {}
  BatchNorm(Size channels, const Settings& settings);
  Var forward(Var x, const char* where = "batch-norm") { return forward(x, Activation::none, where); }
  Var forward(Var x, Activation activation, const char* where = "batch-norm");

 private:
  Parameter* weight_ = nullptr;
  Parameter* bias_ = nullptr;
  Parameter& running_mean_;
  Parameter& running_var_;
  Settings settings_;
};

/// See `layer_norm`. Parameters: weight, bias [D].
class LayerNorm final : public Module {
 public:
  explicit LayerNorm(Size width, double eps = 1e-5);
  Var forward(Var x);

 private:
  Parameter& weight_;
  Parameter& bias_;
  double eps_;
};

enum class ChainNorm { none, batch_norm };
/// Whether the last linear layer of a chain is followed by norm and activation as the others are.
enum class ChainEnd { linear, activation };

/// linear, [batch-norm], activation, ..., linear, numbered as a list: without norm 0, 2, 4, ...; with it 0
/// and 1, 3 and 4, ...
class Chain final : public Module {
 public:
  /// widths: in, hidden..., out.
  Chain(std::span<const Size> widths, ChainNorm norm, Activation activation = Activation::relu,
        ChainEnd end = ChainEnd::linear);
  Chain(std::initializer_list<Size> widths, ChainNorm norm, Activation activation = Activation::relu,
        ChainEnd end = ChainEnd::linear)
      : Chain(std::span<const Size>(widths.begin(), widths.size()), norm, activation, end) {}
  Var forward(Var x, const char* where) { return forward({&x, 1}, where); }
  Var forward(std::span<const Var> blocks, const char* where);

 private:
  std::vector<Linear*> linears_;
  std::vector<BatchNorm*> norms_;
  Activation activation_;
  ChainEnd end_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
