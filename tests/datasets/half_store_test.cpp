#include "tarn/datasets/half.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

using namespace tarn;

TEST_CASE("every half and bfloat widens exactly and narrows back to itself", "[datasets][store]") {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto stored = static_cast<std::uint16_t>(bits);
    const float half = half_to_float(stored);
    const float bfloat = bfloat_to_float(stored);
    REQUIRE(
        (std::isnan(half) ? std::isnan(half_to_float(float_to_half(half))) : float_to_half(half) == stored));
    REQUIRE((std::isnan(bfloat) ? std::isnan(bfloat_to_float(float_to_bfloat(bfloat)))
                                : float_to_bfloat(bfloat) == stored));
  }
  CHECK(half_to_float(0x0001) == std::ldexp(1.0F, -24));
  CHECK(half_to_float(0x3555) == 0.333251953125F);
  CHECK(half_to_float(0x7bff) == 65504);
  CHECK(half_to_float(0xfc00) == -INFINITY);
}

TEST_CASE("narrowing rounds to nearest with ties to even", "[datasets][store]") {
  CHECK(float_to_half(1 + 1.0F / 2048) == 0x3c00);  // halfway to the next: even stays
  CHECK(float_to_half(1 + 3.0F / 2048) == 0x3c02);
  CHECK(float_to_half(std::ldexp(1.5F, -24)) == 0x0002);
  CHECK(float_to_half(std::ldexp(1.0F, -25)) == 0x0000);
  CHECK(float_to_half(65519.0F) == 0x7bff);
  CHECK(float_to_half(65520.0F) == 0x7c00);
  CHECK(float_to_bfloat(std::bit_cast<float>(0x3f808000U)) == 0x3f80);
  CHECK(float_to_bfloat(std::bit_cast<float>(0x3f818000U)) == 0x3f82);
  CHECK(float_to_bfloat(std::bit_cast<float>(0x3f808001U)) == 0x3f81);
}

TEST_CASE("the loops over states agree with the plain conversion", "[datasets][store]") {
  std::vector<std::uint16_t> stored;
  for (std::uint32_t bits = 0; bits < 65536; bits += 3) stored.push_back(static_cast<std::uint16_t>(bits));
  stored.push_back(0x3c00);  // an odd tail
  std::vector<Real> wide(stored.size());
  const auto* bytes = reinterpret_cast<const std::byte*>(stored.data());
  widen_states(StateType::f16, bytes, wide);
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const auto want = static_cast<Real>(half_to_float(stored[i]));
    REQUIRE((wide[i] == want || (std::isnan(wide[i]) && std::isnan(want))));
  }
  const std::array<Real, 3> values{1.5, -2.25, 3};
  for (const StateType type : {StateType::f16, StateType::bf16, StateType::f32, StateType::f64}) {
    std::vector<std::byte> narrow(static_cast<std::size_t>(3 * state_bytes(type)));
    std::array<Real, 3> back{};
    narrow_states(type, values, narrow.data());
    widen_states(type, narrow.data(), back);
    CHECK(back == values);
    CHECK(state_type(state_type_name(type)) == type);
  }
  CHECK(!state_type("f8"));
}
