#include "tarn/experiments/benchmarks/readout_benchmarks.hpp"

#include "tarn/experiments/benchmarks/workload.hpp"
#include "tarn/experiments/readout_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <memory>
#include <string_view>

namespace tarn {

namespace {

constexpr Size num_rows = 262144;
constexpr Size num_sets = 4096;
constexpr Size width = 128;
constexpr double bytes_per_mib = 1024.0 * 1024.0;

/// Log-normal sizes of deviation 1, at least 1, that sum to num_rows.
std::vector<Size> uneven_sizes() {
  const Rng rng = Rng(7).split("sizes");
  std::vector<double> shares(static_cast<std::size_t>(num_sets));
  double sum = 0;
  for (std::size_t b = 0; b < shares.size(); ++b) {
    shares[b] = std::exp(rng.normal(b));
    sum += shares[b];
  }
  std::vector<Size> sizes;
  Size used = 0;
  for (const double share : shares) {
    sizes.push_back(1 + static_cast<Size>(share / sum * static_cast<double>(num_rows - num_sets)));
    used += sizes.back();
  }
  for (std::size_t b = 0; used < num_rows; ++b, ++used) ++sizes[b];
  return sizes;
}

/// Rows and cotangents, drawn once.
class SetRows {
 public:
  SetRows() {
    for (const Size size : uneven_sizes()) offsets_.push_back(offsets_.back() + size);
  }
  [[nodiscard]] Segments sets(Size count) const {
    return Segments({offsets_.begin(), offsets_.begin() + count + 1});
  }
  const Tensor& x() {
    if (x_.size() == 0) x_ = normal_numbers({num_rows, width}, "x");
    return x_;
  }

 private:
  std::vector<Size> offsets_{0};
  Tensor x_;
};

/// One measurement: a readout, its options beyond the essential ones, and how many of the sets it gets.
struct Case {
  std::string name;
  std::string readout;
  Value options{Value::Table{}};
  Size sets = num_sets;
};

/// Passes over x that forward and backward need at least: reading x, writing its gradient, and reading x
/// again where the gradient depends on it.
double passes_of(std::string_view readout) {
  constexpr std::array<std::string_view, 2> ends = {"first", "last"};
  constexpr std::array<std::string_view, 4> linear = {"sum", "mean", "variance-preserving",
                                                      "position-weighted-mean"};
  if (std::find(ends.begin(), ends.end(), readout) != ends.end()) return 1;
  return std::find(linear.begin(), linear.end(), readout) != linear.end() ? 2 : 3;
}

void bench_readout(State& state, SetRows& rows, const Case& c) {
  Value options = essential_options(c.readout);
  options.merge(c.options);
  const auto readout = make_readout(c.readout, width, options);
  readout->init(Rng(0));
  const Segments sets = rows.sets(c.sets);
  const ConstMatrixView x = rows.x().matrix().row_block(0, sets.num_rows());
  const Tensor dy = normal_numbers({sets.count(), readout->out_dim(width)}, "dy");
  Tape tape;
  double forward = 0;
  const auto work = [&] {
    const auto start = std::chrono::steady_clock::now();
    tape.reset({.training = true});
    const Var y = readout->forward({.x = tape.input(x, {x.rows, x.cols}, NeedsGrad::yes), .sets = sets}).y;
    forward += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const std::pair<Var, ConstMatrixView> seed{y, dy.matrix()};
    tape.backward(std::span(&seed, 1));
    for (Parameter* p : readout->parameters()) p->has_grad = false;
  };
  // The arena grows to its size.
  work();
  forward = 0;
  const Timing timing = time_iterations(state, work);
  const double x_bytes = static_cast<double>(x.rows * x.cols) * sizeof(Real);
  const double result_bytes = static_cast<double>(dy.size()) * sizeof(Real);
  const double extra = static_cast<double>(tape.arena().peak_bytes()) - x_bytes - 2 * result_bytes;
  state.counters["forward ms"] = 1e3 * forward / static_cast<double>(state.iterations());
  state.counters["rows/s"] = static_cast<double>(x.rows) / timing.mean;
  state.counters["extra MiB"] = extra / bytes_per_mib;
  state.counters["extra of x"] = extra / x_bytes;
  count_bytes(state, passes_of(c.readout) * x_bytes, timing);
}

/// Options of single readouts as other libraries are measured with them, and sizes that suit the width.
Value measured_options(const std::string& readout) {
  Value options{Value::Table{}};
  const auto set = [&](const char* option, Value value) {
    if (readouts().at(readout).has_option(option)) options.set(option, std::move(value));
  };
  if (readout == "power-mean") set("p", 3.0);
  if (readout == "set2set") set("processing_steps", 3);
  if (readout == "pma") set("heads", 4);
  if (readout == "latent-attention" || readout == "perceiver-pooling") {
    set("num_latents", 32);
    set("heads", 4);
    set("dim_head", 32);
  }
  return options;
}

std::vector<Case> all_cases() {
  constexpr Size eighth = num_sets / 8;
  std::vector<Case> cases;
  for (const std::string& name : fitting_readouts()) {
    // It keeps some 60 KB a row.
    if (name == "equilibrium") {
      cases.push_back({"equilibrium/eighth", name, measured_options(name), eighth});
      continue;
    }
    cases.push_back({name, name, measured_options(name)});
    if (name == "pma") cases.push_back({"pma/eighth", name, measured_options(name), eighth});
    if (name != "attentional") continue;
    Value hidden;
    hidden.set("gate_channels", Value::List{width, 1});
    hidden.set("act", "tanh");
    cases.push_back({"attentional/hidden", name, hidden});
  }
  return cases;
}

}  // namespace

std::vector<BenchmarkEntry> readout_benchmarks() {
  std::vector<BenchmarkEntry> entries;
  const auto rows = std::make_shared<SetRows>();
  for (const Case& c : all_cases())
    entries.push_back({"readouts/" + c.name, [=](State& s) { bench_readout(s, *rows, c); }});
  return entries;
}

}  // namespace tarn
