#include "tarn/pooling/layer_pools/layer_weights.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tarn {

double LayerWeights::total(std::span<const double> c) const {
  double sum = 0;
  if (kind_ == LayerNormalization::division) {
    for (const double v : c) sum += v;
  } else if (kind_ == LayerNormalization::absolute) {
    for (const double v : c) sum += std::abs(v);
  } else {
    sum = 1;
  }
  return sum;
}

bool LayerWeights::guarded(double total) const {
  if (kind_ == LayerNormalization::division) return std::abs(total) < eps_;
  return kind_ == LayerNormalization::absolute && total <= eps_;
}

double LayerWeights::divisor(double total) const {
  if (!guarded(total)) return total;
  return total < 0 ? -eps_ : eps_;
}

void LayerWeights::normalize(std::span<const double> c, std::span<double> a) const {
  if (kind_ == LayerNormalization::softmax) {
    const double best = *std::max_element(c.begin(), c.end());
    double sum = 0;
    for (std::size_t l = 0; l < c.size(); ++l) sum += a[l] = std::exp(c[l] - best);
    for (double& v : a) v /= sum;
    return;
  }
  const double u = divisor(total(c));
  for (std::size_t l = 0; l < c.size(); ++l) a[l] = c[l] / u;
}

void LayerWeights::gradient(std::span<const double> c, std::span<const double> a, std::span<const double> g,
                            std::span<double> dc) const {
  const double t = total(c), along = std::inner_product(g.begin(), g.end(), a.begin(), 0.0);
  const auto sign = [](double v) { return static_cast<double>(v > 0) - static_cast<double>(v < 0); };
  for (std::size_t l = 0; l < c.size(); ++l) {
    if (kind_ == LayerNormalization::none) {
      dc[l] = g[l];
    } else if (kind_ == LayerNormalization::softmax) {
      dc[l] = a[l] * (g[l] - along);
    } else if (guarded(t)) {
      dc[l] = g[l] / divisor(t);
    } else {
      dc[l] = (g[l] - (kind_ == LayerNormalization::absolute ? sign(c[l]) : 1.0) * along) / t;
    }
  }
}

}  // namespace tarn
