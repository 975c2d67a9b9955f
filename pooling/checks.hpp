#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"

#include <optional>
#include <string_view>

namespace tarn {

/// What becomes of a set without rows: what the operator's rule says (zeros for most), or an error.
enum class EmptySets { zero, error };

/// The value of an option without a default. Throws ConfigError, "sort.k: not given; expected a whole number
/// of at least 1", where there is none.
[[nodiscard]] Size required_option(std::string_view owner, std::string_view option,
                                   const std::optional<Size>& value);
/// Throws ConfigError if `divisor` does not divide `width`.
void require_divides(std::string_view owner, std::string_view option, Size divisor, Size width);

inline namespace TARN_PRECISION {

/// Features of the given rank with at least one column, of width `in_channels` unless that is 0.
void require_set_features(std::string_view where, Var x, int rank, Size in_channels);
void require_shape(std::string_view where, std::string_view what, Var v, const Shape& shape);
/// No set without rows where that is asked for.
void require_filled(std::string_view where, const Segments& sets, EmptySets empty);
/// Throws ValueError naming the first row with a negative number. NaN is not negative.
void require_non_negative(std::string_view where, std::string_view what, Var v);

}  // namespace TARN_PRECISION
}  // namespace tarn
