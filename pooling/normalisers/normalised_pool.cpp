#include "tarn/pooling/normalisers/normalised_pool.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/segment.hpp"
#include "tarn/core/ops/segment_feature_pool.hpp"

#include <fmt/format.h>

namespace tarn {

namespace {

constexpr std::string_view suffix = "-weights";

}  // namespace

void NormaliserOptions::fields(Fields& f) {
  f("normaliser", normaliser, normaliser_names(),
    "what makes weights of scores; some of the next are its own");
  ScoreOptions::fields(f);
  SoftmaxWeightsOwn::fields(f);
  DivisionWeightsOwn::fields(f);
  SigmoidWeightsOwn::fields(f, "score_bias");
  EntmaxWeightsOwn::fields(f);
  GumbelSoftmaxWeightsOwn::fields(f);
}

std::vector<std::string> normaliser_names() {
  std::vector<std::string> names = normalisers().names();
  for (std::string& name : names) {
    if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
  }
  return names;
}

inline namespace TARN_PRECISION {

std::unique_ptr<Normaliser> make_normaliser(std::string_view owner, const NormaliserOptions& options) {
  const std::string& chosen = options.normaliser;
  const auto* with_suffix = normalisers().find(chosen + std::string(suffix));
  const auto& entry = with_suffix != nullptr ? *with_suffix : normalisers().at(chosen);
  const Value given = write_options(options), defaults = write_options(NormaliserOptions());
  Value own{Value::Table{}};
  for (const auto& [key, value] : *given.table()) {
    const std::string name = key == "score_bias" ? "bias" : key;
    if (entry.has_option(name)) {
      own.set(name, value);
    } else if (key != "normaliser" && !(value == *defaults.find(key))) {
      throw ConfigError(fmt::format("{}.{}: got {} with normaliser {}, which has no such option; expected {}",
                                    owner, key, value.text(), chosen, defaults.find(key)->text()));
    }
  }
  return entry.make(own);
}

NormalisedPool::NormalisedPool(std::string_view owner, const NormaliserOptions& options)
    : normaliser_(make_normaliser(owner, options)) {
  if (write_options(options) == write_options(NormaliserOptions())) normaliser_.reset();
}

PooledRows NormalisedPool::pool_rows(Var scores, Var values, const Segments& sets) const {
  if (one_pass()) return segment_pool(scores, {&values, 1}, sets);
  const Var weights = normaliser_->forward({scores, sets});
  return {segment_pool(weights, {&values, 1}, sets, {.weighing = Weighing::given}).y, weights};
}

Var NormalisedPool::pool_features(Var scores, Var values, const Segments& sets) const {
  if (one_pass()) return segment_feature_pool(scores, values, sets);
  return segment_reduce(multiply_elements(normaliser_->forward({scores, sets}), values), sets, Reduce::sum);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
