#include "tarn/datasets/history/history_store.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/datasets/history/history_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

std::vector<Size> read_widths(const h5::File& file) {
  std::vector<Size> widths;
  for (const std::int64_t width : file.attribute_list<std::int64_t>("widths")) {
    if (width < 1)
      throw DataError(
          fmt::format("{}: attribute 'widths' holds {}; expected at least 1", file.where(), width));
    widths.push_back(width);
  }
  if (widths.empty())
    throw DataError(fmt::format("{}: attribute 'widths' is empty; expected one per layer", file.where()));
  return widths;
}

void require_format(const h5::File& file) {
  if (h5::format_of(file) != history_format) {
    throw DataError(fmt::format("{}: attribute 'format' is missing or another; expected '{}'", file.where(),
                                history_format));
  }
  const auto version = file.attribute<std::int64_t>("version");
  if (version != history_version) {
    throw DataError(fmt::format("{}: version {}; expected {}", file.where(), version, history_version));
  }
}

std::vector<Size> read_offsets(const h5::File& file) {
  const h5::Dataset data = file.dataset("offsets");
  const auto raw = data.read<std::int64_t>();
  const std::vector<Size> offsets(raw.begin(), raw.end());
  for (std::size_t g = 0; g < offsets.size(); ++g) {
    const Size least = g == 0 ? 0 : offsets[g - 1];
    if (g == 0 ? offsets[g] == 0 : offsets[g] >= least) continue;
    throw DataError(fmt::format("{}: entry {} is {}; expected offsets that start at 0 and never descend",
                                data.where(), g, offsets[g]));
  }
  if (offsets.empty())
    throw DataError(fmt::format("{}: no entries; expected one more than graphs", data.where()));
  return offsets;
}

}  // namespace

inline namespace TARN_PRECISION {

struct HistoryStore::Contents {
  h5::File file;
  HistoryInfo info;
  HistoryLayout layout;
  std::vector<Size> offsets;
  std::vector<h5::Dataset> data;
  std::vector<std::vector<Real>> kept;  // per part, all nodes; empty where it is not kept

  Contents(h5::File opened, std::vector<Size> widths)
      : file(std::move(opened)), info{.widths = std::move(widths)}, layout(info.widths) {}

  /// Rows begin .. end-1 of a part.
  void read_rows(std::size_t part, Rows rows, Real* out) const {
    const HistoryLayout::Part& p = layout.parts()[part];
    const Size count = rows.size() * p.row_size();
    if (count == 0) return;
    if (!kept.empty()) {
      std::copy_n(kept[part].data() + rows.begin * p.row_size(), count, out);
      return;
    }
    data[part].read_block(h5::TypeOf<Real>::value, p.start(rows.begin), p.shape(rows.size()),
                          std::as_writable_bytes(std::span(out, static_cast<std::size_t>(count))));
  }
  /// Runs of neighbouring graphs in one read; `out` takes all nodes of the graphs.
  void gather(std::size_t part, std::span<const Size> graphs, Real* out) const {
    for (std::size_t g = 0; g < graphs.size();) {
      std::size_t last = g;
      while (last + 1 < graphs.size() && graphs[last + 1] == graphs[last] + 1) ++last;
      const Rows rows{offsets[static_cast<std::size_t>(graphs[g])],
                      offsets[static_cast<std::size_t>(graphs[last]) + 1]};
      read_rows(part, rows, out);
      out += rows.size() * layout.parts()[part].row_size();
      g = last + 1;
    }
  }
  /// Names the first number of a batch that is not finite.
  void require_finite(std::span<const Size> graphs, const HistoryBatch& batch) const {
    for (std::size_t l = 0; l < batch.layers.size(); ++l) {
      for (Size v = 0; v < batch.layers[l].rows; ++v) {
        for (const Real x : batch.layers[l].row_span(v)) {
          if (std::isfinite(x)) continue;
          const Size set = batch.sets.owner(v);
          const Size node = offsets[static_cast<std::size_t>(graphs[static_cast<std::size_t>(set)])] + v -
                            batch.sets.rows(set).begin;
          throw DataError(fmt::format("{}: node {}, layer {} holds {}; expected finite numbers", file.where(),
                                      node, l, x));
        }
      }
    }
  }
};

HistoryStore HistoryStore::open(const std::filesystem::path& path, Size cache_bytes) {
  h5::File file = h5::File::open(path);
  require_format(file);
  std::vector<Size> widths = read_widths(file);
  const auto c = std::make_shared<Contents>(std::move(file), std::move(widths));
  c->info.source = c->file.has_attribute("source") ? c->file.attribute<std::string>("source") : "";
  c->offsets = read_offsets(c->file);
  c->info.graphs = static_cast<Size>(c->offsets.size()) - 1;
  c->info.nodes = c->offsets.back();
  for (const HistoryLayout::Part& part : c->layout.parts()) {
    c->data.push_back(c->file.dataset(part.name));
    const Shape shape = c->data.back().shape();
    if (shape == part.shape(c->info.nodes)) continue;
    throw DataError(fmt::format("{}: shape is {}; expected {}", c->data.back().where(), shape.text(),
                                part.shape(c->info.nodes).text()));
  }
  if (c->info.nodes * c->layout.row_size() * static_cast<Size>(sizeof(Real)) <= cache_bytes) {
    std::vector<std::vector<Real>> all;
    for (std::size_t p = 0; p < c->data.size(); ++p) {
      all.emplace_back(static_cast<std::size_t>(c->info.nodes * c->layout.parts()[p].row_size()));
      c->read_rows(p, {0, c->info.nodes}, all.back().data());
    }
    c->kept = std::move(all);
  }
  return HistoryStore(c);
}

const HistoryInfo& HistoryStore::info() const {
  return contents_->info;
}

HistoryBatch HistoryStore::read(std::span<const Size> graphs) const {
  const Contents& c = *contents_;
  std::vector<Size> offsets{0};
  for (const Size g : graphs) {
    if (g < 0 || g >= c.info.graphs) {
      throw ValueError(fmt::format("history: graph {}; expected a number in [0, {})", g, c.info.graphs));
    }
    const auto at = static_cast<std::size_t>(g);
    offsets.push_back(offsets.back() + c.offsets[at + 1] - c.offsets[at]);
  }
  const Size nodes = offsets.back();
  HistoryBatch batch{.values = Tensor({nodes * c.layout.row_size()}), .sets = Segments(std::move(offsets))};
  Real* first = batch.values.data();
  for (std::size_t p = 0; p < c.layout.parts().size(); ++p) {
    const HistoryLayout::Part& part = c.layout.parts()[p];
    c.gather(p, graphs, first);
    for (std::size_t l = 0; l < part.num_layers; ++l) {
      batch.layers.emplace_back(first + static_cast<Size>(l) * part.width, nodes, part.width,
                                part.row_size());
    }
    first += nodes * part.row_size();
  }
  c.require_finite(graphs, batch);
  return batch;
}

std::vector<Var> HistoryBatch::on(Tape& tape) const {
  std::vector<Var> result;
  for (const ConstMatrixView& layer : layers) result.push_back(tape.input(layer, {layer.rows, layer.cols}));
  return result;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
