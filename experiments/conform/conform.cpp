#include "tarn/experiments/conform/conform.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/experiments/conform/adapters.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

constexpr double double_tolerance = 1e-9;

std::string place(const Shape& shape, Size flat) {
  std::vector<Size> index;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    index.insert(index.begin(), flat % shape[d]);
    flat /= shape[d];
  }
  return Shape(std::span<const Size>(index)).text();
}

void compare(const GoldenCase& c, const std::string& name, const GoldenTensor& want,
             const std::map<std::string, std::vector<double>>& have, std::vector<Mismatch>& mismatches,
             const std::string& key) {
  const auto it = have.find(key);
  if (it == have.end()) return mismatches.push_back({name, "missing from the result"});
  const std::vector<double>& got = it->second;
  if (got.size() != want.values.size()) {
    return mismatches.push_back(
        {name, fmt::format("{} numbers; expected {} {}", got.size(), want.values.size(), want.shape.text())});
  }
  const bool exact = sizeof(Real) == sizeof(double);
  const double rtol = exact ? double_tolerance : c.rtol, atol = exact ? double_tolerance : c.atol;
  double worst = 0;
  std::size_t worst_at = 0;
  bool failed = false;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error = std::abs(got[i] - want.values[i]);
    const double allowed = want.integers ? 0 : atol + rtol * std::abs(want.values[i]);
    if (error <= allowed) continue;
    // Written so that a NaN counts as the worst.
    if (!failed || !(error <= worst)) {
      worst = error;
      worst_at = i;
    }
    failed = true;
  }
  if (!failed) return;
  mismatches.push_back({name, fmt::format("error {:.3g} at {}: got {:.10g}, expected {:.10g}", worst,
                                          place(want.shape, static_cast<Size>(worst_at)), got[worst_at],
                                          want.values[worst_at])});
}

/// Whole numbers beyond 2^53, which the same double may stand for.
void compare_whole(const std::string& name, const GoldenTensor& want,
                   const std::map<std::string, std::vector<Size>>& have, std::vector<Mismatch>& mismatches,
                   const std::string& key) {
  const auto it = have.find(key);
  if (!want.integers || it == have.end() || it->second.size() != want.whole.size()) return;
  const auto [got, expected] = std::mismatch(it->second.begin(), it->second.end(), want.whole.begin());
  if (got == it->second.end() || static_cast<double>(*got) != static_cast<double>(*expected)) return;
  mismatches.push_back({name, fmt::format("at {}: got {}, expected {}",
                                          place(want.shape, got - it->second.begin()), *got, *expected)});
}

bool wanted(const GoldenCase& c, const ConformOptions& o) {
  const bool named =
      o.operators.empty() || std::find(o.operators.begin(), o.operators.end(), c.op) != o.operators.end();
  const std::string pattern = "*" + o.pattern + "*";
  return named && (o.pattern.empty() || fnmatch(pattern.c_str(), c.name.c_str(), 0) == 0);
}

std::vector<std::string> known_operators() {
  std::vector<std::string> known;
  for (const Adapter& adapter : adapters()) {
    for (const std::string& name : adapter.names()) known.push_back(name);
  }
  std::sort(known.begin(), known.end());
  return known;
}

}  // namespace

std::vector<Mismatch> check_case(const GoldenCase& c) {
  const Adapter* adapter = find_adapter(c.op);
  if (adapter == nullptr) {
    return {{"operator", fmt::format("unknown operator '{}'{}", c.op, suggestion(c.op, known_operators()))}};
  }
  std::vector<Mismatch> mismatches;
  try {
    CaseRun run(c);
    adapter->run(run);
    run.finish();
    for (const auto& [name, want] : c.outputs) {
      compare(c, "outputs/" + name, want, run.outputs(), mismatches, name);
      compare_whole("outputs/" + name, want, run.whole_outputs(), mismatches, name);
    }
    for (const auto& [name, want] : c.gradients)
      compare(c, "gradients/" + name, want, run.gradients(), mismatches, name);
  } catch (const Error& e) {
    mismatches.push_back({"run", e.what()});
  }
  return mismatches;
}

ConformResult conform(const std::vector<std::string>& files, const ConformOptions& options) {
  ConformResult result;
  for (const std::string& file : files) {
    for (const GoldenCase& c : read_golden(file)) {
      if (!wanted(c, options)) continue;
      if (options.known_only && find_adapter(c.op) == nullptr) {
        ++result.skipped;
        continue;
      }
      const std::vector<Mismatch> mismatches = check_case(c);
      for (const Mismatch& m : mismatches)
        result.lines.push_back(fmt::format("{}: {}: {}", c.where(), m.tensor, m.text));
      ++(mismatches.empty() ? result.passed : result.failed);
    }
  }
  return result;
}

}  // namespace tarn
