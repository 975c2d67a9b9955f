#include "tarn/pooling/catalogue.hpp"

#include "tarn/pooling/layer_readouts/layer_readout.hpp"
#include "tarn/pooling/query_readouts/query_readout.hpp"
#include "tarn/pooling/readouts/primitives.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include <fmt/format.h>

namespace tarn {

namespace {

/// One row for every operator that has a note; those a program has added have none.
template <class Family>
std::string table(const char* title, const Registry<Family>& registry, const Primitives& notes) {
  std::string text =
      fmt::format("| {} | primitives | formula | source |\n| --- | --- | --- | --- |\n", title);
  for (const auto& [name, primitives] : notes) {
    const OperatorDocs& docs = registry.at(name).docs;
    text += fmt::format("| `{}` | {} | {} |{}{} |\n", name, primitives, docs.summary,
                        docs.source.empty() ? "" : " ", docs.source);
  }
  return text;
}

}  // namespace

std::string readout_tables() {
  return table("readout", readouts(), readout_primitives()) + "\n" +
         table("layer-aware", layer_readouts(), layer_readout_primitives()) + "\n" +
         table("query-conditioned", query_readouts(), query_readout_primitives());
}

}  // namespace tarn
