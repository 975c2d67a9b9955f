#include "tarn/experiments/sphere/sphere_equivariance.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/options.hpp"
#include "tarn/experiments/comparison.hpp"
#include "tarn/experiments/option_tables.hpp"
#include "tarn/experiments/trial_runner.hpp"
#include "tarn/graph/healpix/conv.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>

namespace tarn {

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* owner = "sphere-equivariance";
constexpr const char* metric = "rotation_error";
constexpr const char* stencil = "healpix-conv";
constexpr std::string_view nearest = "knn-";

/// The k of "knn-20"; nothing for other names.
std::optional<Size> neighbours_of(std::string_view filter) {
  if (!filter.starts_with(nearest)) return std::nullopt;
  const std::string_view digits = filter.substr(nearest.size());
  Size k = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), k);
  const bool whole = error == std::errc() && end == digits.data() + digits.size() && k >= 1;
  return whole ? std::optional(k) : std::nullopt;
}

std::unique_ptr<SphereLayer> make_filter(const std::string& name, const SphereEquivarianceOptions& o,
                                         Size nside) {
  if (name == stencil) {
    HealpixConvOptions options;
    options.nside = nside;
    options.in_channels = 1;
    options.out_channels = o.channels;
    return std::make_unique<HealpixConv>(options);
  }
  HealpixChebConvOptions options;
  options.nside = nside;
  options.in_channels = 1;
  options.out_channels = o.channels;
  options.kernel_size = o.kernel_size;
  options.bias = false;
  options.weights = o.weights;
  if (const std::optional<Size> k = neighbours_of(name)) {
    options.neighbourhood = Neighbourhood::knn;
    options.k = *k;
    options.kernel_width = o.kernel_width;
  }
  return std::make_unique<HealpixChebConv>(options);
}

/// Throws for a filter that cannot be had at a resolution, without making it.
void require_filter(const std::string& name, const SphereEquivarianceOptions& o, Size nside) {
  if (name == stencil || name == "adjacent") return;
  const std::optional<Size> k = neighbours_of(name);
  if (!k) {
    throw ConfigError(
        fmt::format("{}.filters: got '{}'; expected healpix-conv, adjacent or knn-K with a whole number K, "
                    "such as knn-20",
                    owner, name));
  }
  const Size pixels = healpix::Grid(nside).num_pixels();
  if (*k >= pixels) {
    throw ConfigError(fmt::format(
        "{}.filters: got {} at nside {}; expected at most {} neighbours, one less than the pixels", owner,
        name, nside, pixels - 1));
  }
  const bool by_width =
      o.weights == SphereWeights::by_neighbourhood || o.weights == SphereWeights::gaussian_half;
  if (by_width && !o.kernel_width && !kernel_width(*k, nside)) {
    throw ConfigError(
        fmt::format("{}.kernel_width: not set, and none is known for {} at nside {}; expected a number, or "
                    "knn-8, knn-20, knn-40 or knn-60",
                    owner, name, nside));
  }
}

struct EquivarianceTrial {
  std::string filter;
  Size nside = 0;
  Size seed = 0;

  [[nodiscard]] Value axes() const {
    Value axes;
    axes.set("filter", filter);
    axes.set("nside", nside);
    axes.set("seed", seed);
    return axes;
  }
};

/// Means over seeds, a row per resolution and filter.
Table error_table(const SphereEquivarianceOptions& options, const RunDirectory& run) {
  Table table("Errors of equivariance, % of the norm of what the filter gives", {{"nside"},
                                                                                 {"filter", Align::left},
                                                                                 {"any rotation"},
                                                                                 {"turning a map alone"},
                                                                                 {"turns by 90 degrees"},
                                                                                 {"mirrors"},
                                                                                 {"seeds"}});
  bool first = true;
  for (const Size nside : options.nside) {
    if (!first) table.add_rule();
    first = false;
    for (const std::string& filter : options.filters) {
      std::array<std::vector<double>, 4> values;
      for (const Size seed : options.seeds) {
        const Value* line = run.finished(EquivarianceTrial{filter, nside, seed}.axes());
        if (line == nullptr) continue;
        std::size_t i = 0;
        for (const char* name : {metric, "transform_error", "quarter_error", "mirror_error"})
          values[i++].push_back(line->find(name)->number().value_or(0));
      }
      if (values[0].empty()) continue;
      table.add_row({fmt::format("{}", nside), filter,
                     format_interval(mean(values[0]), t_interval(values[0]), 1, 2),
                     format_number(mean(values[1])), format_number(mean(values[2])),
                     format_number(mean(values[3])), fmt::format("{}", values[0].size())});
    }
  }
  return table;
}

void require_some(const char* option, bool empty) {
  if (empty) throw ConfigError(fmt::format("{}.{}: got []; expected at least one", owner, option));
}

SphereEquivarianceOptions read(const Value& given) {
  return read_options<SphereEquivarianceOptions>(options_beside(given, {}), owner);
}

}  // namespace

