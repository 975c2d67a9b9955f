#include "tarn/core/module.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

double draw_truncated(const Rng& rng) {
  for (std::uint64_t i = 0;; ++i) {
    const double v = rng.normal(i);
    if (std::abs(v) <= 2) return v;
  }
}

}  // namespace

inline namespace TARN_PRECISION {

namespace {

/// Number i of a parameter whose rows have `cols` numbers.
double draw(const Init& init, const Rng& stream, std::uint64_t i, Size cols) {
  switch (init.kind) {
    case Init::Kind::uniform:
      return init.value * (2 * stream.uniform(i) - 1);
    case Init::Kind::normal:
      return init.value * stream.normal(i);
    case Init::Kind::truncated_normal:
      return init.value * draw_truncated(stream.split(i));
    case Init::Kind::identity:
      return static_cast<Size>(i) / cols == static_cast<Size>(i) % cols ? init.value : 0;
    case Init::Kind::constant:
      break;
  }
  return init.value;
}

}  // namespace

Init fan_in_uniform(Size fan_in) {
  return {Init::Kind::uniform, fan_in > 0 ? 1 / std::sqrt(static_cast<double>(fan_in)) : 0};
}

Init glorot(Size rows, Size columns) {
  return {Init::Kind::uniform, std::sqrt(6.0 / static_cast<double>(std::max<Size>(rows + columns, 1)))};
}

Parameter& Module::parameter(std::string name, Shape shape, Init init) {
  own_.push_back(std::make_unique<Owned>(Owned{{std::move(name), Tensor(shape), Tensor(shape)}, init}));
  Parameter& p = own_.back()->parameter;
  if (init.kind == Init::Kind::constant) p.value.fill(static_cast<Real>(init.value));
  return p;
}

Parameter& Module::state_tensor(std::string name, Shape shape, double initial) {
  Parameter& p = parameter(std::move(name), shape, constant(initial));
  p.trainable = false;
  return p;
}

void Module::collect(const std::string& prefix, std::vector<std::pair<std::string, Owned*>>& into) {
  for (const auto& one : own_) into.emplace_back(prefix + one->parameter.name, one.get());
  for (const auto& [name, module] : children_) {
    module->collect(name.empty() ? prefix : prefix + name + ".", into);
  }
}

std::vector<std::pair<std::string, Module::Owned*>> Module::owned() {
  std::vector<std::pair<std::string, Owned*>> result;
  collect("", result);
  return result;
}

void Module::init(const Rng& rng) {
  for (const auto& [name, one] : owned()) {
    const Rng stream = rng.split(name);
    const auto values = one->parameter.value.flat();
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<Real>(draw(one->init, stream, i, one->parameter.value.shape().cols()));
    }
    one->parameter.has_grad = false;
  }
}

std::vector<std::pair<std::string, Parameter*>> Module::state() {
  std::vector<std::pair<std::string, Parameter*>> result;
  for (const auto& [name, one] : owned()) result.emplace_back(name, &one->parameter);
  return result;
}

std::vector<Parameter*> Module::parameters() {
  std::vector<Parameter*> result;
  for (const auto& [name, one] : owned()) {
    if (one->parameter.trainable) result.push_back(&one->parameter);
  }
  return result;
}

Size Module::num_parameters() {
  Size total = 0;
  for (const Parameter* p : parameters()) total += p->value.size();
  return total;
}

void Module::load(std::string_view name, const Shape& shape, std::span<const double> values) {
  std::vector<std::string> known;
  for (const auto& [full, p] : state()) {
    known.push_back(full);
    if (full != name) continue;
    if (p->value.shape() != shape || static_cast<Size>(values.size()) != p->value.size()) {
      throw DataError(fmt::format("parameter '{}': got shape {}; expected {}", name, shape.text(),
                                  p->value.shape().text()));
    }
    std::transform(values.begin(), values.end(), p->value.data(),
                   [](double v) { return static_cast<Real>(v); });
    return;
  }
  throw DataError(fmt::format("unknown parameter '{}'{}", name, suggestion(name, known)));
}

}  // namespace TARN_PRECISION
}  // namespace tarn
