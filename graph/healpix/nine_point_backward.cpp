#include "tarn/core/ops/simd.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/neighbours.hpp"
#include "tarn/graph/healpix/nine_point_tiles.hpp"

#include <algorithm>

namespace tarn::healpix {
inline namespace TARN_PRECISION {

namespace {

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

/// One side of a tile: the step across it, and the step along it.
struct Side {
  Step across, along;
  Size turn;  ///< of the compass where the side is an edge between two polar faces
};
constexpr std::array<Side, 4> sides{
    {{{-1, 0}, {0, 1}, 2}, {{1, 0}, {0, 1}, 2}, {{0, -1}, {1, 0}, -2}, {{0, 1}, {1, 0}, -2}}};

Size slot_of(Size x, Size y) {
  const auto found = std::find_if(neighbour_steps.begin(), neighbour_steps.end(),
                                  [&](const Step& s) { return s.x == x && s.y == y; });
  return found - neighbour_steps.begin();
}

/// The transposed weights: what a cell of the output's gradient gives to an input beside it. Cells behind a
/// turn meet the weight of another slot, so that their sides and corners have taps of their own.
struct TransposedTaps {
  PackedTaps plain;                  ///< the cell itself and its eight neighbours
  std::array<PackedTaps, 4> side;    ///< three cells behind an edge
  std::array<PackedTaps, 2> corner;  ///< the one cell behind a north (0) or south (1) corner

  explicit TransposedTaps(const ConvCall& call) {
    const auto transposed = [&](std::span<const Size> slots) {
      return PackedTaps(static_cast<Size>(slots.size()), call.out, call.in,
                        [&](Size t, Size o, Size i) { return call.element(slots[at(t)], i, o); });
    };
    std::array<Size, 9> slots{};
    for (Size k = 0; k < 8; ++k) slots[at(k + 1)] = returning_slot(k, 0) + 1;
    plain = transposed(slots);
    for (std::size_t s = 0; s < 4; ++s) {
      for (Size a = -1; a <= 1; ++a) {
        const Size k =
            slot_of(sides[s].across.x + a * sides[s].along.x, sides[s].across.y + a * sides[s].along.y);
        slots[at(a + 1)] = returning_slot(k, sides[s].turn) + 1;
      }
      side[s] = transposed(std::span(slots).first(3));
    }
    for (const Size k : {slot_of(1, 1), slot_of(-1, -1)}) {
      slots[0] = returning_slot(k, 4) + 1;
      corner[k == slot_of(1, 1) ? 0 : 1] = transposed(std::span(slots).first(1));
    }
  }
};

/// Buffers that a thread keeps from job to job.
struct Scratch {
  TileWork dy, x;
  std::vector<Real> line, products, bias;
  std::vector<Real*> places;
};

class BackwardPass {
 public:
  BackwardPass(Tape& tape, const TilePlan& plan, const ConvCall& call, const PreGradient& gradient)
      : plan_(plan),
        call_(call),
        gradient_(gradient),
        step_(whole_vectors(call.out)),
        chunks_(std::min(plan.jobs(), most_chunks)),
        learns_(call.weight.needs_grad() || (call.bias.given() && call.bias.needs_grad())),
        sums_(tape, call, learns_ ? std::max<Size>(chunks_, 1) : 1),
        taps_(call) {
    if (call.x.needs_grad()) dx_ = tape.sink(call.x);
  }

  void run(Tape& tape) {
    for_blocks(chunks_, 1, [&](Size chunk, Size) {
      thread_local Scratch scratch;
      const Size begin = chunk * plan_.jobs() / chunks_, end = (chunk + 1) * plan_.jobs() / chunks_;
      for (Size job = begin; job < end; ++job) run_job(scratch, job, chunk);
    });
    if (call_.missing != Missing::zero) correct_absent();
    if (learns_) sums_.finish(tape);
  }

 private:
  [[nodiscard]] Size row(const TileWork& work, Size map, Size pixel) const {
    return (work.first_map + map) * call_.pixels + pixel;
  }

  /// The gradient at one pixel, with zeros up to whole vectors.
  void read(Size row, Real* out) const {
    gradient_.read(row, out);
    std::fill(out + call_.out, out + step_, Real{0});
  }

  void run_job(Scratch& s, Size job, Size chunk) {
    s.dy.start(plan_, job, step_);
    s.dy.fill(CellsBehindTurns::zero,
              [&](Size g, Size pixel, Real* cell) { read(row(s.dy, g, pixel), cell); });
    if (dx_.view.data != nullptr) input_gradient(s);
    if (learns_) weight_gradient(s, job, chunk);
  }

  /// Writes or adds the products of a run of cells: cell i belongs to map i % group of pixel_at(i / group).
  template <class PixelAt>
  void put_products(Scratch& s, const Real* cells, std::span<const Size> offsets, const PackedTaps& taps,
                    Size pixels, Write write, PixelAt pixel_at) {
    s.places.clear();
    for (Size i = 0; i < pixels; ++i) {
      const Size pixel = pixel_at(i);
      for (Size g = 0; g < s.dy.group; ++g) s.places.push_back(dx_.view.row(row(s.dy, g, pixel)));
    }
    multiply_cells(cells, step_, offsets, taps, {.cells = s.places, .add = write == Write::add});
  }

  void input_gradient(Scratch& s) {
    TileWork& work = s.dy;
    const auto offsets = work.neighbour_offsets();
    for (Size y = 0; y < work.tile.side(); ++y) {
      put_products(s, work.cell(0, y), offsets, taps_.plain, work.tile.side(), dx_.write,
                   [&](Size x) { return work.tile.pixel(work.tile.cell(x, y)); });
    }
    if (!work.tile.turns()) return;
    for (std::size_t side = 0; side < 4; ++side) add_turned_side(s, side);
    add_turned_corners(s);
  }

  void add_turned_side(Scratch& s, std::size_t which) {
    const TileWork& work = s.dy;
    const Tile& tile = work.tile;
    const Side& side = sides[which];
    // Cells of the halo along the side, and the tile's own beside them; a is -1 .. side.
    const auto outer = [&](Size a) {
      const auto place = [&](Size across, Size along) {
        return across < 0 ? -1 : across > 0 ? tile.side() : a * along;
      };
      return tile.cell(place(side.across.x, side.along.x), place(side.across.y, side.along.y));
    };
    if (tile.pixel(outer(0)) < 0 || tile.turn(outer(0)) == 0) return;
    const Size cell = work.group * step_;
    s.line.assign(at((tile.side() + 2) * cell), Real{0});
    for (Size a = -1; a <= tile.side(); ++a) {
      if (tile.pixel(outer(a)) < 0 || tile.turn(outer(a)) != side.turn) continue;
      for (Size g = 0; g < work.group; ++g)
        read(row(work, g, tile.pixel(outer(a))), s.line.data() + (a + 1) * cell + g * step_);
    }
    const std::array<Size, 3> offsets{-cell, 0, cell};
    put_products(s, s.line.data() + cell, offsets, taps_.side[which], tile.side(), Write::add,
                 [&](Size a) { return tile.pixel(outer(a) - side.across.y * tile.pitch() - side.across.x); });
  }

  void add_turned_corners(Scratch& s) {
    const TileWork& work = s.dy;
    const Tile& tile = work.tile;
    for (const Size corner : tile.halo_corners()) {
      if (tile.pixel(corner) < 0 || tile.turn(corner) != 4) continue;
      const PackedTaps& taps = taps_.corner[corner == 0 ? 1 : 0];
      s.line.resize(at(work.group * step_));
      for (Size g = 0; g < work.group; ++g) read(row(work, g, tile.pixel(corner)), s.line.data() + g * step_);
      put_products(s, s.line.data(), std::array<Size, 1>{0}, taps, 1, Write::add,
                   [&](Size) { return tile.pixel(tile.inside_of(corner)); });
    }
  }

  void bias_gradient(Scratch& s, Size run, Size chunk) {
    s.bias.resize(at(step_));
    for (Size y = 0; y < s.dy.tile.side(); ++y) {
      std::fill(s.bias.begin(), s.bias.end(), Real{0});
      const Real* cells = s.dy.cell(0, y);
      for (Size i = 0; i < run; ++i) {
        Real* const sums = s.bias.data();
        for (Size o = 0; o < step_; ++o) sums[o] += cells[i * step_ + o];
      }
      sums_.add_bias(chunk, s.bias.data());
    }
  }

  void weight_gradient(Scratch& s, Size job, Size chunk) {
    const Size run = s.dy.tile.side() * s.dy.group, width = sums_.width();
    if (call_.bias.given() && call_.bias.needs_grad()) bias_gradient(s, run, chunk);
    if (!call_.weight.needs_grad()) return;
    load_input(s.x, plan_, call_, job, call_.in);
    const auto offsets = s.x.neighbour_offsets();
    std::vector<Size>& rows = rows_of(offsets);
    s.products.assign(at(9 * call_.in * width), Real{0});
    for (Size y = 0; y < s.dy.tile.side(); ++y) {
      add_outer_products(s.x.cell(0, y), call_.in, rows, s.dy.cell(0, y), step_, width, run,
                         s.products.data());
    }
    sums_.add(chunk, s.products);
  }

  /// Where the operands (slot, channel) of a cell lie.
  std::vector<Size>& rows_of(std::span<const Size> offsets) const {
    thread_local std::vector<Size> rows;
    rows.clear();
    for (const Size offset : offsets) {
      for (Size c = 0; c < call_.in; ++c) rows.push_back(offset + c);
    }
    return rows;
  }

  /// What the rule for absent neighbours adds to gradients that took them for zero.
  void correct_absent() {
    const std::vector<AbsentSlot> slots = absent_slots(plan_.grid);
    std::vector<Real> dy(at(step_)), products;
    for (Size map = 0; map < call_.maps; ++map) {
      if (learns_) products.assign(at(9 * call_.in * sums_.width()), Real{0});
      for (std::size_t i = 0; i < slots.size(); ++i) {
        const Size p = plan_.grid.number(slots[i].pixel, plan_.ordering);
        gradient_.read(map * call_.pixels + p, dy.data());
        if (call_.missing == Missing::renormalize) {
          const bool seen = i > 0 && slots[i - 1].pixel == slots[i].pixel;
          if (!seen) rescale_pixel(map, p, dy, products);
        } else {
          pass_on(map, p, slots[i].slot, dy);
        }
      }
      if (learns_ && call_.missing == Missing::renormalize && call_.weight.needs_grad())
        sums_.add(0, products);
    }
  }

  /// dx of one pixel += factor times the transposed weight of a slot (0 the pixel itself) times dy.
  void add_product(Size row, Size slot, Real factor, std::span<const Real> dy) {
    if (dx_.view.data == nullptr) return;
    Real* to = dx_.view.row(row);
    for (Size i = 0; i < call_.in; ++i) {
      Real sum = 0;
      for (Size o = 0; o < call_.out; ++o) sum += call_.element(slot, i, o) * dy[at(o)];
      to[i] += factor * sum;
    }
  }

  void pass_on(Size map, Size pixel, Size slot, std::span<const Real> dy) {
    const Size start = map * call_.pixels;
    if (call_.missing == Missing::self) return add_product(start + pixel, slot + 1, Real{1}, dy);
    const auto around = neighbours(plan_.grid, pixel, plan_.ordering);
    for (const Size beside : {slot + 7, slot + 1}) {
      add_product(start + around[at(beside % 8)], slot + 1, Real(0.5), dy);
    }
  }

  void rescale_pixel(Size map, Size pixel, std::span<const Real> dy, std::span<Real> products) {
    const auto around = neighbours(plan_.grid, pixel, plan_.ordering);
    const Size missing = std::count(around.begin(), around.end(), absent);
    const Real factor = renormalized(missing) - 1;
    const ConstMatrixView x = call_.x.value();
    for (Size slot = 0; slot < 9; ++slot) {
      const Size q = slot == 0 ? pixel : around[at(slot - 1)];
      if (q == absent) continue;
      const Size source = map * call_.pixels + q;
      add_product(source, slot, factor, dy);
      for (Size i = 0; i < call_.in && !products.empty(); ++i) {
        Real* into = products.data() + (slot * call_.in + i) * sums_.width();
        for (Size o = 0; o < call_.out; ++o) into[o] += factor * x(source, i) * dy[at(o)];
      }
    }
  }

  const TilePlan& plan_;
  const ConvCall& call_;
  const PreGradient& gradient_;
  Size step_;  ///< numbers of a cell of the gradient: `out`, rounded up to whole vectors
  Size chunks_;
  bool learns_;
  WeightSums sums_;
  TransposedTaps taps_;
  GradSink dx_;
};

}  // namespace

void convolve_tiles_backward(Tape& tape, const TilePlan& plan, const ConvCall& call,
                             const PreGradient& gradient) {
  BackwardPass(tape, plan, call, gradient).run(tape);
}

}  // namespace TARN_PRECISION
}  // namespace tarn::healpix
