#pragma once

#include "tarn/core/optimiser.hpp"
#include "tarn/experiments/benchmarks/timing.hpp"
#include "tarn/pooling/heads/head.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tarn {

/// Sizes of the standard case: 32 texts of 128 tokens of width 384.
struct WorkloadShape {
  Size sets = 32;
  Size tokens = 128;
  Size dim = 384;
  [[nodiscard]] Size rows() const { return sets * tokens; }
  /// "B32/N128/D384"
  [[nodiscard]] std::string text() const;
};

/// The GLOT of the benchmarks: 4 GAT layers of 64, tau 0.6.
struct GlotShape {
  Size layers = 4;
  Size hidden = 64;
  double tau = 0.6;
};

inline namespace TARN_PRECISION {

/// One batch of token states around a common direction and 40 centres per text, so that about 4 % of the
/// pairs exceed a cosine of 0.6 (the same mixture as peers/glot.py), with labels of two classes.
struct Workload {
  WorkloadShape shape;
  Tensor x;
  Segments sets;
  std::vector<Size> labels;
};
[[nodiscard]] Workload make_workload(const WorkloadShape& shape);

/// Standard normal numbers, the same for the same name of their stream.
[[nodiscard]] Tensor normal_numbers(const Shape& shape, std::string_view stream);

/// A readout with a two-class head and Adam, as the stress test trains it.
class TrainedReadout {
 public:
  TrainedReadout(std::unique_ptr<Readout> readout, Size dim,
                 ProductPrecision products = ProductPrecision::full);
  /// Forward, backward and update on one batch; returns the loss.
  double step(ConstMatrixView x, const Segments& sets, std::span<const Size> labels, const TokenGraph* graph);
  /// Forward alone.
  void forward(ConstMatrixView x, const Segments& sets, const TokenGraph* graph);
  [[nodiscard]] const Arena& arena() const { return tape_.arena(); }

 private:
  Var logits(ConstMatrixView x, const Segments& sets, const TokenGraph* graph);
  std::unique_ptr<Readout> readout_;
  ProductPrecision products_;
  SingleClassifier head_;
  std::unique_ptr<Optimiser> optimiser_;
  Tape tape_;
};

[[nodiscard]] std::unique_ptr<Readout> make_glot(const GlotShape& shape, Size dim);

/// Operations of the products alone (2 per multiply and add) of one GLOT training step without a gradient of
/// x, or of its forward.
[[nodiscard]] double glot_product_operations(const WorkloadShape& shape, const GlotShape& glot,
                                             bool backward);

/// Operations per second of the scorer's product of the standard case, measured now with the threads in use:
/// the machine's product rate that other figures are held against.
[[nodiscard]] double measure_product_rate();

/// Bytes per second, read and written ones together, of a copy that moves `bytes`, measured now with the
/// threads in use: the machine's memory rate that other figures are held against.
[[nodiscard]] double measure_copy_rate(double bytes);

/// Counters GB/s of `bytes` that must move in each iteration, copy GB/s, and the share of it: the fastest
/// iteration against the fastest of several copies, made now.
void count_bytes(State& state, double bytes, const Timing& timing);

}  // namespace TARN_PRECISION
}  // namespace tarn
