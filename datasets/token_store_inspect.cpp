#include "tarn/core/errors.hpp"
#include "tarn/datasets/token_source.hpp"
#include "tarn/datasets/token_store_tools.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <numeric>

namespace tarn {

namespace {

using Out = std::back_insert_iterator<std::string>;

void print_info(Out out, const std::filesystem::path& path, const StoreInfo& info) {
  fmt::format_to(out, "{}: token store\n", path.string());
  const auto line = [&out](std::string_view name, const auto& value) {
    fmt::format_to(out, "  {:<16}{}\n", name, value);
  };
  line("model", info.model);
  line("revision", info.revision);
  line("exporter", info.exporter);
  line("created", info.created);
  line("task", info.task);
  line("hidden_size", info.hidden_size);
  line("layers", fmt::format("{}", fmt::join(info.layers, ", ")));
  line("dtype", state_type_name(info.dtype));
  line("causal", info.causal ? 1 : 0);
  line("max_length", info.max_length);
  line("special_tokens", info.special_tokens ? 1 : 0);
  line("prefix", info.prefix);
  line("label_type", label_type_name(info.label_type));
  line("num_classes", info.num_classes);
  line("class_names", fmt::format("{}", fmt::join(info.class_names, ", ")));
  line("num_texts", info.num_texts);
  line("config", info.config);
}

void print_labels(Out out, const TokenSplit& split, LabelType type) {
  if (type == LabelType::none || split.rows() == 0) return;
  std::map<Size, Size> counts;
  double low = INFINITY, high = -INFINITY, sum = 0;
  Size labelled = 0;
  for (Size row = 0; row < split.rows(); ++row) {
    const double label = split.label(row);
    if (type == LabelType::classes) {
      ++counts[static_cast<Size>(label)];
    } else if (!std::isnan(label)) {
      low = std::min(low, label);
      high = std::max(high, label);
      sum += label;
      ++labelled;
    }
  }
  for (const auto& [label, count] : counts) fmt::format_to(out, "    label {}: {} rows\n", label, count);
  if (labelled > 0) {
    fmt::format_to(out, "    labels: {} rows, {:.4g} to {:.4g}, mean {:.4g}\n", labelled, low, high,
                   sum / static_cast<double>(labelled));
  }
}

void print_text(Out out, const TokenSplit& split, const detail::TextData& data, Size text) {
  Size shortest = split.rows() > 0 ? split.length(0, text) : 0, longest = 0;
  for (Size row = 0; row < split.rows(); ++row) {
    shortest = std::min(shortest, split.length(row, text));
    longest = std::max(longest, split.length(row, text));
  }
  const auto rows = static_cast<double>(std::max<Size>(split.rows(), 1));
  Size cut = 0;
  if (data.group.has("truncated")) {
    for (const std::uint8_t t : data.group.dataset("truncated").read<std::uint8_t>({0}, {split.rows()}))
      cut += t != 0;
  }
  fmt::format_to(out, "    {}: {} tokens; a text has {} to {}, mean {:.1f}; truncated {:.1f} %; {} bytes\n",
                 detail::text_name(text), split.num_tokens(text), shortest, longest,
                 static_cast<double>(split.num_tokens(text)) / rows, 100 * static_cast<double>(cut) / rows,
                 data.group.dataset("hidden").stored_bytes());
}

void print_rows(Out out, const TokenSplit& split, Size count) {
  for (Size row = 0; row < std::min(count, split.rows()); ++row) {
    for (Size text = 0; text < split.num_texts(); ++text) {
      fmt::format_to(out, "    row {} {}: {}\n      tokens: {}\n", row, detail::text_name(text),
                     split.text(row, text), fmt::join(split.tokens(row, text), " "));
    }
  }
}

/// Collects broken rules; each check stops at the first break.
class Verifier {
 public:
  explicit Verifier(std::vector<std::string>& violations) : violations_(violations) {}

  void verify(const TokenSplit& split, const detail::SplitData& data) {
    for (Size text = 0; text < split.num_texts(); ++text) {
      const auto& parts = data.texts[static_cast<std::size_t>(text)];
      guard([&]() { require_length(parts.group, "token_ids", split.num_tokens(text)); });
      guard([&]() { require_length(parts.group, "flags", split.num_tokens(text)); });
      guard([&]() { require_length(parts.group, "truncated", split.rows()); });
      guard([&]() { require_length(parts.group, "text", split.rows()); });
      guard([&]() { read_states(split, text); });
      guard([&]() { require_known_tokens(parts, split.num_tokens(text), *data.store); });
    }
    guard([&]() { require_unique_ids(split, data); });
  }

