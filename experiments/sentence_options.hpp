#pragma once

#include "tarn/experiments/text_trial.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace tarn {

/// `tokens` classifies texts or pairs; `sts` scores how alike the texts of a pair are.
enum class SentenceTask { tokens, sts };
inline std::span<const std::string_view> enum_names(SentenceTask) {
  static constexpr std::array<std::string_view, 2> names{"tokens", "sts"};
  return names;
}

enum class SentenceMetric { automatic, accuracy, mcc, f1, macro_f1 };
inline std::span<const std::string_view> enum_names(SentenceMetric) {
  static constexpr std::array<std::string_view, 5> names{"auto", "accuracy", "mcc", "f1", "macro_f1"};
  return names;
}

enum class EpochSelection { last, train_split };
inline std::span<const std::string_view> enum_names(EpochSelection) {
  static constexpr std::array<std::string_view, 2> names{"last", "train-split"};
  return names;
}

enum class LabelScale { unit, symmetric, raw };
inline std::span<const std::string_view> enum_names(LabelScale) {
  static constexpr std::array<std::string_view, 3> names{"0_1", "-1_1", "raw"};
  return names;
}

/// Options of `tarn run tokens` and `tarn run sts` that are no tables. What is not set takes the protocol's
/// value.
struct SentenceOptions {
  SentenceTask task = SentenceTask::tokens;  ///< which of the two; no option of the user's
  TextProtocol protocol = TextProtocol::converged;
  std::vector<std::string> readouts{"mean", "max", "first", "last", "adapool", "glot"};
  std::vector<Size> seeds{0, 1, 2};
  std::optional<Size> epochs;
  std::optional<double> lr;
  Size batch = 32;
  double weight_decay = 0;
  EpochSelection select = EpochSelection::last;
  Size graph_cache_mb = 512;
  ProductPrecision products = ProductPrecision::full;
  // tokens
  std::optional<Size> head_epochs;
  FixedHead head = FixedHead::linear;
  double logistic_l2 = 1e-3;
  SentenceMetric metric = SentenceMetric::automatic;
  // sts
  LabelScale label_scale = LabelScale::unit;

  void fields(Fields& f);
};
struct TokensOptions : SentenceOptions {
  TokensOptions() { task = SentenceTask::tokens; }
};
struct StsOptions : SentenceOptions {
  StsOptions() { task = SentenceTask::sts; }
};

/// The table `data`.
struct SentenceDataOptions {
  std::string store;
  std::string layers = "last";
  std::string train_split = "train";
  std::string evaluation_split = "validation";
  std::optional<Size> train;
  std::optional<Size> evaluation;
  Size cache_mb = 1024;

  void fields(Fields& f);
};

struct SentenceTrial {
  ReadoutPlan plan;
  Size seed = 0;
  std::string graph = "none";

  /// readout, graph, task, seed.
  [[nodiscard]] Value axes(const std::string& task) const;
};

/// A resolved configuration, read.
struct SentencePlan {
  SentenceOptions options;
  SentenceDataOptions data;
  std::vector<SentenceTrial> trials;

  /// Throws ConfigError or ValueError.
  [[nodiscard]] static SentencePlan read(SentenceTask task, const Value& resolved);
};

/// Every option filled in, those of each readout among them. Throws ConfigError or ValueError.
[[nodiscard]] Value resolve_sentences(SentenceTask task, const Value& given);

[[nodiscard]] std::vector<FieldDescription> describe_sentence_options(SentenceTask task);

}  // namespace tarn
