#include "tarn/graph/healpix/stencil_kernels.hpp"

#include "tarn/core/ops/simd.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#if defined(__AVX__)
#include <immintrin.h>
#endif

namespace tarn::healpix {
inline namespace TARN_PRECISION {

namespace {

using Vector = simd::Block<simd_lanes, 1>::Vector;
constexpr Size lanes = simd_lanes;

/// Vectors of outputs that a block of cells keeps in registers, and cells in a block: 24 sums in 32
/// registers, or 12 in 16.
constexpr Size slab_vectors = 2;
constexpr Size slab = slab_vectors * lanes;
constexpr Size block_cells = sizeof(Vector) == 64 ? 12 : 6;

Vector load(const Real* p) {
  return simd::load<Vector>(p);
}
void store(Real* p, const Vector& v) {
  simd::store(p, v);
}

/// Stores past the caches: where whole lines are written that nobody reads soon, they are not fetched first.
/// `p` lies on a boundary of its own size.
void stream(Real* p, Vector v) {
#if defined(__AVX512F__)
  _mm512_stream_si512(reinterpret_cast<__m512i*>(p), std::bit_cast<__m512i>(v));
#elif defined(__AVX__)
  _mm256_stream_si256(reinterpret_cast<__m256i*>(p), std::bit_cast<__m256i>(v));
#else
  store(p, v);
#endif
}

/// Makes streamed stores visible in order with what the thread does next.
void finish_streams() {
#if defined(__AVX__)
  _mm_sfence();
#endif
}

/// Puts the sums of a run of cells side by side.
struct PutInRow {
  Real* y;
  Size step;
  void operator()(Size cell, Size first, Vector sum) const { store(y + cell * step + first, sum); }
};

/// Finishes the sums and puts them where each cell belongs.
enum class Finish { add, assign, relu, stream, stream_relu };
template <Finish How>
struct PutInPlace {
  Real* const* cells;
  const Real* bias;
  void operator()(Size cell, Size first, Vector sum) const {
    Real* const to = cells[cell] + first;
    if (How == Finish::add) return store(to, sum + load(to));
    if (bias != nullptr) sum += load(bias + first);
    // Not a maximum: a NaN stays.
    if (How == Finish::relu || How == Finish::stream_relu) sum = sum < Vector{} ? Vector{} : sum;
    if (How == Finish::stream || How == Finish::stream_relu) return stream(to, sum);
    store(to, sum);
  }
};

/// Where the operands of a row of cells lie.
struct Operands {
  const Real* x;
  Size step;
  std::span<const Size> offsets;
  Size channels;
};

/// Nine taps on cells of one number side by side: distances and counts are then known to the compiler.
enum class Layout { any, nine_numbers };

/// Sums over all taps and channels for `Cells` cells and `Vectors` vectors of outputs, kept in registers.
template <Layout Cell, int Cells, int Vectors, class Put>
void block_product(const Operands& in, Size first_cell, const Real* w, Size first_output, Put put) {
  const bool nine = Cell == Layout::nine_numbers;
  const Size step = nine ? 1 : in.step, channels = nine ? 1 : in.channels;
  const std::size_t taps = nine ? 9 : in.offsets.size();
  Vector sum[Cells][Vectors] = {};
  for (std::size_t t = 0; t < taps; ++t) {
    const Real* cell = in.x + first_cell * step + in.offsets[t];
    for (Size c = 0; c < channels; ++c, w += Vectors * lanes) {
      Vector weight[Vectors];
      for (int v = 0; v < Vectors; ++v) weight[v] = load(w + v * lanes);
      for (int p = 0; p < Cells; ++p) {
        for (int v = 0; v < Vectors; ++v) sum[p][v] += cell[p * step + c] * weight[v];
      }
    }
  }
  for (int p = 0; p < Cells; ++p) {
    for (int v = 0; v < Vectors; ++v) put(first_cell + p, first_output + v * lanes, sum[p][v]);
  }
}

template <Layout Cell, int Vectors, class Put>
void row_product(const Operands& in, const Real* w, Size count, Size first_output, Put put) {
  Size cell = 0;
  const auto run = [&]<int Cells>() {
    // Two blocks of 8 read the weights as often as 12 and 4, and keep more sums busy.
    for (; count - cell >= Cells && !(Cells == 12 && count - cell == 16); cell += Cells)
      block_product<Cell, Cells, Vectors>(in, cell, w, first_output, put);
  };
  run.template operator()<static_cast<int>(block_cells)>();
  run.template operator()<8>();
  run.template operator()<4>();
  run.template operator()<2>();
  run.template operator()<1>();
}

template <Layout Cell, class Put>
void slab_products(const Operands& in, const PackedTaps& taps, const Real* w, Size count, Put put) {
  for (Size first = 0; first < taps.width(); first += slab) {
    const Real* part = w + first * taps.taps() * taps.in();
    if (first + slab <= taps.width()) {
      row_product<Cell, slab_vectors>(in, part, count, first, put);
    } else {
      row_product<Cell, 1>(in, part, count, first, put);
    }
  }
}

template <class Put>
void products(const Real* x, Size step, std::span<const Size> offsets, const PackedTaps& taps, const Real* w,
              Size count, Put put) {
  const Operands in{x, step, offsets, taps.in()};
  if (taps.in() == 1 && step == 1 && taps.taps() == 9) {
    return slab_products<Layout::nine_numbers>(in, taps, w, count, put);
  }
  slab_products<Layout::any>(in, taps, w, count, put);
}

Real sum_of(Vector v) {
  std::array<Real, static_cast<std::size_t>(lanes)> part;
  std::memcpy(part.data(), &v, sizeof v);
  for (Size half = lanes / 2; half > 0; half /= 2) {
    for (Size i = 0; i < half; ++i)
      part[static_cast<std::size_t>(i)] += part[static_cast<std::size_t>(i + half)];
  }
  return part[0];
}

/// One output of one cell as a dot product along the channels.
Real dot_product(const Real* cell, std::span<const Size> offsets, Size channels, const Real* w) {
  Vector sum = {};
  for (const Size offset : offsets) {
    for (Size c = 0; c < channels; c += lanes, w += lanes) sum += load(cell + offset + c) * load(w);
  }
  return sum_of(sum);
}

/// What PutInPlace does, for outputs that are not whole vectors.
void finish_cell(const Real* sum, Size count, const CellOutput& output, Real* to) {
  for (Size o = 0; o < count; ++o) {
    Real v = sum[o] + (output.add ? to[o] : output.bias != nullptr ? output.bias[o] : Real{0});
    if (output.relu) v = v < 0 ? Real{0} : v;
    to[o] = v;
  }
}

bool all_aligned(std::span<Real* const> cells) {
  return std::all_of(cells.begin(), cells.end(),
                     [](const Real* p) { return reinterpret_cast<std::uintptr_t>(p) % sizeof(Vector) == 0; });
}

template <int Rows, int Vectors, class Offset>
void outer_block(const Real* x, Size step, Offset offset, const Real* y, Size y_step, Size count, Real* sums,
                 Size width) {
  Vector sum[Rows][Vectors];
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Vectors; ++v) sum[r][v] = load(sums + r * width + v * lanes);
  }
  for (Size p = 0; p < count; ++p, x += step, y += y_step) {
    Vector right[Vectors];
    for (int v = 0; v < Vectors; ++v) right[v] = load(y + v * lanes);
    for (int r = 0; r < Rows; ++r) {
      for (int v = 0; v < Vectors; ++v) sum[r][v] += x[offset(r)] * right[v];
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int v = 0; v < Vectors; ++v) store(sums + r * width + v * lanes, sum[r][v]);
  }
}

template <int Vectors>
void outer_rows(const Real* x, Size step, std::span<const Size> rows, const Real* y, Size y_step, Size count,
                Real* sums, Size width) {
  const auto run = [&]<int Rows>() {
    for (; static_cast<Size>(rows.size()) >= Rows; rows = rows.subspan(Rows), sums += Rows * width) {
      const Size first = rows[0];
      if (rows[Rows - 1] - first == Rows - 1) {  // ascending, hence side by side
        outer_block<Rows, Vectors>(
            x + first, step, [](int r) { return r; }, y, y_step, count, sums, width);
      } else {
        outer_block<Rows, Vectors>(
            x, step, [&](int r) { return rows[static_cast<std::size_t>(r)]; }, y, y_step, count, sums, width);
      }
    }
  };
  run.template operator()<8>();
  run.template operator()<4>();
  run.template operator()<1>();
}

}  // namespace

