#pragma once

#include "tarn/core/tape.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarn {
inline namespace TARN_PRECISION {

/// How a parameter starts. Draws come from a stream named after the parameter, so that adding one elsewhere
/// changes no other.
struct Init {
  enum class Kind { constant, uniform, normal, truncated_normal, identity } kind = Kind::constant;
  double value = 0;  ///< the constant, the bound of uniform in [-value, value], or a standard deviation
};
/// Uniform in +-1/sqrt(fan_in): the start of plain linear layers, weight and bias.
[[nodiscard]] Init fan_in_uniform(Size fan_in);
/// Uniform in +-sqrt(6 / (rows + columns)); Glorot & Bengio 2010.
[[nodiscard]] Init glorot(Size rows, Size columns);
[[nodiscard]] constexpr Init constant(double value) {
  return {.value = value};
}
/// Normal with mean zero.
[[nodiscard]] constexpr Init normal(double deviation) {
  return {Init::Kind::normal, deviation};
}
/// Ones on the diagonal of a matrix, zeros beside it.
[[nodiscard]] constexpr Init identity_matrix() {
  return {Init::Kind::identity, 1};
}
/// Normal, drawn again until it lies within two standard deviations of the normal it is drawn from.
[[nodiscard]] constexpr Init truncated_normal(double deviation) {
  return {Init::Kind::truncated_normal, deviation};
}

/// Owns parameters and children by name. Names come out dotted, as PyTorch's: child `score_layer`, its child
/// `0`, its parameter `weight` -> `score_layer.0.weight`. Addresses are stable; not copyable: `state` and
/// `load_state` copy values.
class Module {
 public:
  Module() = default;
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  /// Draws all parameters anew.
  void init(const Rng& rng);
  /// Every parameter with its full name, state without gradient included, in order of declaration.
  [[nodiscard]] std::vector<std::pair<std::string, Parameter*>> state();
  /// Those an optimiser steps.
  [[nodiscard]] std::vector<Parameter*> parameters();
  /// Number of trainable numbers.
  [[nodiscard]] Size num_parameters();
  /// Sets one value. Throws DataError if there is no such name or the shape differs (also for a differing
  /// rank with equal count).
  void load(std::string_view name, const Shape& shape, std::span<const double> values);

 protected:
  Parameter& parameter(std::string name, Shape shape, Init init);
  /// State that no gradient changes (running means).
  Parameter& state_tensor(std::string name, Shape shape, double initial);
  /// A child without a name lends its names as they are.
  template <class M>
  M& child(std::string name, std::unique_ptr<M> module) {
    M& reference = *module;
    children_.emplace_back(std::move(name), std::move(module));
    return reference;
  }

 private:
  struct Owned {
    Parameter parameter;
    Init init;
  };
  void collect(const std::string& prefix, std::vector<std::pair<std::string, Owned*>>& into);
  std::vector<std::pair<std::string, Owned*>> owned();
  std::vector<std::unique_ptr<Owned>> own_;
  std::vector<std::pair<std::string, std::unique_ptr<Module>>> children_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