void SphereEquivarianceOptions::fields(Fields& f) {
  f("filters", filters,
    "healpix-conv (nine points), or healpix-cheb-conv on the graph of adjacent pixels (adjacent) or of the K "
    "nearest "
    "(knn-K)");
  f("nside", nside, at_least(1), "resolutions, a column each; powers of two");
  f("seeds", seeds, at_least(0), "of weights, fields and turns; one trial each");
  f("channels", channels, at_least(1), "random filters measured together");
  f("kernel_size", kernel_size, at_least(1), "K of healpix-cheb-conv: polynomials of degree K - 1");
  f("weights", weights, "of the edges");
  f("kernel_width", kernel_width, above(0),
    "of knn graphs; null: the best one for k and nside, where it is known");
  f("lmax", lmax, at_least(1), "degrees of the fields; null: nside");
  f("fields", fields_per_seed, at_least(1), "random fields of a seed, each with turns of its own");
  f("turning", turning, "how what a filter gives is turned by any rotation");
  f("iterations", iterations, at_least(0), "of the analysis of what a filter gives, with harmonics");
}

std::string SphereEquivariance::help() const {
  return "For random fields x and rotations g, how much filter(g x) and g filter(x) differ: |filter(g x) - g "
         "filter(x)| "
         "/ |filter(x)|. Turns by 90 degrees and mirrors move pixels onto pixels, so a filter that depends "
         "on distances "
         "alone keeps to them up to rounding; a stencil with a direction keeps to turns by 90 degrees alone. "
         "Any other "
         "rotation is made with spherical harmonics, and what that costs without a filter stands beside it. "
         "Weights "
         "are random: nothing is trained and no file is needed.\n"
         "Defferrard et al. 2020, DeepSphere: a graph-based spherical CNN, arXiv 2012.15000: the error falls "
         "with the "
         "number of neighbours and with nside.";
}

std::vector<FieldDescription> SphereEquivariance::options() const {
  return describe_options<SphereEquivarianceOptions>();
}

Value SphereEquivariance::resolve(const Value& given) const {
  const SphereEquivarianceOptions options = read(given);
  require_some("filters", options.filters.empty());
  require_some("nside", options.nside.empty());
  require_some("seeds", options.seeds.empty());
  for (const Size nside : options.nside) {
    static_cast<void>(healpix::Grid(nside, fmt::format("{}.nside", owner)));
    for (const std::string& filter : options.filters) require_filter(filter, options, nside);
  }
  return write_options(options);
}

void SphereEquivariance::run(ExperimentContext& context) const {
  const SphereEquivarianceOptions options = read(context.config);
  std::vector<EquivarianceTrial> trials;
  std::vector<PlannedTrial> planned;
  for (const Size nside : options.nside) {
    for (const std::string& filter : options.filters) {
      for (const Size seed : options.seeds) {
        trials.push_back({filter, nside, seed});
        const auto cost = static_cast<double>(nside * nside * nside);
        planned.push_back({.axes = trials.back().axes(), .epochs = 0, .epoch_cost = cost, .group = nside});
      }
    }
  }
  const std::vector<std::size_t> pending = restore_trials(context, planned);
  const std::vector<std::string> diverged =
      run_trials(context, planned, pending, [&](std::size_t index, const TrainingHooks&) {
        const auto start = Clock::now();
        const EquivarianceTrial& trial = trials[index];
        const std::unique_ptr<SphereLayer> filter = make_filter(trial.filter, options, trial.nside);
        const Rng rng = Rng(static_cast<std::uint64_t>(trial.seed)).split(owner);
        filter->init(rng.split("weights"));
        const EquivarianceErrors errors = measure_equivariance(*filter,
                                                               {.lmax = options.lmax.value_or(0),
                                                                .fields = options.fields_per_seed,
                                                                .turning = options.turning,
                                                                .iterations = options.iterations},
                                                               rng);
        Value metrics;
        metrics.set(metric, errors.rotation);
        metrics.set("transform_error", errors.transform);
        metrics.set("quarter_error", errors.quarter);
        metrics.set("mirror_error", errors.mirror);
        metrics.set("parameters", filter->num_parameters());
        metrics.set("seconds", std::chrono::duration<double>(Clock::now() - start).count());
        return metrics;
      });
  const std::vector<std::string> axes = {"nside"};
  const TrialSet finished = finished_trials(context.run, planned, axes);
  const RunSummary summary{
      .experiment = name(),
      .metric = metric,
      .axes = axes,
      .notes = {fmt::format(
                    "Fields have equal power at degrees 1 to {}. An error of any rotation near that of "
                    "turning a map alone is one of the turning, not of the filter.",
                    options.lmax ? fmt::format("{}", *options.lmax) : "nside"),
                "The K nearest pixels are not always one set: among equally near ones the lower number "
                "counts, which "
                "turns and mirrors do not keep. Adjacent pixels are."},
      .warnings = {},
      .tables = {error_table(options, context.run)}};
  context.console.result(summary.tables.front().text());
  for (const std::string& note : summary.notes) context.console.result(note);
  finish_run(context, planned, summary, diverged);
}

}  // namespace tarn
