#pragma once

#include "tarn/datasets/stress_texts.hpp"
#include "tarn/experiments/text_trial.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace tarn {

enum class StressEncoder { synthetic, raw, store };
inline std::span<const std::string_view> enum_names(StressEncoder) {
  static constexpr std::array<std::string_view, 3> names{"synthetic", "raw", "store"};
  return names;
}

/// Options of `tarn run stress` that are no tables. What is not set takes the protocol's value.
struct StressRunOptions {
  TextProtocol protocol = TextProtocol::converged;
  StressMode mode = StressMode::matched;
  StressEncoder encoder = StressEncoder::synthetic;
  std::vector<double> ratios{0.2, 0.5, 0.8, 0.9};
  std::vector<std::string> readouts{"mean", "max", "first", "last", "adapool", "glot"};
  std::vector<Size> seeds{0, 1, 2};
  FixedHead head = FixedHead::linear;
  Size seq_len = 128;
  NeedlePosition position = NeedlePosition::random;
  Size distance = 10;
  Size encoder_seed = 7;
  std::optional<Size> epochs;
  std::optional<Size> head_epochs;
  std::optional<double> lr;
  Size batch = 32;
  Size graph_cache_mb = 512;
  ProductPrecision products = ProductPrecision::full;
  std::optional<bool> structure;
  Size structure_epochs = 12;

  void fields(Fields& f);
};

/// The table `data`.
struct StressDataOptions {
  std::string store;
  std::string layers = "last";
  std::optional<Size> train;
  std::optional<Size> evaluation;

  void fields(Fields& f);
};

/// One setting of the texts: what trials of the same data share.
struct StressCase {
  StressMode mode = StressMode::matched;
  StressEncoder encoder = StressEncoder::synthetic;
  double ratio = 0;
  Size seed = 0;
  friend bool operator==(const StressCase&, const StressCase&) = default;
};

struct StressTrial {
  StressCase setting;
  ReadoutPlan plan;
  bool control = false;  ///< `length-only` or `bag-of-words`: nothing is trained
  std::string graph = "none";

  /// readout, graph, mode, encoder, ratio, seed.
  [[nodiscard]] Value axes() const;
};

/// A resolved configuration of the stress test, read.
struct StressPlan {
  StressRunOptions options;
  StressDataOptions data;
  std::vector<StressTrial> trials;  ///< the dilution table, then the structure test

  /// Throws ConfigError or ValueError.
  [[nodiscard]] static StressPlan read(const Value& resolved);
};

/// Every option filled in, the options of each readout among them; a table `readout` gives options to every
/// readout that has them, a table of a readout's name to that one. Throws ConfigError or ValueError.
[[nodiscard]] Value resolve_stress(const Value& given);

[[nodiscard]] std::vector<FieldDescription> describe_stress_options();

/// The epochs a trial will take.
[[nodiscard]] Size planned_epochs(const StressTrial& trial, const StressRunOptions& options);

/// The rows of every table that read no states.
inline constexpr std::array<std::string_view, 2> stress_controls{"length-only", "bag-of-words"};

}  // namespace tarn