PackedTaps::PackedTaps(Size taps, Size in, Size out)
    : taps_(taps), in_(in), out_(out), width_(whole_vectors(out)) {
  // Along the channels a cell costs out sums of in / lanes products, else in products of out / lanes.
  const Size along = out * (taps * whole_vectors(in) / lanes + 8);
  along_channels_ = along < taps * in * width_ / lanes;
  const Size entries = along_channels_ ? taps * whole_vectors(in) * out : taps * in * width_;
  entries_.resize(static_cast<std::size_t>(entries));
}

Size PackedTaps::read_width() const {
  return along_channels_ ? whole_vectors(in_) : in_;
}

std::size_t PackedTaps::place(Size tap, Size i, Size o) const {
  if (along_channels_) {
    const Size padded = whole_vectors(in_);
    return static_cast<std::size_t>((o * taps_ + tap) * padded + i);
  }
  const Size first = o / slab * slab, slab_width = std::min(slab, width_ - first);
  return static_cast<std::size_t>(first * taps_ * in_ + (tap * in_ + i) * slab_width + o - first);
}

void multiply_cells(const Real* x, Size step, std::span<const Size> offsets, const PackedTaps& taps,
                    Size count, Real* y) {
  const Real* w = taps.entries_.data();
  if (taps.along_channels_) {
    const Size padded = whole_vectors(taps.in_);
    for (Size p = 0; p < count; ++p) {
      for (Size o = 0; o < taps.out_; ++o)
        y[p * taps.width_ + o] = dot_product(x + p * step, offsets, padded, w + o * taps.taps_ * padded);
    }
    return;
  }
  products(x, step, offsets, taps, w, count, PutInRow{y, taps.width_});
}

