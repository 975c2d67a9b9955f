#pragma once

#include "tarn/core/real.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tarn {

/// How a state is stored: IEEE half, bfloat16 (the upper half of a float), float or double.
enum class StateType { f16, bf16, f32, f64 };
/// "f16", "bf16", "f32", "f64"
[[nodiscard]] std::string_view state_type_name(StateType type);
/// The type of that name, if there is one.
[[nodiscard]] std::optional<StateType> state_type(std::string_view name);
[[nodiscard]] Size state_bytes(StateType type);
/// The largest finite number a type holds.
[[nodiscard]] double largest_state(StateType type);

/// One number at a time, in plain C++: the reference for the loops below, which use F16C where it is there.
[[nodiscard]] float half_to_float(std::uint16_t half);
/// Rounds to nearest, ties to even; beyond 65504 (rounded) gives infinity.
[[nodiscard]] std::uint16_t float_to_half(float value);
[[nodiscard]] float bfloat_to_float(std::uint16_t bits);
/// Rounds to nearest, ties to even; a NaN stays one.
[[nodiscard]] std::uint16_t float_to_bfloat(float value);

inline namespace TARN_PRECISION {
/// out[i] = stored number i, for out.size() numbers of `type` in native byte order (no alignment needed).
void widen_states(StateType type, const std::byte* stored, std::span<Real> out);
/// The other way; rounds to nearest, ties to even.
void narrow_states(StateType type, std::span<const Real> values, std::byte* stored);
}  // namespace TARN_PRECISION

}  // namespace tarn
