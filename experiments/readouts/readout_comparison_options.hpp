#pragma once

#include "tarn/experiments/graphs/graph_options.hpp"
#include "tarn/experiments/stress_options.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tarn {

/// What a comparison of readouts trains on, by the names of the experiments.
inline constexpr const char* stress_task = "stress";
inline constexpr const char* graphs_task = "graphs-demo";

/// Options of `tarn run readouts` that are no tables.
struct ReadoutComparisonOptions {
  std::vector<std::string> tasks{stress_task, graphs_task};
  std::vector<std::string> readouts;
  std::vector<double> ratios{0.5, 0.8, 0.9};
  std::vector<Size> seeds{0, 1, 2, 3, 4};
  std::optional<Size> epochs;
  std::optional<Size> batch;
  std::optional<double> lr;

  void fields(Fields& f);
};

/// A readout that a comparison leaves out, and why.
struct LeftOut {
  std::string readout;
  std::string reason;
};

/// A resolved configuration, read: the plans of the experiments that it is made of. Plans hold trials of
/// readouts alone, without the controls of the stress test.
struct ReadoutComparisonPlan {
  ReadoutComparisonOptions options;
  std::optional<StressPlan> stress;
  std::optional<GraphPlan> graphs;

  [[nodiscard]] static ReadoutComparisonPlan read(const Value& resolved);
};

/// Every option filled in. Tables: `stress` and `graphs`, which take the options of `tarn run stress` and
/// `tarn run graphs-demo`; `readout` and one of each readout's name, for all tasks; `data.train`. Throws
/// ConfigError or ValueError, also for a readout that was asked for and does not fit.
[[nodiscard]] Value resolve_readout_comparison(const Value& given);

[[nodiscard]] std::vector<FieldDescription> describe_readout_comparison();

/// Registered operators that turn something into vectors but do not fit, with their reasons.
[[nodiscard]] std::vector<LeftOut> readouts_left_out();

/// The embedded set of graphs, as `tarn run graphs-demo` has it.
[[nodiscard]] GraphPreset embedded_graphs();

}  // namespace tarn
