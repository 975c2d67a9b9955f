#include "tarn/core/ops/segment_product.hpp"

#include "tarn/core/ops/segment_totals.hpp"

#include <algorithm>
#include <vector>

namespace tarn {

namespace {

/// Products of the rows of a set before and behind one of its chunks, per feature.
struct Beside {
  const double* before = nullptr;  // null: 1
  const double* behind = nullptr;
};

void start(const double* from, Size cols, double* running) {
  if (from == nullptr) {
    std::fill_n(running, cols, 1.0);
  } else {
    std::copy_n(from, cols, running);
  }
}

template <class Columns>
void write_tile(ConstMatrixView x, Rows rows, Size first, Columns cols, const Real* g, Beside beside,
                const RowWriter& dx) {
  thread_local std::vector<double> behind;
  behind.resize(static_cast<std::size_t>(rows.size() * cols));
  alignas(64) double running[tile_columns];
  alignas(64) Real buffer[tile_columns];
  start(beside.behind, cols, running);
  for (Size i = rows.end; i-- > rows.begin;) {
    std::copy_n(running, cols, behind.data() + (i - rows.begin) * cols);
    const Real* const row = x.row(i) + first;
    for (Size j = 0; j < cols; ++j) running[j] = bounded_product(running[j], static_cast<double>(row[j]));
  }
  start(beside.before, cols, running);
  for (Size i = rows.begin; i < rows.end; ++i) {
    const double* const rest = behind.data() + (i - rows.begin) * cols;
    const Real* const row = x.row(i) + first;
    for (Size j = 0; j < cols; ++j) {
      buffer[j] = static_cast<Real>(static_cast<double>(g[j]) * bounded_product(running[j], rest[j]));
      running[j] = bounded_product(running[j], static_cast<double>(row[j]));
    }
    dx.write(i, first, cols, buffer);
  }
}

/// The products of the rows of a cut set before and behind each of its chunks.
class CutProducts {
 public:
  CutProducts(Tape& tape, ConstMatrixView x, const SegmentChunks& chunks)
      : width_(x.cols),
        before_(tape.allocate_array<double>(chunks.num_parts() * x.cols)),
        behind_(tape.allocate_array<double>(chunks.num_parts() * x.cols)) {
    if (before_.empty()) return;
    chunks.for_each([&](const SegmentChunk& chunk) {
      if (!chunk.whole()) multiply_chunk(x, chunk.rows, at(before_, chunk.part));
    });
    chunks.for_each_cut([&](Size, Rows parts) { accumulate(parts); });
  }
  [[nodiscard]] Beside of(const SegmentChunk& chunk, Size first) const {
    if (chunk.whole()) return {};
    return {at(before_, chunk.part) + first, at(behind_, chunk.part) + first};
  }

 private:
  double* at(std::span<double> products, Size part) const { return products.data() + part * width_; }

  void multiply_chunk(ConstMatrixView x, Rows rows, double* product) const {
    Totals t;
    for (Size first = 0; first < width_; first += tile_columns) {
      const Size cols = std::min(tile_columns, width_ - first);
      compute_totals({.products = true}, x, rows, first, cols, t);
      std::copy_n(t.product, cols, product + first);
    }
  }

  /// From the product of each part to the products of those before and behind it.
  void accumulate(Rows parts) const {
    for (Size j = 0; j < width_; ++j) {
      double running = 1;
      for (Size p = parts.end; p-- > parts.begin;) {
        at(behind_, p)[j] = running;
        running = bounded_product(running, at(before_, p)[j]);
      }
      running = 1;
      for (Size p = parts.begin; p < parts.end; ++p) {
        const double own = at(before_, p)[j];
        at(before_, p)[j] = running;
        running = bounded_product(running, own);
      }
    }
  }

  Size width_;
  std::span<double> before_, behind_;
};

}  // namespace

inline namespace TARN_PRECISION {

void write_product_gradient(Tape& tape, ConstMatrixView x, const SegmentChunks& chunks, ConstMatrixView g,
                            const RowWriter& dx) {
  const CutProducts products(tape, x, chunks);
  chunks.for_each([&](const SegmentChunk& chunk) {
    for (Size first = 0; first < x.cols; first += tile_columns) {
      with_columns(std::min(tile_columns, x.cols - first), [&](auto cols) {
        write_tile(x, chunk.rows, first, cols, g.row(chunk.set) + first, products.of(chunk, first), dx);
      });
    }
    dx.settle();
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
