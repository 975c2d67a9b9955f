#pragma once

#include "tarn/core/tensor.hpp"
#include "tarn/core/value.hpp"

#include <map>
#include <string>
#include <vector>

namespace tarn {

/// A tensor of a golden file in double precision, whatever the build; whole numbers also as they are.
struct GoldenTensor {
  Shape shape;
  std::vector<double> values;
  bool integers = false;
  std::vector<Size> whole;  ///< of integers, exact beyond 2^53; else empty
};

/// One case of a golden file: what an operator gets, and what it must give. See tests/golden/README.md.
struct GoldenCase {
  std::string file;
  std::string name;
  std::string op;
  Value options;
  double rtol = 0;
  double atol = 0;
  std::map<std::string, GoldenTensor> inputs, parameters, outputs, cotangents;
  std::map<std::string, GoldenTensor> gradients;  ///< "inputs/x", "parameters/score_layer.0.weight"

  /// "FILE:CASE", for messages.
  [[nodiscard]] std::string where() const { return file + ":" + name; }
  /// Throws DataError naming the case if it has no such input.
  [[nodiscard]] const GoldenTensor& input(const std::string& name) const;
  /// The option `training`, false unless given.
  [[nodiscard]] bool training() const;
  /// The options that are the user's: without `training`.
  [[nodiscard]] Value user_options() const;
};

/// All cases in the order of their names. Throws IoError or DataError, naming file and path.
[[nodiscard]] std::vector<GoldenCase> read_golden(const std::string& path);

}  // namespace tarn
