#include "tarn/datasets/half.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#ifdef __F16C__
#include <immintrin.h>
#endif

namespace tarn {

namespace {
constexpr std::array<std::string_view, 4> names{"f16", "bf16", "f32", "f64"};
}

std::string_view state_type_name(StateType type) {
  return names[static_cast<std::size_t>(type)];
}

std::optional<StateType> state_type(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<StateType>(i);
  }
  return std::nullopt;
}

Size state_bytes(StateType type) {
  constexpr std::array<Size, 4> bytes{2, 2, 4, 8};
  return bytes[static_cast<std::size_t>(type)];
}

double largest_state(StateType type) {
  switch (type) {
    case StateType::f16:
      return 65504;
    case StateType::bf16:
      return bfloat_to_float(0x7f7f);
    case StateType::f32:
      return std::numeric_limits<float>::max();
    default:
      return std::numeric_limits<double>::max();
  }
}

float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1fU;
  const std::uint32_t mantissa = half & 0x3ffU;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000U | (mantissa << 13));
  if (exponent == 0) {
    const float magnitude = std::ldexp(static_cast<float>(mantissa), -24);  // zero and subnormal
    return sign != 0 ? -magnitude : magnitude;
  }
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

std::uint16_t float_to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7fffffffU;
  if (magnitude > 0x7f800000U) {
    return static_cast<std::uint16_t>(sign | 0x7e00U | ((magnitude >> 13) & 0x3ffU));
  }
  if (magnitude >= 0x47800000U) return static_cast<std::uint16_t>(sign | 0x7c00U);  // 65536 and beyond
  if (magnitude < 0x38800000U) {  // below the smallest normal: a count of 2^-24, rounded by the current mode
    const float scaled = std::bit_cast<float>(magnitude) * 16777216.0F;
    return static_cast<std::uint16_t>(sign | static_cast<std::uint32_t>(std::nearbyint(scaled)));
  }
  const std::uint32_t odd = (magnitude >> 13) & 1U;
  return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000U + 0xfffU + odd) >> 13));
}

float bfloat_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

std::uint16_t float_to_bfloat(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
  return static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}

inline namespace TARN_PRECISION {

namespace {

/// Calls out[i] = convert(element i of type T).
template <class T, class Convert>
void widen(const std::byte* stored, std::span<Real> out, Convert convert) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, stored + i * sizeof(T), sizeof(T));
    out[i] = static_cast<Real>(convert(value));
  }
}

template <class T, class Convert>
void narrow(std::span<const Real> values, std::byte* stored, Convert convert) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const T value = convert(values[i]);
    std::memcpy(stored + i * sizeof(T), &value, sizeof(T));
  }
}

void widen_halves(const std::byte* stored, std::span<Real> out) {
  std::size_t done = 0;
#ifdef __F16C__
  for (; done + 8 <= out.size(); done += 8) {
    const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(stored + 2 * done));
    alignas(32) std::array<float, 8> floats;
    _mm256_store_ps(floats.data(), _mm256_cvtph_ps(halves));
    for (std::size_t i = 0; i < 8; ++i) out[done + i] = static_cast<Real>(floats[i]);
  }
#endif
  widen<std::uint16_t>(stored + 2 * done, out.subspan(done), half_to_float);
}

}  // namespace

void widen_states(StateType type, const std::byte* stored, std::span<Real> out) {
  switch (type) {
    case StateType::f16:
      widen_halves(stored, out);
      break;
    case StateType::bf16:
      widen<std::uint16_t>(stored, out, bfloat_to_float);
      break;
    case StateType::f32:
      widen<float>(stored, out, [](float v) { return v; });
      break;
    case StateType::f64:
      widen<double>(stored, out, [](double v) { return v; });
      break;
  }
}

void narrow_states(StateType type, std::span<const Real> values, std::byte* stored) {
  const auto to_float = [](Real v) { return static_cast<float>(v); };
  switch (type) {
    case StateType::f16:
      narrow<std::uint16_t>(values, stored, [&](Real v) { return float_to_half(to_float(v)); });
      break;
    case StateType::bf16:
      narrow<std::uint16_t>(values, stored, [&](Real v) { return float_to_bfloat(to_float(v)); });
      break;
    case StateType::f32:
      narrow<float>(values, stored, to_float);
      break;
    case StateType::f64:
      narrow<double>(values, stored, [](Real v) { return static_cast<double>(v); });
      break;
  }
}

}  // namespace TARN_PRECISION
}  // namespace tarn
