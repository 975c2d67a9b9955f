#pragma once

#include "tarn/core/real.hpp"

#include <array>
#include <span>
#include <string_view>

namespace tarn {

/// How scores c of the layers become weights a.
enum class LayerNormalization {
  division,  ///< a = c / u, u = sum c, or +-eps where |sum c| < eps
  softmax,   ///< over the layers
  absolute,  ///< a = c / max(sum |c|, eps)
  none       ///< a = c
};
inline std::span<const std::string_view> enum_names(LayerNormalization) {
  static constexpr std::array<std::string_view, 4> names{"division", "softmax", "absolute", "none"};
  return names;
}

/// The weights of one row of scores, and what they say of its health.
class LayerWeights {
 public:
  LayerWeights(LayerNormalization kind, double eps) : kind_(kind), eps_(eps) {}

  /// a from c, both [L].
  void normalize(std::span<const double> c, std::span<double> a) const;
  /// dc from g = dL/da: division (g - sum g a) / t, guarded g / u; softmax a (g - sum g a); absolute (g -
  /// sign(c) sum g a) / t, guarded g / eps; none g. dc may be g.
  void gradient(std::span<const double> c, std::span<const double> a, std::span<const double> g,
                std::span<double> dc) const;
  /// What the scores are divided by before the guard: sum c, or sum |c| for `absolute`; 1 for the others.
  [[nodiscard]] double total(std::span<const double> c) const;
  /// Whether the guard eps stands in for that.
  [[nodiscard]] bool guarded(double total) const;

 private:
  /// The total, or the guard in its place.
  [[nodiscard]] double divisor(double total) const;
  LayerNormalization kind_;
  double eps_;
};

}  // namespace tarn
