#pragma once

#include "tarn/core/h5.hpp"
#include "tarn/graph/backbone.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tarn {

// The layer history of a frozen graph network over a set of graphs, as one HDF5 file. Root attributes:
// `format` (tarn-history), `version` (1), `source` (what made it, free text), `widths` [L]. Data sets:
//
// history [N, L, D], or layer.0 .. layer.{L-1} [N, D_l] where widths differ    in the precision of the build
// offsets [G+1]                                                               nodes of each graph

inline constexpr const char* history_format = "tarn-history";

/// What a history file holds.
struct HistoryInfo {
  std::string source;
  std::vector<Size> widths;  ///< one per layer
  Size graphs = 0;
  Size nodes = 0;
};

inline namespace TARN_PRECISION {

/// Writes a history batch by batch into a file that is open.
class HistoryWriter {
 public:
  HistoryWriter(h5::File& file, std::span<const Size> widths, std::string_view source);
  /// Adds some graphs: layers [N, D_l] over their nodes. Throws ShapeError if the layers do not fit, and
  /// ValueError naming graph, node and layer of the first number that is not finite.
  void append(std::span<const ConstMatrixView> layers, const Segments& sets);
  /// Writes what is known only now. Nothing may be added after.
  void finish();

 private:
  h5::File& file_;
  std::vector<Size> widths_;
  std::vector<h5::Dataset> data_;  // one, or one per layer
  std::vector<std::int64_t> offsets_{0};
  std::vector<Real> packed_;  // nodes of a batch as they stand in the file
};

/// The history of a backbone in evaluation over batches of graphs, written so that the file appears whole or
/// not at all. `next` gives the next batch, its inputs on the tape, and nothing after the last. The history
/// of a graph has the bits that the backbone gives it in any batch.
void write_history(const std::filesystem::path& path, Backbone& backbone, std::string_view source,
                   FunctionRef<std::optional<BackboneInput>(Tape&)> next);

/// Some graphs of a history, owning their numbers.
struct HistoryBatch {
  Tensor values;                        ///< all layers
  std::vector<ConstMatrixView> layers;  ///< [N, D_l] views into it, strided where widths are equal
  Segments sets;

  /// The layers as constants on a tape; the batch must outlive the pass.
  [[nodiscard]] std::vector<Var> on(Tape& tape) const;
};

/// A history that is read by graphs. What fits `cache_bytes` is read once and kept; else ranges of nodes are
/// read as they are asked for. Copying copies a handle. For one thread.
class HistoryStore {
 public:
  /// Throws IoError if the file cannot be opened, DataError naming what breaks the format.
  [[nodiscard]] static HistoryStore open(const std::filesystem::path& path, Size cache_bytes = Size{1} << 30);

  [[nodiscard]] const HistoryInfo& info() const;
  /// The graphs asked for, in that order. Throws ValueError for a number that is no graph of the store,
  /// DataError naming node and layer of a number that is not finite.
  [[nodiscard]] HistoryBatch read(std::span<const Size> graphs) const;

 private:
  struct Contents;
  explicit HistoryStore(std::shared_ptr<Contents> contents) : contents_(std::move(contents)) {}
  std::shared_ptr<Contents> contents_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
