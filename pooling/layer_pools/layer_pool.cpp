#include "tarn/pooling/layer_pools/layer_pool.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/slice.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

namespace tarn {

std::vector<Size> HistoryOptions::widths(std::string_view owner) const {
  check_options(*this, owner);
  const std::vector<Size>& given = in_channels.values;
  if (!in_channels.each) return std::vector<Size>(static_cast<std::size_t>(layers), given.front());
  if (static_cast<Size>(given.size()) != layers) {
    throw ConfigError(
        fmt::format("{}.in_channels: got {} widths; expected {} (layers)", owner, given.size(), layers));
  }
  return given;
}

void require_equal_widths(std::string_view owner, std::span<const Size> widths, std::string_view why) {
  if (std::ranges::adjacent_find(widths, std::not_equal_to<>()) == widths.end()) return;
  throw ConfigError(
      fmt::format("{}.in_channels: got [{}]{}; expected equal widths", owner, fmt::join(widths, ", "), why));
}

inline namespace TARN_PRECISION {

std::unique_ptr<LayerPool> make_layer_pool(std::string_view name, std::span<const Size> widths,
                                           Value options) {
  options.set("layers", static_cast<Size>(widths.size()));
  const bool equal = std::adjacent_find(widths.begin(), widths.end(), std::not_equal_to<>()) == widths.end();
  options.set("in_channels", equal && !widths.empty() ? Value(widths.front())
                                                      : Value(Value::List(widths.begin(), widths.end())));
  return layer_pools().make(name, options);
}

void require_history(const char* where, const HistoryInput& in, std::span<const Size> widths) {
  if (in.layers.size() != widths.size()) {
    throw ShapeError(fmt::format("{}: the history has {} layers; expected {} (layers)", where,
                                 in.layers.size(), widths.size()));
  }
  for (std::size_t l = 0; l < widths.size(); ++l) {
    const Shape& shape = in.layers[l].shape();
    if (shape == Shape{in.sets.num_rows(), widths[l]}) continue;
    throw ShapeError(fmt::format("{}: layer {} of the history is {}; expected [{}, {}] (nodes, in_channels)",
                                 where, l, shape.text(), in.sets.num_rows(), widths[l]));
  }
}

std::vector<Var> history_layers(Var history) {
  const Shape& shape = history.shape();
  if (shape.rank() != 3) {
    throw ShapeError(fmt::format("history: shape is {}; expected [N, L, D]", shape.text()));
  }
  const Size layers = shape[1], width = shape[2];
  const Var flat = reshape(history, {shape[0], layers * width});
  std::vector<Var> result;
  for (Size l = 0; l < layers; ++l) result.push_back(slice_columns(flat, l * width, (l + 1) * width));
  return result;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