  void verify_vocabulary(const detail::StoreFile& store) {
    guard([&]() {
      const auto& ids = store.vocabulary_ids;
      if (std::adjacent_find(ids.begin(), ids.end(), std::greater_equal<>()) != ids.end()) {
        throw DataError(fmt::format("{}:/vocabulary/ids: do not ascend; expected each id once, in order",
                                    store.shared->path.string()));
      }
    });
  }

 private:
  template <class Check>
  void guard(Check check) {
    try {
      check();
    } catch (const Error& error) {
      violations_.emplace_back(error.what());
    }
  }

  static void require_length(const h5::Group& group, const std::string& name, Size length) {
    if (!group.has(name)) return;
    const Shape shape = group.dataset(name).shape();
    if (shape.rank() == 1 && shape[0] >= length) return;
    throw DataError(
        fmt::format("{}/{}: has shape {}; expected at least {}", group.where(), name, shape.text(), length));
  }

  static void read_states(const TokenSplit& split, Size text) {
    constexpr Size tokens_at_once = 8192;
    std::vector<Size> rows;
    Size tokens = 0;
    for (Size row = 0; row < split.rows(); ++row) {
      rows.push_back(row);
      tokens += split.length(row, text);
      if (tokens < tokens_at_once && row + 1 < split.rows()) continue;
      static_cast<void>(split.read(rows, text, LayerSelection::all()));
      rows.clear();
      tokens = 0;
    }
  }

  static void require_known_tokens(const detail::TextData& data, Size num_tokens,
                                   const detail::StoreFile& store) {
    if (store.vocabulary_ids.empty() || !data.group.has("token_ids")) return;
    const h5::Dataset ids = data.group.dataset("token_ids");
    const auto& known = store.vocabulary_ids;
    constexpr Size step = 65536;
    for (Size begin = 0; begin < num_tokens; begin += step) {
      const auto block = ids.read<std::int32_t>({begin}, {std::min(step, num_tokens - begin)});
      for (std::size_t i = 0; i < block.size(); ++i) {
        if (block[i] == -1 || std::binary_search(known.begin(), known.end(), block[i])) continue;
        throw DataError(fmt::format("{}: token {} has id {}; expected an id of the vocabulary, or -1",
                                    ids.where(), begin + static_cast<Size>(i), block[i]));
      }
    }
  }

  static void require_unique_ids(const TokenSplit& split, const detail::SplitData& data) {
    std::vector<std::int64_t> ids = data.ids;
    std::sort(ids.begin(), ids.end());
    const auto twice = std::adjacent_find(ids.begin(), ids.end());
    if (twice == ids.end()) return;
    throw DataError(fmt::format("{}:/{}/ids: {} stands twice; expected ids that are unique in the split",
                                data.store->shared->path.string(), split.name(), *twice));
  }

  std::vector<std::string>& violations_;
};

}  // namespace

StoreReport inspect_store(const std::filesystem::path& path, Size show_rows) {
  StoreReport report;
  const Out out = std::back_inserter(report.text);
  try {
    StoreOptions options{.cache_mb = 0, .sequential = true};
    options.warn = [&](const std::string& line) { fmt::format_to(out, "warning: {}\n", line); };
    const auto data = detail::open_store(path, options);
    const TokenStore store = TokenStore(data);
    print_info(out, path, store.info());
    Verifier verifier(report.violations);
    verifier.verify_vocabulary(*data);
    for (const auto& [name, split_data] : data->splits) {
      const TokenSplit split = store.split(name);
      verifier.verify(split, *split_data);
      fmt::format_to(out, "  split {}: {} rows, {}\n", name, split.rows(),
                     split.complete() ? "complete" : "interrupted");
      for (Size text = 0; text < split.num_texts(); ++text) {
        print_text(out, split, split_data->texts[static_cast<std::size_t>(text)], text);
      }
      print_labels(out, split, store.info().label_type);
      print_rows(out, split, show_rows);
    }
  } catch (const DataError& error) {
    report.violations.emplace_back(error.what());
  }
  for (const std::string& line : report.violations) fmt::format_to(out, "broken: {}\n", line);
  if (report.violations.empty()) fmt::format_to(out, "every rule holds\n");
  return report;
}

}  // namespace tarn
