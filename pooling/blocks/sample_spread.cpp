#include "tarn/pooling/blocks/sample_spread.hpp"

#include "tarn/core/ops/scaling.hpp"
#include "tarn/core/ops/segment.hpp"

#include <vector>

namespace tarn {
inline namespace TARN_PRECISION {

Var sample_variance(Var x, const Segments& sets) {
  std::vector<double> factors;
  for (Size b = 0; b < sets.count(); ++b) {
    const auto n = static_cast<double>(sets.size(b));
    factors.push_back(n > 1 ? n / (n - 1) : 0);
  }
  return scale_rows(segment_reduce(x, sets, Reduce::var), factors);
}

Var sample_deviation(Var x, const Segments& sets) {
  return power(sample_variance(x, sets), 0.5);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
