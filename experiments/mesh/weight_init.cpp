#include "tarn/experiments/mesh/weight_init.hpp"

#include <cmath>
#include <string>
#include <vector>

namespace tarn {
inline namespace TARN_PRECISION {

namespace {

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// The part of a dotted name before the last: "fc1" of "fc1.weight", "bn1_dual" of
/// "block0.conv.bn1_dual.weight".
std::string owner_of(const std::string& name) {
  const std::size_t last = name.rfind('.');
  if (last == std::string::npos) return "";
  const std::size_t before = name.rfind('.', last - 1);
  return name.substr(before == std::string::npos ? 0 : before + 1,
                     last - (before == std::string::npos ? 0 : before + 1));
}

void draw_normal(Parameter& p, double mean, double deviation, const Rng& rng) {
  const auto values = p.value.flat();
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<Real>(mean + deviation * rng.normal(i));
}

/// Orthonormal rows (columns, where there are more rows) of normal draws, by Gram-Schmidt, done twice against
/// rounding.
void draw_orthogonal(Parameter& p, double gain, const Rng& rng) {
  const Size rows = p.value.shape().rows(), cols = p.value.shape().cols();
  const bool by_rows = rows <= cols;
  const Size count = by_rows ? rows : cols, length = by_rows ? cols : rows;
  std::vector<double> vectors(idx(count * length));
  for (std::size_t i = 0; i < vectors.size(); ++i) vectors[i] = rng.normal(i);
  const auto vector = [&](Size v) { return vectors.data() + v * length; };
  for (Size v = 0; v < count; ++v) {
    for (Size u = 0; u < 2 * v; ++u) {
      const double* other = vector(u % std::max<Size>(v, 1));
      double along = 0;
      for (Size j = 0; j < length; ++j) along += vector(v)[j] * other[j];
      for (Size j = 0; j < length; ++j) vector(v)[j] -= along * other[j];
    }
    double squares = 0;
    for (Size j = 0; j < length; ++j) squares += vector(v)[j] * vector(v)[j];
    for (Size j = 0; j < length; ++j) vector(v)[j] /= std::sqrt(squares);
  }
  for (Size i = 0; i < rows; ++i) {
    for (Size j = 0; j < cols; ++j) {
      p.value.matrix()(i, j) = static_cast<Real>(gain * (by_rows ? vector(i)[j] : vector(j)[i]));
    }
  }
}

void draw_linear(Parameter& p, WeightInit type, double gain, const Rng& rng) {
  const auto in = static_cast<double>(p.value.shape().cols()),
             out = static_cast<double>(p.value.shape().rows());
  switch (type) {
    case WeightInit::normal:
      return draw_normal(p, 0, gain, rng);
    case WeightInit::xavier:
      return draw_normal(p, 0, gain * std::sqrt(2 / (in + out)), rng);
    case WeightInit::kaiming:
      return draw_normal(p, 0, std::sqrt(2 / in), rng);
    case WeightInit::orthogonal:
      return draw_orthogonal(p, gain, rng);
  }
}

}  // namespace

void draw_network_weights(Module& module, WeightInit type, double gain, const Rng& rng) {
  for (const auto& [name, p] : module.state()) {
    if (!name.ends_with(".weight")) continue;
    const std::string owner = owner_of(name);
    if (owner.starts_with("fc")) draw_linear(*p, type, gain, rng.split(name));
    if (owner.starts_with("bn")) draw_normal(*p, 1, gain, rng.split(name));
  }
}

}  // namespace TARN_PRECISION
}  // namespace tarn