void multiply_cells(const Real* x, Size step, std::span<const Size> offsets, const PackedTaps& taps,
                    const CellOutput& output) {
  const Size count = static_cast<Size>(output.cells.size());
  Real* const* cells = output.cells.data();
  if (taps.out_ != taps.width_) {
    thread_local std::vector<Real> sums;
    sums.resize(static_cast<std::size_t>(count * taps.width_));
    multiply_cells(x, step, offsets, taps, count, sums.data());
    for (Size p = 0; p < count; ++p) finish_cell(sums.data() + p * taps.width_, taps.out_, output, cells[p]);
    return;
  }
  const auto run = [&]<Finish How>() {
    products(x, step, offsets, taps, taps.entries_.data(), count, PutInPlace<How>{cells, output.bias});
  };
  if (output.add) return run.template operator()<Finish::add>();
  if (!output.stream || !all_aligned(output.cells)) {
    if (output.relu) return run.template operator()<Finish::relu>();
    return run.template operator()<Finish::assign>();
  }
  output.relu ? run.template operator()<Finish::stream_relu>() : run.template operator()<Finish::stream>();
  finish_streams();
}

void add_outer_products(const Real* x, Size step, std::span<const Size> rows, const Real* y, Size y_step,
                        Size width, Size count, Real* sums) {
  for (Size first = 0; first < width; first += slab) {
    if (first + slab <= width) {
      outer_rows<slab_vectors>(x, step, rows, y + first, y_step, count, sums + first, width);
    } else {
      outer_rows<1>(x, step, rows, y + first, y_step, count, sums + first, width);
    }
  }
}

}  // namespace TARN_PRECISION
}  // namespace tarn::healpix
