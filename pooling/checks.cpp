#include "tarn/pooling/checks.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <array>

namespace tarn {

Size required_option(std::string_view owner, std::string_view option, const std::optional<Size>& value) {
  if (value) return *value;
  throw ConfigError(fmt::format("{}.{}: not given; expected a whole number of at least 1", owner, option));
}

void require_divides(std::string_view owner, std::string_view option, Size divisor, Size width) {
  if (width % divisor == 0) return;
  throw ConfigError(fmt::format("{}.{}: got {} for width {}; expected a number that divides the width", owner,
                                option, divisor, width));
}

inline namespace TARN_PRECISION {

void require_set_features(std::string_view where, Var x, int rank, Size in_channels) {
  static constexpr std::array<const char*, 4> shapes{"[]", "[D]", "[N, D]", "[N, L, D]"};
  if (x.shape().rank() != rank) {
    throw ShapeError(fmt::format("{}: x is {}; expected {}", where, x.shape().text(),
                                 shapes.at(static_cast<std::size_t>(rank))));
  }
  if (x.cols() == 0) throw ShapeError(fmt::format("{}: x has width 0; expected at least 1", where));
  if (in_channels != 0 && x.cols() != in_channels) {
    throw ShapeError(
        fmt::format("{}: x has width {}; expected {} (in_channels)", where, x.cols(), in_channels));
  }
}

void require_shape(std::string_view where, std::string_view what, Var v, const Shape& shape) {
  if (v.shape() == shape) return;
  throw ShapeError(fmt::format("{}: {} is {}; expected {}", where, what, v.shape().text(), shape.text()));
}

void require_filled(std::string_view where, const Segments& sets, EmptySets empty) {
  if (empty == EmptySets::zero) return;
  for (Size b = 0; b < sets.count(); ++b) {
    if (sets.size(b) > 0) continue;
    throw ValueError(fmt::format("{}: set {} is empty; expected at least one row in every set", where, b));
  }
}

void require_non_negative(std::string_view where, std::string_view what, Var v) {
  const ConstMatrixView m = v.value();
  // A vector is one row of a matrix; its places are the rows that are meant.
  const bool vector = v.shape().rank() < 2;
  for (Size i = 0; i < m.rows; ++i) {
    for (Size j = 0; j < m.cols; ++j) {
      if (!(m(i, j) < 0)) continue;
      throw ValueError(fmt::format("{}: {} holds {} in row {}; expected no negative number", where, what,
                                   m(i, j), vector ? j : i));
    }
  }
}

}  // namespace TARN_PRECISION
}  // namespace tarn
