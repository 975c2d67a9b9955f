#pragma once

#include "tarn/core/module.hpp"
#include "tarn/experiments/conform/golden_case.hpp"
#include "tarn/graph/graph.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tarn {
inline namespace TARN_PRECISION {

/// One run of a golden case: inputs on a tape, parameters loaded, outputs collected. An adapter fills it;
/// `finish` runs the backward pass from the case's cotangents.
class CaseRun {
 public:
  explicit CaseRun(const GoldenCase& golden);

  [[nodiscard]] const GoldenCase& golden() const { return golden_; }
  [[nodiscard]] Tape& tape() { return tape_; }
  [[nodiscard]] bool has(const std::string& name) const { return golden_.inputs.contains(name); }
  /// An input with its gradient; not given if the case has none of that name.
  [[nodiscard]] Var input(const std::string& name);
  /// An integer input.
  [[nodiscard]] std::vector<Size> integers(const std::string& name) const;
  /// Sets from the input `offsets`.
  [[nodiscard]] Segments sets() const;
  /// The graph of the input `edges` over the rows of x, in the order given.
  [[nodiscard]] Graph graph();
  /// Loads the case's parameters; the module must outlive the run.
  void load(Module& module);
  /// Keeps what an adapter made until the run ends.
  void keep(std::shared_ptr<void> object) { kept_.push_back(std::move(object)); }

  void output(const std::string& name, Var v);
  void output(const std::string& name, std::vector<double> values);
  /// Whole numbers, compared exactly.
  void output(const std::string& name, std::vector<Size> values);
  /// Backward from the cotangents; then all gradients are in `gradients`.
  void finish();

  [[nodiscard]] const std::map<std::string, std::vector<double>>& outputs() const { return outputs_; }
  /// Those outputs that were given as whole numbers.
  [[nodiscard]] const std::map<std::string, std::vector<Size>>& whole_outputs() const {
    return whole_outputs_;
  }
  [[nodiscard]] const std::map<std::string, std::vector<double>>& gradients() const { return gradients_; }

 private:
  const GoldenCase& golden_;
  std::vector<std::shared_ptr<void>> kept_;
  std::map<std::string, Tensor> tensors_;
  std::map<std::string, Tensor> cotangents_;
  Tape tape_;
  std::map<std::string, Var> input_vars_;
  std::map<std::string, Var> output_vars_;
  std::map<std::string, std::vector<double>> outputs_;
  std::map<std::string, std::vector<Size>> whole_outputs_;
  std::map<std::string, std::vector<double>> gradients_;
  Module* module_ = nullptr;
};

/// How the operators of one family are run on golden cases.
struct Adapter {
  std::string family;
  /// Names of the operators this adapter knows.
  std::function<std::vector<std::string>()> names;
  std::function<void(CaseRun&)> run;
};

/// One adapter per family; free functions that goldens name are a family too.
[[nodiscard]] const std::vector<Adapter>& adapters();
/// The adapter that knows an operator, or null.
[[nodiscard]] const Adapter* find_adapter(const std::string& op);

}  // namespace TARN_PRECISION
}  // namespace tarn
