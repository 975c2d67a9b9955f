#pragma once

// What the tests use of Catch2 2's one header, for distributions that have Catch2 3.

#include <catch2/catch_all.hpp>

#include <string>
#include <utility>

namespace Catch {

namespace Matchers {

inline auto Contains(const char* part) {
  return ContainsSubstring(part);
}
inline auto Contains(const std::string& part) {
  return ContainsSubstring(part);
}
inline auto Contains(std::string&& part) {
  return ContainsSubstring(std::move(part));
}

}  // namespace Matchers

using Matchers::Contains;
using Matchers::StartsWith;

}  // namespace Catch

using Catch::Approx;
