#pragma once

#include <cstdint>

/// The precision of a build. `Real` is float unless the build sets TARN_DOUBLE; everything that holds a
/// `Real` lives in an inline namespace named after it, so that objects of different precision cannot be
/// linked together.
#if defined(TARN_DOUBLE) && TARN_DOUBLE
#define TARN_PRECISION f64
#else
#define TARN_PRECISION f32
#endif

namespace tarn {

inline namespace TARN_PRECISION {
#if defined(TARN_DOUBLE) && TARN_DOUBLE
using Real = double;
#else
using Real = float;
#endif
}  // namespace TARN_PRECISION

/// Counts, shapes and offsets.
using Size = std::int64_t;
/// Stored indices of nodes and tokens.
using NodeId = std::int32_t;

}  // namespace tarn
