#include "tarn/core/errors.hpp"
#include "tarn/datasets/history/history_layout.hpp"
#include "tarn/datasets/history/history_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

constexpr Size chunk_bytes = Size{1} << 20;

void require_finite(std::span<const ConstMatrixView> layers, const Segments& sets, Size first_graph) {
  for (std::size_t l = 0; l < layers.size(); ++l) {
    for (Size v = 0; v < layers[l].rows; ++v) {
      for (const Real x : layers[l].row_span(v)) {
        if (std::isfinite(x)) continue;
        const Size set = sets.owner(v);
        throw ValueError(
            fmt::format("history: node {} of graph {}, layer {} holds {}; expected finite numbers",
                        v - sets.rows(set).begin, first_graph + set, l, x));
      }
    }
  }
}

void require_layers(std::span<const ConstMatrixView> layers, std::span<const Size> widths, Size nodes) {
  bool fits = layers.size() == widths.size();
  for (std::size_t l = 0; fits && l < widths.size(); ++l) {
    fits = layers[l].cols == widths[l] && layers[l].rows == nodes;
  }
  if (fits) return;
  throw ShapeError(
      fmt::format("history: {} layers that do not fit; expected {} over {} nodes, of the widths that the "
                  "file was made for",
                  layers.size(), widths.size(), nodes));
}

}  // namespace

inline namespace TARN_PRECISION {

HistoryWriter::HistoryWriter(h5::File& file, std::span<const Size> widths, std::string_view source)
    : file_(file), widths_(widths.begin(), widths.end()) {
  const HistoryLayout layout(widths_);
  file.set_attribute("format", history_format);
  file.set_attribute("version", history_version);
  file.set_attribute("source", source);
  const std::vector<std::int64_t> list(widths.begin(), widths.end());
  file.set_attribute("widths", std::span<const std::int64_t>(list));
  for (const HistoryLayout::Part& part : layout.parts()) {
    const Size row_bytes = part.shape(1).count() * static_cast<Size>(sizeof(Real));
    const Shape chunk = part.shape(std::max<Size>(1, chunk_bytes / std::max<Size>(row_bytes, 1)));
    data_.push_back(file.create_dataset(part.name, h5::TypeOf<Real>::value, part.shape(0),
                                        {.chunk = {chunk.extents().begin(), chunk.extents().end()}}));
  }
}

void HistoryWriter::append(std::span<const ConstMatrixView> layers, const Segments& sets) {
  const Size nodes = sets.num_rows();
  require_layers(layers, widths_, nodes);
  require_finite(layers, sets, static_cast<Size>(offsets_.size()) - 1);
  const HistoryLayout layout(widths_);
  const Size before = offsets_.back();
  for (std::size_t p = 0; p < data_.size(); ++p) {
    const HistoryLayout::Part& part = layout.parts()[p];
    packed_.resize(static_cast<std::size_t>(part.shape(nodes).count()));
    auto out = packed_.begin();
    for (Size v = 0; v < nodes; ++v) {
      for (std::size_t l = part.first_layer; l < part.first_layer + part.num_layers; ++l) {
        out = std::copy_n(layers[l].row(v), layers[l].cols, out);
      }
    }
    data_[p].resize(before + nodes);
    data_[p].write(part.start(before), part.shape(nodes), std::span<const Real>(packed_));
  }
  for (Size b = 0; b < sets.count(); ++b) offsets_.push_back(before + sets.rows(b).end);
}

void HistoryWriter::finish() {
  file_.write("offsets", offsets_);
}

void write_history(const std::filesystem::path& path, Backbone& backbone, std::string_view source,
                   FunctionRef<std::optional<BackboneInput>(Tape&)> next) {
  h5::write_atomically(path, [&](h5::File& file) {
    HistoryWriter writer(file, backbone.widths(), source);
    Tape tape;
    tape.reset();
    while (const std::optional<BackboneInput> in = next(tape)) {
      std::vector<ConstMatrixView> layers;
      for (const Var& h : backbone.forward(tape, *in)) layers.push_back(h.value());
      writer.append(layers, in->sets);
      tape.reset();
    }
    writer.finish();
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
