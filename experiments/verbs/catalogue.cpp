#include "tarn/experiments/verbs/catalogue.hpp"

#include "tarn/experiments/experiment.hpp"
#include "tarn/experiments/mesh/mesh_network.hpp"
#include "tarn/experiments/sphere/sphere_network.hpp"
#include "tarn/graph/convolutions/convolution.hpp"
#include "tarn/graph/healpix/sphere_layer.hpp"
#include "tarn/graph/mesh/mesh_layer.hpp"
#include "tarn/graph/norms/norm.hpp"
#include "tarn/pooling/heads/head.hpp"
#include "tarn/pooling/layer_pools/layer_pool.hpp"
#include "tarn/pooling/layer_readouts/layer_readout.hpp"
#include "tarn/pooling/losses/loss.hpp"
#include "tarn/pooling/normalisers/normaliser.hpp"
#include "tarn/pooling/query_readouts/query_readout.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include <fmt/format.h>

namespace tarn::verbs {

namespace {

template <class Family>
CatalogueFamily family(std::string name, const Registry<Family>& registry) {
  CatalogueFamily result{std::move(name), {}};
  for (const auto& entry : registry.entries())
    result.entries.push_back({entry.name, entry.docs, entry.describe});
  return result;
}

CatalogueFamily experiment_family() {
  CatalogueFamily result{"experiments", {}};
  for (const std::string& name : experiments().names()) {
    const Experiment* experiment = experiments().find(name);
    result.entries.push_back(
        {name, {experiment->summary(), experiment->help()}, [experiment] { return experiment->options(); }});
  }
  return result;
}

}  // namespace

std::vector<CatalogueFamily> catalogue() {
  std::vector<CatalogueFamily> families;
  families.push_back(family("readouts", readouts()));
  families.push_back(family("layer readouts", layer_readouts()));
  families.push_back(family("query readouts", query_readouts()));
  families.push_back(family("normalisers", normalisers()));
  families.push_back(family("convolutions", convolutions()));
  families.push_back(family("norms", norms()));
  families.push_back(family("layer pools", layer_pools()));
  families.push_back(family("mesh layers", mesh_layers()));
  families.push_back(family("mesh networks", mesh_networks()));
  families.push_back(family("heads", heads()));
  families.push_back(family("losses", losses()));
  families.push_back(family("sphere layers", sphere_layers()));
  families.push_back(family("sphere networks", sphere_networks()));
  families.push_back(experiment_family());
  return families;
}

std::string key_lines(const std::vector<FieldDescription>& fields) {
  std::string text = "keys:\n";
  for (const FieldDescription& field : fields) {
    text += fmt::format("  {:<12} {}; {}, default {}\n", field.name, field.help, field.expected,
                        field.default_value.text());
  }
  return text;
}

}  // namespace tarn::verbs
