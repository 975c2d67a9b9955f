#include "tarn/graph/healpix/nine_point.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/simd.hpp"
#include "tarn/graph/healpix/nine_point_detail.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn::healpix {
inline namespace TARN_PRECISION {

namespace {

void require_weights(const char* where, const ConvCall& call) {
  const Shape& w = call.weight.shape();
  if (w.rank() != 3 || w[2] != 9) {
    throw ShapeError(fmt::format("{}: weight is {}; expected [out, in, 9]", where, w.text()));
  }
  if (call.bias.given() && call.bias.shape().count() != call.out) {
    throw ShapeError(fmt::format("{}: bias is {}; expected [{}]", where, call.bias.shape().text(), call.out));
  }
}

void require_poolable(const char* where, const Sky& sky) {
  const char* reason = !sky.full()                        ? "a partial sky"
                       : sky.ordering() == Ordering::ring ? "RING order"
                       : sky.grid().nside() == 1          ? "nside 1"
                                                          : nullptr;
  if (reason == nullptr) return;
  throw ValueError(
      fmt::format("{}: pooling in the same pass over {}; expected a full sky in NEST order of "
                  "nside 2 or more",
                  where, reason));
}

}  // namespace

Size count_maps(const char* where, Var x, Size pixels, Size channels) {
  const Shape& shape = x.shape();
  if (shape.rank() == 3) {
    if (shape[1] == pixels && shape[2] == channels) return shape[0];
  } else if (shape.rank() == 2 && shape[1] == channels) {
    if (pixels == 0 ? shape[0] == 0 : shape[0] % pixels == 0) return pixels == 0 ? 0 : shape[0] / pixels;
  }
  throw ShapeError(fmt::format("{}: x is {}; expected [B, {}, {}] or [B {}, {}]", where, shape.text(), pixels,
                               channels, pixels, channels));
}

Shape map_shape(Var x, Size maps, Size pixels, Size channels) {
  return x.shape().rank() == 3 ? Shape{maps, pixels, channels} : Shape{maps * pixels, channels};
}

NinePoint::NinePoint(const Sky& sky, Missing missing) : sky_(sky), missing_(missing) {
  if (sky.full()) return;
  if (missing == Missing::adjacent_mean) {
    throw ValueError(
        "healpix-conv.missing: adjacent-mean with a list of pixels, whose adjacent slots may be missing too; "
        "expected zero, self or renormalize");
  }
  list_ = std::make_shared<const ListNeighbours>(sky);
}

Var NinePoint::operator()(Var x, Var weight, Var bias, const Epilogue& epilogue, const char* where) const {
  ConvCall call{.x = x, .weight = weight, .bias = bias, .epilogue = epilogue, .missing = missing_};
  call.out = weight.shape().rank() == 3 ? weight.shape()[0] : 0;
  require_weights(where, call);
  call.in = weight.shape()[1];
  call.pixels = sky_.size();
  call.maps = count_maps(where, x, call.pixels, call.in);
  if (epilogue.pool) require_poolable(where, sky_);
  return sky_.full() ? convolve_tiles(sky_.grid(), sky_.ordering(), call) : convolve_list(list_, call);
}

void finish_pixel(const Real* sum, const ConvCall& call, Real* out) {
  const Real* bias = call.bias_values();
  if (bias != nullptr) {
    for (Size o = 0; o < call.out; ++o) out[o] = sum[o] + bias[o];
  } else {
    std::copy_n(sum, call.out, out);
  }
  if (!call.relu()) return;
  for (Size o = 0; o < call.out; ++o) out[o] = out[o] < 0 ? Real{0} : out[o];
}

void PreGradient::read(Size row, Real* out) const {
  if (codes == nullptr) {
    const Real* from = dy.row(row);
    if (!relu) return static_cast<void>(std::copy_n(from, dy.cols, out));
    const Real* result = y.row(row);
    for (Size o = 0; o < dy.cols; ++o) out[o] = result[o] > 0 ? from[o] : Real{0};
    return;
  }
  const Real* from = dy.row(row / 4);
  const std::uint8_t* code = codes + row / 4 * dy.cols;
  const int child = 1 << (row % 4);
  const Real part = share;
  const Size count = dy.cols;
#pragma GCC ivdep
  for (Size o = 0; o < count; ++o) {
    const Real gradient = part * from[o];  // always, so that the loop has no branch
    out[o] = (code[o] & child) != 0 ? gradient : Real{0};
  }
}

WeightSums::WeightSums(Tape& tape, const ConvCall& call, Size chunks)
    : call_(call),
      width_(whole_vectors(call.out)),
      stride_(9 * call.in * width_ + width_),
      chunks_(chunks),
      data_(tape.allocate_array<double>(chunks * stride_)) {
  std::fill(data_.begin(), data_.end(), 0.0);
}

void WeightSums::add(Size chunk, std::span<const Real> sums) {
  double* into = weights(chunk);
  for (std::size_t i = 0; i < sums.size(); ++i) into[i] += static_cast<double>(sums[i]);
}

void WeightSums::add_bias(Size chunk, const Real* dy) {
  double* into = bias(chunk);
  for (Size o = 0; o < call_.out; ++o) into[o] += static_cast<double>(dy[o]);
}

void WeightSums::finish(Tape& tape) const {
  for (Size c = 1; c < chunks_; ++c) {
    for (Size i = 0; i < stride_; ++i) weights(0)[i] += weights(c)[i];
  }
  if (call_.weight.needs_grad()) {
    Real* dw = tape.grad(call_.weight).data;
    for (Size o = 0; o < call_.out; ++o) {
      for (Size i = 0; i < call_.in; ++i) {
        for (Size k = 0; k < 9; ++k)
          dw[(o * call_.in + i) * 9 + k] += static_cast<Real>(weights(0)[(k * call_.in + i) * width_ + o]);
      }
    }
  }
  if (!call_.bias.given() || !call_.bias.needs_grad()) return;
  Real* db = tape.grad(call_.bias).data;
  for (Size o = 0; o < call_.out; ++o) db[o] += static_cast<Real>(bias(0)[o]);
}

}  // namespace TARN_PRECISION
}  // namespace tarn::healpix
