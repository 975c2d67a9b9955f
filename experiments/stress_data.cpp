#include "tarn/experiments/stress_data.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

namespace {

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
}

std::vector<StressText> make_split(const StressPlan& plan, const StressCase& setting, const char* split,
                                   Size count) {
  const StressRunOptions& o = plan.options;
  std::vector<StressText> texts = generate_stress_texts({.mode = setting.mode,
                                                         .num_samples = count,
                                                         .seq_len = o.seq_len,
                                                         .ratio = setting.ratio,
                                                         .position = o.position,
                                                         .distance = o.distance,
                                                         .seed = setting.seed,
                                                         .split = split});
  truncate_stress_texts(texts, o.seq_len);
  return texts;
}

std::vector<double> labels_of(const std::vector<StressText>& texts) {
  std::vector<double> labels;
  for (const StressText& text : texts) labels.push_back(static_cast<double>(text.label));
  return labels;
}

}  // namespace

StressTexts make_stress_texts(const StressPlan& plan, const StressCase& setting) {
  return {make_split(plan, setting, "train", *plan.data.train),
          make_split(plan, setting, "validation", *plan.data.evaluation)};
}

std::filesystem::path stress_store_path(const StressPlan& plan, const StressCase& setting) {
  std::string path = plan.data.store;
  replace_all(path, "{mode}", std::string(enum_names(setting.mode)[static_cast<std::size_t>(setting.mode)]));
  replace_all(path, "{ratio}", fmt::format("{}", setting.ratio));
  replace_all(path, "{seed}", fmt::format("{}", setting.seed));
  return path;
}

inline namespace TARN_PRECISION {

namespace {

/// Tokens and labels of the rows of a split. Throws DataError where the split has fewer rows than asked for.
TokenTexts read_tokens(const TokenSplit& split, std::span<const Size> rows, std::span<const double> labels) {
  TokenTexts texts;
  std::vector<Size> offsets{0};
  for (const Size row : rows) {
    const std::vector<std::int32_t> ids = split.token_ids(row);
    texts.ids.insert(texts.ids.end(), ids.begin(), ids.end());
    if (ids.empty())
      texts.ids.insert(texts.ids.end(), static_cast<std::size_t>(split.length(row)), NodeId{-1});
    offsets.push_back(static_cast<Size>(texts.ids.size()));
  }
  texts.labels.assign(labels.begin(), labels.end());
  texts.sets = Segments(std::move(offsets));
  return texts;
}

std::vector<Size> asked_rows(const TokenSplit& split, std::optional<Size> count, const std::string& where) {
  if (count.value_or(0) > split.rows()) {
    throw DataError(fmt::format("{}: has {} rows; expected {} or more", where, split.rows(), *count));
  }
  return first_rows(count.value_or(split.rows()));
}

}  // namespace

SyntheticEncoder make_stress_encoder(const StressRunOptions& options, StressEncoder encoder) {
  return SyntheticEncoder(
      {.encoder = encoder == StressEncoder::raw ? SyntheticStates::raw : SyntheticStates::synthetic,
       .seed = options.encoder_seed});
}

std::shared_ptr<const StressData> StressData::load(const StressPlan& plan, const StressCase& setting) {
  return setting.encoder == StressEncoder::store ? open(plan, setting) : encode(plan, setting);
}

std::shared_ptr<StressData> StressData::encode(const StressPlan& plan, const StressCase& setting) {
  auto data = std::make_shared<StressData>();
  const StressTexts texts = make_stress_texts(plan, setting);
  const SyntheticEncoder encoder = make_stress_encoder(plan.options, setting.encoder);
  const auto fill = [&](const std::vector<StressText>& from, EncodedTexts& encoded,
                        std::unique_ptr<Texts>& into, TokenTexts& tokens, std::vector<Size>& rows) {
    encoded = encoder.encode_all(from);
    into = std::make_unique<MemoryTexts>(std::vector<MemoryTexts::Side>{{encoded.x.matrix(), encoded.sets}},
                                         labels_of(from));
    tokens = token_texts(from);
    rows = first_rows(static_cast<Size>(from.size()));
  };
  fill(texts.train, data->encoded_train_, data->train_, data->train_tokens_, data->rows_.train);
  fill(texts.evaluation, data->encoded_evaluation_, data->evaluation_, data->evaluation_tokens_,
       data->rows_.evaluation);
  return data;
}

std::shared_ptr<StressData> StressData::open(const StressPlan& plan, const StressCase& setting) {
  auto data = std::make_shared<StressData>();
  const std::filesystem::path path = stress_store_path(plan, setting);
  const TokenStore store = TokenStore::open(path);
  const auto fill = [&](const char* name, std::optional<Size> count, std::unique_ptr<Texts>& into,
                        TokenTexts& tokens, std::vector<Size>& rows) {
    const TokenSplit split = store.split(name);
    const std::string where = fmt::format("{}/{}", path.string(), name);
    into = std::make_unique<StoreTexts>(split, LayerSelection::parse(plan.data.layers));
    rows = asked_rows(split, count, where);
    tokens = read_tokens(split, rows, class_labels(*into, rows, 2, where));
  };
  fill("train", plan.data.train, data->train_, data->train_tokens_, data->rows_.train);
  fill("validation", plan.data.evaluation, data->evaluation_, data->evaluation_tokens_,
       data->rows_.evaluation);
  data->layers_ = plan.data.layers;
  return data;
}

TextTrialData StressData::trial_data() const {
  return {*train_, *evaluation_, rows_, {.dim = train_->dim()}, layers_};
}

double StressData::control(std::string_view name) const {
  return name == stress_controls[0] ? length_only_accuracy(train_tokens_, evaluation_tokens_)
                                    : bag_of_words_accuracy(train_tokens_, evaluation_tokens_);
}

StressDataPool::StressDataPool(const StressPlan& plan, const std::vector<std::size_t>& trials) : plan_(plan) {
  for (const std::size_t trial : trials) {
    const StressCase& setting = plan.trials[trial].setting;
    auto entry =
        std::find_if(entries_.begin(), entries_.end(), [&](const auto& e) { return e->setting == setting; });
    if (entry == entries_.end()) {
      entry = entries_.insert(entries_.end(), std::make_unique<Entry>());
      (*entry)->setting = setting;
    }
    ++(*entry)->requests;
  }
}

std::shared_ptr<const StressData> StressDataPool::get(const StressCase& setting) {
  Entry& entry =
      **std::find_if(entries_.begin(), entries_.end(), [&](const auto& e) { return e->setting == setting; });
  const std::scoped_lock lock(entry.mutex);
  std::shared_ptr<const StressData> data = entry.data ? entry.data : StressData::load(plan_, setting);
  entry.data = --entry.requests > 0 ? data : nullptr;
  return data;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
