#pragma once

#include "tarn/core/h5.hpp"
#include "tarn/core/rng.hpp"
#include "tarn/datasets/token_store.hpp"
#include "tarn/datasets/token_store_writer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

/// A folder that disappears with the test.
class StoreFolder {
 public:
  StoreFolder()
      : path_(std::filesystem::temp_directory_path() / fmt::format("tarn_store_test_{}", ::getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~StoreFolder() { std::filesystem::remove_all(path_); }
  StoreFolder(const StoreFolder&) = delete;
  StoreFolder& operator=(const StoreFolder&) = delete;
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// State of layer s, channel d of a token counted over the whole text group: exact in every stored type.
inline double store_state(tarn::Size token, tarn::Size layer, tarn::Size channel) {
  return static_cast<double>((token * 7 + layer * 3 + channel * 5) % 64 - 32) / 8;
}

struct StoreSpec {
  tarn::StateType dtype = tarn::StateType::f16;
  tarn::Size hidden_size = 8;
  std::vector<tarn::Size> layers{6};
  tarn::Size num_texts = 1;
  std::vector<tarn::Size> lengths{3, 0, 1, 600, 2};
};

/// A store with split `train`: row r has lengths[r] tokens in every text (one more in b), label r % 3, id 10
/// r.
inline void write_store(const std::filesystem::path& path, const StoreSpec& spec = {}) {
  using namespace tarn;
  TokenStoreWriter writer(path, {.model = "test",
                                 .hidden_size = spec.hidden_size,
                                 .layers = spec.layers,
                                 .dtype = spec.dtype,
                                 .label_type = LabelType::classes,
                                 .num_classes = 3,
                                 .num_texts = spec.num_texts});
  const auto num_layers = static_cast<Size>(spec.layers.size());
  writer.begin_split("train");
  std::vector<Size> next(static_cast<std::size_t>(spec.num_texts), 0);
  for (std::size_t row = 0; row < spec.lengths.size(); ++row) {
    std::vector<Tensor> states;
    std::vector<std::vector<std::int32_t>> ids;
    for (std::size_t t = 0; t < next.size(); ++t) {
      const Size n = spec.lengths[row] + static_cast<Size>(t);
      Tensor x(Shape{n, num_layers * spec.hidden_size});
      for (Size i = 0; i < n; ++i) {
        for (Size j = 0; j < x.shape()[1]; ++j) {
          x.matrix()(i, j) =
              static_cast<Real>(store_state(next[t] + i, j / spec.hidden_size, j % spec.hidden_size));
        }
      }
      ids.emplace_back(static_cast<std::size_t>(n), static_cast<std::int32_t>(row));
      next[t] += n;
      states.push_back(std::move(x));
    }
    std::vector<TokenText> texts;
    for (std::size_t t = 0; t < next.size(); ++t) {
      texts.push_back({.states = states[t].matrix(),
                       .token_ids = ids[t],
                       .flags = {},
                       .text = fmt::format("text {}", row)});
    }
    writer.append(texts, static_cast<double>(row % 3), static_cast<std::int64_t>(row) * 10);
  }
  std::vector<std::int32_t> vocabulary(spec.lengths.size());
  std::iota(vocabulary.begin(), vocabulary.end(), 0);
  std::vector<std::string> tokens;
  for (const std::int32_t id : vocabulary) tokens.push_back(fmt::format("w{}", id));
  writer.set_vocabulary(vocabulary, tokens);
  writer.finish();
}
