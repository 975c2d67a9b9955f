#include "tarn/experiments/benchmarks/normaliser_benchmarks.hpp"

#include "tarn/experiments/benchmarks/workload.hpp"
#include "tarn/pooling/normalisers/softmax_weights.hpp"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <string>

namespace tarn {

namespace {

enum class Passes { forward, both };

void bench_normaliser(State& state, const std::string& name, const Value& options, const Segments& sets,
                      Size columns, Passes passes) {
  const auto normaliser = normalisers().make(name, options);
  const Tensor scores = normal_numbers({sets.num_rows(), columns}, "scores");
  const NeedsGrad needs_grad = passes == Passes::both ? NeedsGrad::yes : NeedsGrad::no;
  Tape tape;
  const auto work = [&] {
    tape.reset({.training = true});
    const Var w = normaliser->forward({tape.input(scores, needs_grad), sets});
    if (passes == Passes::forward) return;
    const std::pair<Var, ConstMatrixView> seed{w, scores.matrix()};
    tape.backward(std::span(&seed, 1));
  };
  // The arena grows to its size.
  work();
  const Timing timing = time_iterations(state, work);
  const double passes_over_scores = passes == Passes::forward ? 2 : 5;
  state.counters["elements/s"] = static_cast<double>(scores.size()) / timing.fastest;
  count_bytes(state, passes_over_scores * static_cast<double>(scores.size()) * sizeof(Real), timing);
}

}  // namespace

std::vector<BenchmarkEntry> normaliser_benchmarks() {
  std::vector<BenchmarkEntry> entries;
  for (const std::string& name : normalisers().names()) {
    entries.push_back({"normalisers/" + name, [=](State& s) {
                         bench_normaliser(s, name, {}, Segments::uniform(4096, 64), 4, Passes::both);
                       }});
  }
  constexpr std::array<std::pair<Size, Size>, 4> shapes{
      {{16, 4096}, {256, 4096}, {4096, 4096}, {8, 1048576}}};
  for (const std::string_view algorithm : enum_names(SoftmaxAlgorithm{})) {
    for (const auto& [sets, rows] : shapes) {
      Value options;
      options.set("algorithm", std::string(algorithm));
      entries.push_back({fmt::format("normalisers/softmax/{}/{}x{}", algorithm, sets, rows), [=](State& s) {
                           bench_normaliser(s, "softmax-weights", options, Segments::uniform(sets, rows), 1,
                                            Passes::forward);
                         }});
    }
  }
  return entries;
}

}  // namespace tarn
