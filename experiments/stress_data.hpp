#pragma once

#include "tarn/datasets/synthetic_encoder.hpp"
#include "tarn/datasets/text_controls.hpp"
#include "tarn/experiments/stress_options.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tarn {

/// The texts of a setting, before they are encoded.
struct StressTexts {
  std::vector<StressText> train;
  std::vector<StressText> evaluation;
};
/// Generated and cut to `seq_len` tokens.
[[nodiscard]] StressTexts make_stress_texts(const StressPlan& plan, const StressCase& setting);

/// The store of a setting: the path with {mode}, {ratio} and {seed} filled in.
[[nodiscard]] std::filesystem::path stress_store_path(const StressPlan& plan, const StressCase& setting);

inline namespace TARN_PRECISION {

[[nodiscard]] SyntheticEncoder make_stress_encoder(const StressRunOptions& options, StressEncoder encoder);

/// States and labels of one setting, with its tokens for the controls. Immutable.
class StressData {
 public:
  /// Generates and encodes texts, or opens the store. Throws what these throw; DataError for a label that is
  /// not 0 or 1.
  [[nodiscard]] static std::shared_ptr<const StressData> load(const StressPlan& plan,
                                                              const StressCase& setting);

  [[nodiscard]] TextTrialData trial_data() const;
  /// Accuracy of a control on the evaluation texts.
  [[nodiscard]] double control(std::string_view name) const;

 private:
  static std::shared_ptr<StressData> encode(const StressPlan& plan, const StressCase& setting);
  static std::shared_ptr<StressData> open(const StressPlan& plan, const StressCase& setting);

  EncodedTexts encoded_train_, encoded_evaluation_;  // unless they lie in a store
  std::unique_ptr<Texts> train_, evaluation_;
  TextRows rows_;
  TokenTexts train_tokens_, evaluation_tokens_;
  std::string layers_ = "last";
};

/// Hands out the data of settings: loaded when the first trial asks, freed after the last one.
class StressDataPool {
 public:
  /// `trials` names the trials that will ask, each once.
  StressDataPool(const StressPlan& plan, const std::vector<std::size_t>& trials);

  /// Other threads that ask for the same setting wait until it is loaded.
  [[nodiscard]] std::shared_ptr<const StressData> get(const StressCase& setting);

 private:
  struct Entry {
    StressCase setting;
    Size requests = 0;  ///< still to come
    std::mutex mutex{};
    std::shared_ptr<const StressData> data{};
  };
  const StressPlan& plan_;
  std::vector<std::unique_ptr<Entry>> entries_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
