#include "tarn/datasets/named_vectors.hpp"

#include <cmath>
#include <numbers>
#include <numeric>

namespace tarn {

namespace {

std::uint64_t mix(std::uint64_t z) {
  z += 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return h;
}

/// Uniform in (0, 1).
double uniform(std::uint64_t bits) {
  return (static_cast<double>(bits >> 11U) + 0.5) * 0x1p-53;
}

}  // namespace

std::vector<double> named_normals(std::uint64_t seed, std::string_view name, Size count) {
  const std::uint64_t key = mix(seed ^ fnv1a(name));
  std::vector<double> normals(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < normals.size(); ++i) {
    const double u1 = uniform(mix(key + 2 * i)), u2 = uniform(mix(key + 2 * i + 1));
    normals[i] = std::sqrt(-2 * std::log(u1)) * std::cos(2 * std::numbers::pi * u2);
  }
  return normals;
}

std::vector<double> named_unit(std::uint64_t seed, std::string_view name, Size dim) {
  std::vector<double> unit = named_normals(seed, name, dim);
  const double norm = std::sqrt(std::inner_product(unit.begin(), unit.end(), unit.begin(), 0.0));
  for (double& x : unit) x /= norm;
  return unit;
}

}  // namespace tarn
