#include "tarn/experiments/plot/axis.hpp"

#include "tarn/experiments/table.hpp"

#include <algorithm>
#include <cmath>

namespace tarn::plot {

Axis::Axis(double low, double high, double from, double to, Scale scale)
    : low_(low), high_(high), from_(from), to_(to), scale_(scale) {
  if (!(high_ > low_)) {
    const double margin = scale == Scale::logarithmic ? low_ / 2 : std::max(0.5, std::abs(low_) * 0.05);
    high_ = low_ + margin;
    low_ -= margin;
  }
}

double Axis::pixel(double value) const {
  const double share = scale_ == Scale::linear
                           ? (value - low_) / (high_ - low_)
                           : std::log(std::max(value, low_) / low_) / std::log(high_ / low_);
  return from_ + share * (to_ - from_);
}

double Axis::step(int count) const {
  const double raw = (high_ - low_) / std::max(1, count);
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw * (1 - 1e-9)) return factor * power;
  }
  return 10 * power;
}

std::vector<double> Axis::ticks(int count) const {
  std::vector<double> result;
  if (scale_ == Scale::logarithmic) {
    const bool few_decades = std::log10(high_ / low_) < count / 2.0;
    for (double decade = std::pow(10.0, std::floor(std::log10(low_))); decade <= high_; decade *= 10) {
      for (const double factor : {1.0, 2.0, 5.0}) {
        if (factor != 1.0 && !few_decades) continue;
        if (decade * factor >= low_ && decade * factor <= high_) result.push_back(decade * factor);
      }
    }
    return result;
  }
  const double distance = step(count);
  const double slack = 1e-9 * (high_ - low_);
  for (double i = std::ceil((low_ - slack) / distance); i * distance <= high_ + slack; ++i) {
    result.push_back(i * distance);
  }
  return result;
}

std::string Axis::label(double tick, int count) const {
  if (scale_ == Scale::logarithmic) {
    return tick >= 1000 ? format_number(tick / 1000) + "k" : format_number(tick);
  }
  const int decimals = static_cast<int>(std::max(0.0, -std::floor(std::log10(step(count)) + 1e-9)));
  return format_fixed(tick, decimals);
}

}  // namespace tarn::plot
