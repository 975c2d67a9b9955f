#pragma once

#include "tarn/core/real.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace tarn {

/// Random vectors that belong to a name: the same on every machine, from no file. Kept apart from `Rng`,
/// whose numbers they do not share, because the published states of the embedded encoder fix them.
///
/// key = mix(seed xor FNV-1a(name)) with SplitMix64's mix; number i is Box-Muller's cosine branch on
/// mix(key + 2i) and mix(key + 2i + 1).
[[nodiscard]] std::vector<double> named_normals(std::uint64_t seed, std::string_view name, Size count);

/// The same, divided by their norm.
[[nodiscard]] std::vector<double> named_unit(std::uint64_t seed, std::string_view name, Size dim);

}  // namespace tarn
