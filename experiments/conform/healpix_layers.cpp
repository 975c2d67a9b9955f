#include "tarn/experiments/conform/healpix_adapters.hpp"
#include "tarn/graph/healpix/conv.hpp"

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

void run_conv(CaseRun& run) {
  const std::shared_ptr<SphereLayer> layer = sphere_layers().make(run.golden().op, layer_options(run));
  run.keep(layer);
  run.load(*layer);
  run.output("y", layer->forward(run.input("x")));
}

}  // namespace

inline namespace TARN_PRECISION {

const NamedAdapters& healpix_layer_adapters() {
  static const NamedAdapters all = {{"healpix-conv", run_conv}};
  return all;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
