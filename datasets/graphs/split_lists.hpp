#pragma once

#include "tarn/core/real.hpp"

#include <string>
#include <vector>

namespace tarn {

/// Which graphs one fold trains on, chooses by and is tested on, numbered from 0. Lists that a split does not
/// name are empty; without `train` every graph that is in no other list trains.
struct Fold {
  std::vector<Size> train;
  std::vector<Size> validation;
  std::vector<Size> test;
  friend bool operator==(const Fold&, const Fold&) = default;
};

/// The folds of a split by name: "gin10_seed0".
struct SplitLists {
  std::string name;
  std::string about;  ///< where it comes from, one phrase
  std::vector<Fold> folds;
  friend bool operator==(const SplitLists&, const SplitLists&) = default;
};

}  // namespace tarn
