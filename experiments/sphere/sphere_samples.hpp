#pragma once

#include "tarn/core/tensor.hpp"
#include "tarn/graph/healpix/sky.hpp"

#include <vector>

namespace tarn {
inline namespace TARN_PRECISION {

/// Maps with a class or with numbers each.
struct SphereSamples {
  Tensor maps;                    ///< [n, P, C], pixels in NEST order
  std::vector<Size> classes{};    ///< [n]; empty for numbers
  std::vector<double> targets{};  ///< [n, T] row-major; empty for classes

  [[nodiscard]] Size count() const { return maps.shape().rank() == 3 ? maps.shape()[0] : 0; }
};

/// What is asked of a map: its class or some numbers.
struct SphereAnswers {
  Size num_classes = 0;  ///< 0 for numbers
  Size num_targets = 0;  ///< 0 for classes
};

/// What a network on the sphere is trained, chosen and tested on.
struct SphereSplits : SphereAnswers {
  healpix::Sky sky;
  Size channels = 1;
  SphereSamples train, validation, test;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
