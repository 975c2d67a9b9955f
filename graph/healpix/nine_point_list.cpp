#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/neighbours.hpp"
#include "tarn/graph/healpix/nine_point_detail.hpp"

#include <algorithm>

namespace tarn::healpix {
inline namespace TARN_PRECISION {

namespace {

constexpr Size rows_per_block = 64;

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

Size missing_of(const ListNeighbours& list, Size row) {
  const Size* around = list.rows.data() + 8 * row;
  return std::count(around, around + 8, absent);
}

/// Some pixels of one map: the blocks that the work is cut into.
struct Block {
  Size map, begin, end;
  [[nodiscard]] Size count() const { return end - begin; }
};

struct ListPlan {
  Size size, maps;
  [[nodiscard]] Size per_map() const { return (size + rows_per_block - 1) / rows_per_block; }
  [[nodiscard]] Size blocks() const { return maps * per_map(); }
  [[nodiscard]] Block block(Size b) const {
    const Size begin = b % per_map() * rows_per_block;
    return {b / per_map(), begin, std::min(size, begin + rows_per_block)};
  }
};

/// Rows of a block with the nine cells of each side by side, `step` numbers a row.
struct Panel {
  std::vector<Real> numbers;
  Size step = 0;

  void start(Size rows, Size step_in) {
    step = step_in;
    numbers.assign(at(rows * step), Real{0});
  }
  [[nodiscard]] Real* slot(Size row, Size k, Size channels) {
    return numbers.data() + row * step + k * channels;
  }
};

void gather_input(const ListNeighbours& list, const ConvCall& call, const Block& block, Size step,
                  Panel& panel) {
  const ConstMatrixView x = call.x.value();
  const Size start = block.map * call.pixels;
  panel.start(block.count(), step);
  for (Size p = block.begin; p < block.end; ++p) {
    std::copy_n(x.row(start + p), call.in, panel.slot(p - block.begin, 0, call.in));
    for (Size k = 0; k < 8; ++k) {
      Size q = list.rows[at(8 * p + k)];
      if (q == absent && call.missing == Missing::self) q = p;
      if (q != absent) std::copy_n(x.row(start + q), call.in, panel.slot(p - block.begin, k + 1, call.in));
    }
  }
}

Real factor_of(const ListNeighbours& list, const ConvCall& call, Size row) {
  return call.missing == Missing::renormalize ? renormalized(missing_of(list, row)) : Real{1};
}

void forward_block(const ListNeighbours& list, const ConvCall& call, const PackedTaps& taps,
                   const Block& block, MatrixView y) {
  thread_local Panel panel;
  thread_local std::vector<Real> sums;
  gather_input(list, call, block, taps.read_width(), panel);
  sums.resize(at(block.count() * taps.width()));
  multiply_cells(panel.numbers.data(), panel.step, std::array<Size, 1>{0}, taps, block.count(), sums.data());
  for (Size i = 0; i < block.count(); ++i) {
    Real* sum = sums.data() + i * taps.width();
    const Real factor = factor_of(list, call, block.begin + i);
    for (Size o = 0; o < call.out; ++o) sum[o] *= factor;
    finish_pixel(sum, call, y.row(block.map * call.pixels + block.begin + i));
  }
}

/// The gradients that reach each pixel of a block, by the slot in which its neighbours found it.
void gather_gradient(const ListNeighbours& list, const ConvCall& call, const PreGradient& gradient,
                     const Block& block, Size step, Panel& panel) {
  thread_local std::vector<Real> dy;
  dy.resize(at(call.out));
  const Size start = block.map * call.pixels;
  panel.start(block.count(), step);
  const auto add = [&](Size from, Size p, Size slot) {
    gradient.read(start + from, dy.data());
    const Real factor = factor_of(list, call, from);
    Real* to = panel.slot(p - block.begin, slot, call.out);
    for (Size o = 0; o < call.out; ++o) to[o] += factor * dy[at(o)];
  };
  for (Size p = block.begin; p < block.end; ++p) {
    add(p, p, 0);
    for (Size k = 0; k < 8; ++k) {
      const Size q = list.rows[at(8 * p + k)];
      if (q != absent) {
        add(q, p, list.back[at(8 * p + k)] + 1);
      } else if (call.missing == Missing::self) {
        add(p, p, k + 1);
      }
    }
  }
}

class ListBackward {
 public:
  ListBackward(Tape& tape, const ListNeighbours& list, const ConvCall& call, const PreGradient& gradient)
      : list_(list),
        call_(call),
        gradient_(gradient),
        plan_{list.size, call.maps},
        chunks_(std::min(plan_.blocks(), most_chunks)),
        learns_(call.weight.needs_grad() || (call.bias.given() && call.bias.needs_grad())),
        sums_(tape, call, learns_ ? std::max<Size>(chunks_, 1) : 1),
        taps_(1, 9 * call.out, call.in,
              [&](Size, Size k, Size i) { return call.element(k / call.out, i, k % call.out); }) {
    if (call.x.needs_grad()) dx_ = tape.sink(call.x);
  }

  void run(Tape& tape) {
    for_blocks(chunks_, 1, [&](Size chunk, Size) {
      const Size begin = chunk * plan_.blocks() / chunks_, end = (chunk + 1) * plan_.blocks() / chunks_;
      for (Size b = begin; b < end; ++b) {
        if (dx_.view.data != nullptr) input_gradient(plan_.block(b));
        if (learns_) weight_gradient(plan_.block(b), chunk);
      }
    });
    if (learns_) sums_.finish(tape);
  }

 private:
  void input_gradient(const Block& block) {
    thread_local Panel panel;
    thread_local std::vector<Real> sums;
    gather_gradient(list_, call_, gradient_, block, taps_.read_width(), panel);
    sums.resize(at(block.count() * taps_.width()));
    multiply_cells(panel.numbers.data(), panel.step, std::array<Size, 1>{0}, taps_, block.count(),
                   sums.data());
    for (Size i = 0; i < block.count(); ++i) {
      const Real* from = sums.data() + i * taps_.width();
      Real* to = dx_.view.row(block.map * call_.pixels + block.begin + i);
      for (Size c = 0; c < call_.in; ++c) to[c] = from[c] + (dx_.write == Write::add ? to[c] : Real{0});
    }
  }

  void weight_gradient(const Block& block, Size chunk) {
    thread_local Panel panel;
    thread_local std::vector<Real> dy, products;
    thread_local std::vector<Size> rows;
    const Size width = sums_.width();
    dy.assign(at(block.count() * width), Real{0});
    for (Size i = 0; i < block.count(); ++i) {
      Real* to = dy.data() + i * width;
      gradient_.read(block.map * call_.pixels + block.begin + i, to);
      sums_.add_bias(chunk, to);
      const Real factor = factor_of(list_, call_, block.begin + i);
      for (Size o = 0; o < call_.out; ++o) to[o] *= factor;
    }
    if (!call_.weight.needs_grad()) return;
    gather_input(list_, call_, block, 9 * call_.in, panel);
    rows.resize(at(9 * call_.in));
    for (std::size_t r = 0; r < rows.size(); ++r) rows[r] = static_cast<Size>(r);
    products.assign(at(9 * call_.in * width), Real{0});
    add_outer_products(panel.numbers.data(), panel.step, rows, dy.data(), width, width, block.count(),
                       products.data());
    sums_.add(chunk, products);
  }

  const ListNeighbours& list_;
  const ConvCall& call_;
  const PreGradient& gradient_;
  ListPlan plan_;
  Size chunks_;
  bool learns_;
  WeightSums sums_;
  PackedTaps taps_;
  GradSink dx_;
};

}  // namespace

ListNeighbours::ListNeighbours(const Sky& sky)
    : size(sky.size()), rows(at(8 * size), absent), back(at(8 * size), 0) {
  const Grid& grid = sky.grid();
  for_blocks(size, 1024, [&](Size begin, Size end) {
    for (Size p = begin; p < end; ++p) {
      const FacePixel f = grid.face_pixel(sky.pixel(p), sky.ordering());
      for (std::size_t k = 0; k < 8; ++k) {
        const Crossing c =
            cross_edge(grid.nside(), f.x + neighbour_steps[k].x, f.y + neighbour_steps[k].y, f.face);
        if (!c.exists) continue;
        rows[at(8 * p) + k] = sky.row(grid.number(c.pixel, sky.ordering()));
        back[at(8 * p) + k] = static_cast<std::int8_t>(returning_slot(static_cast<Size>(k), c.turn));
      }
    }
  });
}

Var convolve_list(std::shared_ptr<const ListNeighbours> list, const ConvCall& call) {
  Tape& tape = call.x.tape();
  const Shape shape = map_shape(call.x, call.maps, call.pixels, call.out);
  const MatrixView y = tape.allocate(shape);
  const PackedTaps taps(1, 9 * call.in, call.out,
                        [&](Size, Size k, Size o) { return call.element(k / call.in, k % call.in, o); });
  const ListPlan plan{list->size, call.maps};
  for_blocks(plan.blocks(), 1, [&](Size b, Size) { forward_block(*list, call, taps, plan.block(b), y); });
  return tape.record("healpix_conv", shape, y, {call.x, call.weight, call.bias},
                     [=, &tape](ConstMatrixView dy) {
                       const PreGradient gradient{.dy = dy, .y = y, .relu = call.relu()};
                       ListBackward(tape, *list, call, gradient).run(tape);
                     });
}

}  // namespace TARN_PRECISION
}  // namespace tarn::healpix
