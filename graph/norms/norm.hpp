#pragma once

#include "tarn/core/module.hpp"
#include "tarn/core/ops/linear.hpp"
#include "tarn/core/registry.hpp"
#include "tarn/core/segments.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// Normalises the nodes of a batch of graphs, graph by graph or over the whole batch: x [N, C] -> [N, C].
/// Sums are in double; empty graphs have no rows and are passed over; no NaN comes from finite input.
class Norm : public Module {
 public:
  /// `sets` are the nodes of each graph; `activation` follows, in the same pass where the norm can do that.
  /// Throws ShapeError if x has another width than `channels`, or the sets do not cover it.
  [[nodiscard]] Var forward(Var x, const Segments& sets, Activation activation = Activation::none);

 protected:
  /// channels 0: any width.
  Norm(const char* name, Size channels) : name_(name), channels_(channels) {}
  virtual Var normalize(Var x, const Segments& sets, Activation activation) = 0;
  [[nodiscard]] const char* name() const { return name_; }

 private:
  const char* name_;
  Size channels_;
};

/// All norms by name.
[[nodiscard]] Registry<Norm>& norms();
void register_norms(Registry<Norm>& registry);

/// A norm for C channels: the option `channels` is set where the norm has one.
[[nodiscard]] std::unique_ptr<Norm> make_norm(std::string_view name, Size channels, Value options = {});

}  // namespace TARN_PRECISION
}  // namespace tarn
