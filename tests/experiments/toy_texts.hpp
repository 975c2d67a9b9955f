#pragma once

#include "tarn/experiments/texts.hpp"

#include <cmath>
#include <vector>

/// Ragged random texts whose label one of their tokens decides.
struct ToyTexts {
  tarn::Tensor x;
  tarn::Segments sets;
  std::vector<double> labels;

  [[nodiscard]] tarn::MemoryTexts texts() const { return {{{x.matrix(), sets}}, labels}; }
};

/// Text i has 3 to 7 tokens of width 8; in one of them feature 1 is 3, and feature 0 is 3 or -3: the label.
inline ToyTexts make_toy_texts(tarn::Size count, std::uint64_t seed) {
  using namespace tarn;
  const Rng rng(seed);
  std::vector<Size> offsets{0};
  for (Size i = 0; i < count; ++i) offsets.push_back(offsets.back() + 3 + i % 5);
  ToyTexts toy{Tensor({offsets.back(), 8}), Segments(offsets), {}};
  const Rng noise = rng.split("noise"), choice = rng.split("choice");
  for (std::size_t e = 0; e < toy.x.flat().size(); ++e)
    toy.x.flat()[e] = static_cast<Real>(0.3 * noise.normal(e));
  for (Size i = 0; i < count; ++i) {
    const auto draw = static_cast<std::uint64_t>(2 * i);
    const Size label = choice.below(2, draw);
    const Size token = toy.sets.rows(i).begin + choice.below(toy.sets.size(i), draw + 1);
    toy.x.matrix()(token, 0) = label == 1 ? Real{3} : Real{-3};
    toy.x.matrix()(token, 1) = Real{3};
    toy.labels.push_back(static_cast<double>(label));
  }
  return toy;
}
