#pragma once

#include "tarn/core/real.hpp"

#include <string>
#include <utility>
#include <vector>

namespace tarn::plot {

/// Tokens of one text and what to mark among them.
struct Tokens {
  std::vector<std::string> names;
  std::vector<Size> needle;  ///< drawn in red
  std::vector<Size> pooled;  ///< rows that are pooled vectors, not tokens; drawn in blue
};

/// A square matrix in viridis with the tokens along both sides. With many tokens only the marked ones and
/// every tenth are named. Throws ShapeError if the matrix has not one row and column per token.
[[nodiscard]] std::string draw_heat_map(const std::string& title, const Tokens& tokens,
                                        const std::vector<std::vector<double>>& values);

/// One strip of bars per readout: which share of its weight each token has. Throws ShapeError if a strip has
/// not one weight per token.
[[nodiscard]] std::string draw_token_weights(
    const std::string& title, const Tokens& tokens,
    const std::vector<std::pair<std::string, std::vector<double>>>& weights);

}  // namespace tarn::plot
