#pragma once

#include "tarn/core/files.hpp"
#include "tarn/core/rng.hpp"
#include "tarn/experiments/json.hpp"
#include "tarn/experiments/trials.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

namespace tarn_tests {

/// A folder that disappears with the test.
class Folder {
 public:
  explicit Folder(const std::string& name)
      : path_(std::filesystem::temp_directory_path() / fmt::format("tarn_{}_{}", name, ::getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// Chance of a right answer at a ratio: mean and max drown, adapool and glot do not.
inline double skill(const std::string& readout, double ratio) {
  if (readout == "glot") return 1.0 - 0.01 * ratio;
  if (readout == "adapool") return 0.99 - 0.02 * ratio;
  if (readout == "mean") return 0.86 - 0.2 * ratio;
  if (readout == "max <&>") return 0.82 - 0.17 * ratio;
  return 0.5;
}

struct FakeTrial {
  std::string readout, graph, mode, encoder;
  double ratio;
  tarn::Size seed;
  bool learned;
};

inline tarn::Value axes_of(const FakeTrial& t) {
  tarn::Value v;
  v.set("readout", t.readout);
  v.set("graph", t.graph);
  v.set("mode", t.mode);
  v.set("encoder", t.encoder);
  v.set("ratio", t.ratio);
  v.set("seed", t.seed);
  return v;
}

/// Which of 500 evaluation items the trial gets right, then its metrics and its epochs.
inline void add_trial(const FakeTrial& t, double chance, tarn::Value::List& trials, std::string& epochs) {
  using tarn::Size;
  const tarn::Rng rng = tarn::Rng(5)
                            .split(t.readout + t.graph + t.mode)
                            .split(static_cast<std::uint64_t>(t.seed * 1000 + std::lround(100 * t.ratio)));
  std::vector<Size> predictions(500), labels(500, 1);
  Size right = 0;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    predictions[i] = rng.uniform(i) < chance ? 1 : 0;
    right += predictions[i];
  }
  const double accuracy = static_cast<double>(right) / 500;
  const Size num_epochs = t.learned ? 10 : 200;
  for (Size e = 1; e <= num_epochs; e += t.learned ? 1 : 10) {
    tarn::Value line = axes_of(t);
    line.set("epoch", e);
    line.set("steps", 63 * e);
    line.set("loss", 0.7 * std::exp(-0.3 * static_cast<double>(e)));
    line.set("accuracy", 0.5 + (accuracy - 0.5) * (1 - std::exp(-0.6 * static_cast<double>(e))));
    epochs += tarn::to_json(line) + "\n";
  }
  tarn::Value trial = axes_of(t);
  trial.set("accuracy", accuracy);
  trial.set("best_accuracy", std::min(1.0, accuracy + 0.01));
  trial.set("epochs_to_97", accuracy > 0.97 ? tarn::Value(Size{3}) : tarn::Value());
  trial.set("steps", 63 * num_epochs);
  trial.set("seconds", 1.25 + 0.1 * static_cast<double>(t.seed));
  trial.set("parameters", t.learned ? Size{31234} : Size{130});
  trial.set("correct", tarn::pack_correct(predictions, labels));
  trials.push_back(std::move(trial));
}

inline tarn::Value fake_sample() {
  const std::vector<std::string> clause = {"the", "folder", "includes", "never", "keys"};
  const std::vector<std::string> noise = {"of", "search", "information", "pm", "their", "business"};
  tarn::Value::List tokens = {"[CLS]"}, needle, pooled, cosine;
  tarn::Value::List glot, adapool;
  const tarn::Rng rng(9);
  for (std::size_t i = 0; i < 58; ++i) {
    const bool in_clause = i >= 20 && i < 25;
    if (in_clause) needle.push_back(static_cast<tarn::Size>(tokens.size()));
    tokens.push_back(in_clause ? clause[i - 20] : noise[static_cast<std::size_t>(rng.below(6, i))]);
  }
  tokens.push_back("<sep>");
  const std::size_t n = tokens.size();
  for (const char* name : {"[MEAN]", "[MAX]", "glot"}) {
    pooled.push_back(static_cast<tarn::Size>(tokens.size()));
    tokens.push_back(name);
  }
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    tarn::Value::List row;
    for (std::size_t j = 0; j < tokens.size(); ++j) {
      const double distance = std::abs(static_cast<double>(i) - static_cast<double>(j));
      row.push_back(i == j ? 1.0 : 0.15 + 0.6 * std::exp(-distance / 4) + 0.1 * rng.uniform(200 + i * j));
    }
    cosine.push_back(std::move(row));
    const bool marked = i >= 21 && i < 26;
    glot.push_back(i >= n ? 0.0 : marked ? 0.15 : 0.004);
    adapool.push_back(i >= n ? 0.0 : marked ? 0.06 : 0.012);
  }
  tarn::Value sample;
  sample.set("title", "matched, ratio 0.5");
  sample.set("tokens", tokens);
  sample.set("needle", needle);
  sample.set("pooled", pooled);
  sample.set("cosine", cosine);
  sample.set("weights", tarn::Value::Table{{"glot", glot}, {"adapool", adapool}});
  return sample;
}

/// A stress run of five readouts, four ratios and three seeds, and its structure test.
inline void write_fake_run(const std::filesystem::path& directory) {
  std::filesystem::create_directories(directory);
  tarn::Value::List trials;
  std::string epochs;
  for (const double ratio : {0.2, 0.5, 0.8, 0.9}) {
    for (const std::string readout : {"glot", "adapool", "mean", "max <&>", "length-only"}) {
      for (tarn::Size seed = 0; seed < 3; ++seed) {
        const bool learned = readout == "glot" || readout == "adapool";
        add_trial({readout, readout == "glot" ? "cosine-threshold" : "", "matched", "synthetic", ratio, seed,
                   learned},
                  skill(readout, ratio), trials, epochs);
      }
    }
  }
  for (tarn::Size seed = 0; seed < 3; ++seed) {
    add_trial({"glot", "window", "relational", "raw", 0.9, seed, true}, 1, trials, epochs);
    add_trial({"glot", "cosine-threshold", "relational", "raw", 0.9, seed, true}, 0.5, trials, epochs);
    add_trial({"adapool", "", "relational", "raw", 0.9, seed, true}, 0.5, trials, epochs);
  }
  tarn::Value results;
  results.set("trials", trials);
  results.set("notes", tarn::Value::List{"On these texts dilution hurts fixed readouts badly."});
  results.set("warnings",
              tarn::Value::List{"The encoder is synthetic: accuracy < 100 % says nothing about language."});
  results.set("environment",
              tarn::Value::Table{{"version", "0.1.0"}, {"precision", "float"}, {"threads", 2}});
  results.set("finished", true);
  tarn::write_file_atomically(directory / "results.json", tarn::to_json(results, 1));
  tarn::write_file_atomically(directory / "metrics.jsonl", epochs);
  tarn::write_file_atomically(directory / "config.toml",
                              "experiment = \"stress\"\nratios = [0.2, 0.5, 0.8, 0.9]\n");
  tarn::write_file_atomically(directory / "sample.json", tarn::to_json(fake_sample()));
}

}  // namespace tarn_tests
