#include "tarn/experiments/conform/healpix_adapters.hpp"
#include "tarn/experiments/sphere/healpix_cnn.hpp"
#include "tarn/graph/healpix/cheb_conv.hpp"
#include "tarn/graph/healpix/conv.hpp"
#include "tarn/graph/healpix/pool.hpp"
#include "tarn/graph/healpix/strided_conv.hpp"
#include "tarn/graph/healpix/unpool.hpp"

namespace tarn {

namespace {

/// The case's options, with the list of pixels where it comes as an input.
Value layer_options(const CaseRun& run) {
  Value options = run.golden().user_options();
  if (run.has("pixels")) {
    Value::List pixels;
    for (const Size p : run.integers("pixels")) pixels.emplace_back(p);
    options.set("pixels", std::move(pixels));
  }
  return options;
}

/// [2, E], sources then targets, in canonical order.
std::vector<Size> edges_of(const Graph& graph) {
  const auto sources = graph.sources();
  std::vector<Size> edges(sources.begin(), sources.end());
  for (const NodeId target : graph.targets()) edges.push_back(target);
  return edges;
}

void run_graph(CaseRun& run) {
  const auto options = read_options<SphereGraphOptions>(layer_options(run), run.golden().op);
  const SphereGraph graph = sphere_graph(options);
  run.output("edges", edges_of(graph.graph));
  run.output("edge_attr", graph.weights);
  for (const Laplacian kind : {Laplacian::combinatorial, Laplacian::normalized}) {
    const std::string name = "laplacian_" + std::string(enum_names(kind)[static_cast<std::size_t>(kind)]);
    const SymmetricMatrix l = laplacian_matrix(graph, kind);
    run.output(name + "_edges", edges_of(l.graph));
    run.output(name + "_attr", l.values);
    if (kind == Laplacian::normalized) run.output("lambda_max", std::vector<double>{largest_eigenvalue(l)});
  }
}

void run_layer(CaseRun& run) {
  const std::shared_ptr<SphereLayer> layer = sphere_layers().make(run.golden().op, layer_options(run));
  run.keep(layer);
  run.load(*layer);
  run.output("y", layer->forward(run.input("x")));
}

void run_cnn(CaseRun& run) {
  const auto network =
      std::make_shared<HealpixCnn>(read_options<HealpixCnnOptions>(layer_options(run), run.golden().op));
  run.keep(network);
  run.load(*network);
  run.output("y", network->forward({.x = run.input("x"), .ordering = network->input_sky().ordering()}));
}

void run_strided_conv(CaseRun& run) {
  const auto layer = std::make_shared<HealpixStridedConv>(
      read_options<HealpixStridedConvOptions>(layer_options(run), run.golden().op));
  run.keep(layer);
  run.load(*layer);
  run.output("y", layer->forward(run.input("x")));
  const Size children = layer->hierarchy().num_children();
  std::vector<Size> numbers(static_cast<std::size_t>(layer->output_sky().size() * children));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const Size q = static_cast<Size>(i) / children, k = static_cast<Size>(i) % children;
    numbers[static_cast<std::size_t>(q * children + layer->weight_place(k))] =
        layer->hierarchy().child_pixel(q, k);
  }
  run.output("children", std::move(numbers));
}

void run_pool(CaseRun& run) {
  const HealpixPool layer(read_options<HealpixPoolOptions>(layer_options(run), run.golden().op));
  std::vector<std::uint8_t> mask;
  if (run.has("mask")) {
    for (const Size m : run.integers("mask")) mask.push_back(static_cast<std::uint8_t>(m));
  }
  const PooledMaps pooled = layer.pool(run.input("x"), mask);
  run.output("y", pooled.y);
  run.output("argmax", std::vector<Size>(pooled.argmax.begin(), pooled.argmax.end()));
  run.output("mask", std::vector<Size>(pooled.mask.begin(), pooled.mask.end()));
  std::vector<Size> children;
  for (Size q = 0; q < layer.output_sky().size(); ++q) {
    for (Size k = 0; k < layer.hierarchy().num_children(); ++k)
      children.push_back(layer.hierarchy().child_pixel(q, k));
  }
  run.output("children", std::move(children));
}

void run_unpool(CaseRun& run) {
  HealpixUnpool layer(read_options<HealpixUnpoolOptions>(layer_options(run), run.golden().op));
  const Var x = run.input("x");
  run.output("y", run.has("argmax") ? layer.unpool(x, run.integers("argmax")) : layer.forward(x));
  std::vector<Size> parents(static_cast<std::size_t>(layer.output_sky().size()));
  for (Size q = 0; q < layer.input_sky().size(); ++q) {
    layer.hierarchy().for_children(q, [&](Size row, Size) { parents[static_cast<std::size_t>(row)] = q; });
  }
  run.output("parent", std::move(parents));
}

}  // namespace

inline namespace TARN_PRECISION {

const NamedAdapters& healpix_layer_adapters() {
  static const NamedAdapters all = {
      {"healpix-graph", run_graph},     {"healpix-conv", run_layer},
      {"healpix-cheb-conv", run_layer}, {"healpix-strided-conv", run_strided_conv},
      {"healpix-cnn", run_cnn},         {"healpix-pool", run_pool},
      {"healpix-unpool", run_unpool}};
  return all;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
