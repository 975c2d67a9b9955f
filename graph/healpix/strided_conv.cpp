#include "tarn/graph/healpix/strided_conv.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/linear.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/nine_point.hpp"
#include "tarn/graph/healpix/quad_tree.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

namespace {

using healpix::Hierarchy;

/// The children of each coarse pixel side by side in NEST order, zeros for those that a map has not:
/// [B P_in, C] -> [B P_out, children C].
Var gather_children(const Hierarchy& hierarchy, Size maps, Var x) {
  const Size coarse = hierarchy.coarse().size(), fine = hierarchy.fine().size(), channels = x.cols();
  const Shape shape{maps * coarse, hierarchy.num_children() * channels};
  const ConstMatrixView in = x.value();
  if (hierarchy.contiguous() && in.contiguous()) return reshape(x, shape);
  Tape& tape = x.tape();
  const MatrixView y = tape.allocate(shape);
  const Size block = std::max<Size>(1, 1024 / hierarchy.num_children());
  for_blocks(maps * coarse, block, [&](Size begin, Size end) {
    for (Size q = begin; q < end; ++q) {
      std::fill_n(y.row(q), y.cols, Real{0});
      hierarchy.for_children(q % coarse, [&](Size row, Size k) {
        std::copy_n(in.row(q / coarse * fine + row), channels, y.row(q) + k * channels);
      });
    }
  });
  return tape.record("healpix_children", shape, y, {x}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dx = tape.grad(x);
    for_blocks(maps * coarse, block, [&](Size begin, Size end) {
      for (Size q = begin; q < end; ++q) {
        hierarchy.for_children(q % coarse, [&](Size row, Size k) {
          Real* to = dx.row(q / coarse * fine + row);
          const Real* from = dy.row(q) + k * channels;
          for (Size c = 0; c < channels; ++c) to[c] += from[c];
        });
      }
    });
  });
}

/// weight [out, in, children] -> [out, children in], children in NEST order.
Var weight_in_nest_order(Var weight, std::span<const Size> places) {
  Tape& tape = weight.tape();
  const Size out = weight.shape()[0], in = weight.shape()[1], children = weight.shape()[2];
  const Shape shape{out, children * in};
  const auto place = tape.allocate_array<Size>(children);
  std::copy(places.begin(), places.end(), place.begin());
  const MatrixView y = tape.allocate(shape);
  const Real* w = weight.value().data;
  const auto for_entries = [=](auto f) {
    for (Size o = 0; o < out; ++o) {
      for (Size k = 0; k < children; ++k) {
        for (Size i = 0; i < in; ++i)
          f((o * in + i) * children + place[static_cast<std::size_t>(k)], (o * children + k) * in + i);
      }
    }
  };
  for_entries([&](Size from, Size to) { y.data[to] = w[from]; });
  return tape.record("healpix_strided_weight", shape, y, {weight}, [=, &tape](ConstMatrixView dy) {
    Real* dw = tape.grad(weight).data;
    for_entries([&](Size from, Size to) { dw[from] += dy.data[to]; });
  });
}

Size require_coarser(const HealpixStridedConvOptions& o) {
  check_options(o, "healpix-strided-conv");
  if (o.nside_out >= o.nside_in) {
    throw ValueError(fmt::format("healpix-strided-conv.nside_out: got {}; expected less than nside_in, {}",
                                 o.nside_out, o.nside_in));
  }
  return o.nside_out;
}

}  // namespace

void HealpixStridedConvOptions::fields(Fields& f) {
  f("nside_in", nside_in, at_least(1), "resolution of the maps that come in");
  f("nside_out", nside_out, at_least(1), "resolution of the result, less than nside_in");
  f("ordering", ordering, "how the pixels of both are numbered");
  f("in_channels", in_channels, at_least(1), "channels of the maps that come in");
  f("out_channels", out_channels, at_least(1), "channels of the result");
  f("bias", bias, "adds a number to every channel of the result");
  f("pixels", pixels, at_least(0), "pixels of a partial sky, ascending; null: all");
}

inline namespace TARN_PRECISION {

HealpixStridedConv::HealpixStridedConv(const Options& o)
    : hierarchy_(healpix::SkyOptions{o.nside_in, o.ordering, o.pixels}.sky("healpix-strided-conv"),
                 require_coarser(o), "healpix-strided-conv"),
      weight_(parameter("weight", {o.out_channels, o.in_channels, hierarchy_.num_children()},
                        {Init::Kind::uniform, 0.05})),
      bias_(o.bias ? &parameter("bias", {o.out_channels}, constant(0)) : nullptr) {}

Size HealpixStridedConv::weight_place(Size nest_child) const {
  const Size side = input_sky().grid().nside() / output_sky().grid().nside();
  return healpix::gather_bits(nest_child) * side + healpix::gather_bits(nest_child >> 1);
}

Var HealpixStridedConv::forward(Var x) {
  Tape& tape = x.tape();
  const Size in = weight_.value.shape()[1], out = weight_.value.shape()[0];
  const Size maps = healpix::count_maps("healpix-strided-conv", x, input_sky().size(), in);
  std::vector<Size> places;
  for (Size k = 0; k < hierarchy_.num_children(); ++k) places.push_back(weight_place(k));
  const Var weight = weight_in_nest_order(tape.parameter(weight_), places);
  const Var y =
      linear(gather_children(hierarchy_, maps, x), weight, bias_ != nullptr ? tape.parameter(*bias_) : Var{});
  return reshape(y, healpix::map_shape(x, maps, output_sky().size(), out));
}

}  // namespace TARN_PRECISION
}  // namespace tarn
