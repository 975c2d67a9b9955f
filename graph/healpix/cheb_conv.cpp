#include "tarn/graph/healpix/cheb_conv.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/graph/healpix/nine_point.hpp"

#include <fmt/format.h>

#include <cmath>

namespace tarn {

namespace {

const HealpixChebConvOptions& checked(const HealpixChebConvOptions& o) {
  check_options(o, "healpix-cheb-conv");
  if (o.laplacian == Laplacian::none) {
    throw ValueError("healpix-cheb-conv.laplacian: got none; expected normalized or combinatorial");
  }
  if (const auto given = o.lambda_max.number(); given && !(*given > 0 && std::isfinite(*given))) {
    throw ValueError(
        fmt::format("healpix-cheb-conv.lambda_max: got {}; expected a number above 0, or estimate", *given));
  }
  return o;
}

Init weight_init(const HealpixChebConvOptions& o) {
  const double in = static_cast<double>(o.in_channels), order = static_cast<double>(o.kernel_size);
  if (o.init == ChebyshevInit::ds1) return truncated_normal(1 / std::sqrt(in * (order + 0.5) / 2));
  return normal(std::sqrt(2 / (in * order)));
}

/// Every row has its diagonal entry, also that of a node without edges, whose row of L is empty: -1 there.
SymmetricMatrix with_diagonal(const SymmetricMatrix& l) {
  const Size n = l.graph.num_nodes();
  const Adjacency rows = l.graph.incoming();
  std::vector<Size> offsets{0};
  std::vector<NodeId> nodes;
  std::vector<double> values;
  for (Size i = 0; i < n; ++i) {
    const Rows run = rows.positions(i);
    for (Size e = run.begin; e < run.end; ++e) {
      nodes.push_back(rows.nodes[static_cast<std::size_t>(e)]);
      values.push_back(l.values[static_cast<std::size_t>(e)]);
    }
    if (run.size() == 0) {
      nodes.push_back(static_cast<NodeId>(i));
      values.push_back(0);
    }
    offsets.push_back(static_cast<Size>(nodes.size()));
  }
  return {Graph::from_symmetric_csr(std::move(offsets), std::move(nodes)), std::move(values)};
}

}  // namespace

void HealpixChebConvOptions::fields(Fields& f) {
  SphereGraphOptions::fields(f);
  f("in_channels", in_channels, at_least(1), "channels of the maps that come in");
  f("out_channels", out_channels, at_least(1), "channels of the result");
  f("kernel_size", kernel_size, at_least(1), "number of polynomials");
  f("scale", scale, above(0), "shrinks the spectrum inside [-1, 1]");
  f("lambda_max", lambda_max, {"estimate"}, "largest eigenvalue of the Laplacian");
  f("lambda_margin", lambda_margin, above(0), "factor on the estimate of it");
  f("bias", bias, "adds a number to every channel of the result");
  f("init", init, "how the weights start, after either public code");
  f("memory", memory, "keep the polynomials for the backward pass, or compute them again");
}

inline namespace TARN_PRECISION {

namespace {

std::shared_ptr<const SparseOperator> shifted(const SymmetricMatrix& l, double factor) {
  const SymmetricMatrix full = with_diagonal(l);
  auto result = std::make_shared<SparseOperator>(SparseOperator{full.graph, {}});
  const Adjacency rows = full.graph.incoming();
  for (Size i = 0; i < full.graph.num_nodes(); ++i) {
    const Rows run = rows.positions(i);
    for (Size e = run.begin; e < run.end; ++e) {
      const bool diagonal = rows.nodes[static_cast<std::size_t>(e)] == i;
      const double value = factor * full.values[static_cast<std::size_t>(e)] - (diagonal ? 1 : 0);
      result->values.push_back(static_cast<Real>(value));
    }
  }
  return result;
}

}  // namespace

HealpixChebConv::HealpixChebConv(const Options& o)
    : sky_(checked(o).sky("healpix-cheb-conv")),
      memory_(o.memory),
      weight_(parameter("weight", {o.kernel_size, o.in_channels, o.out_channels}, weight_init(o))),
      bias_(o.bias ? &parameter("bias", {o.out_channels}, constant(o.init == ChebyshevInit::ds2 ? 0.01 : 0))
                   : nullptr) {
  const SymmetricMatrix l = laplacian_matrix(sphere_graph(o, "healpix-cheb-conv"), o.laplacian);
  const auto given = o.lambda_max.number();
  lambda_max_ = given ? *given : o.lambda_margin * largest_eigenvalue(l);
  // A graph without edges has no spectrum to scale: Lt is -I.
  l_ = shifted(l, lambda_max_ > 0 ? 2 * o.scale / lambda_max_ : 0);
}

Var HealpixChebConv::forward(Var x) {
  Tape& tape = x.tape();
  const Size in = weight_.value.shape()[1], out = weight_.value.shape()[2];
  const Size maps = healpix::count_maps("healpix-cheb-conv", x, sky_.size(), in);
  const Var y = chebyshev(l_, maps, x, tape.parameter(weight_),
                          bias_ != nullptr ? tape.parameter(*bias_) : Var{}, memory_);
  return reshape(y, healpix::map_shape(x, maps, sky_.size(), out));
}

}  // namespace TARN_PRECISION
}  // namespace tarn
