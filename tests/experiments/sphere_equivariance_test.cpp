#include "tarn/experiments/sphere/sphere_equivariance.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/conv.hpp"

#include "experiments/experiment_run.hpp"
#include <catch2/catch.hpp>

using namespace tarn;
using Catch::Contains;

namespace {

HealpixChebConvOptions polynomial(Size nside, Size kernel_size) {
  HealpixChebConvOptions options;
  options.nside = nside;
  options.in_channels = 1;
  options.out_channels = 4;
  options.kernel_size = kernel_size;
  options.bias = false;
  return options;
}

EquivarianceErrors errors_of(SphereLayer& layer, const EquivarianceOptions& options = {.fields = 3}) {
  layer.init(Rng(1));
  return measure_equivariance(layer, options, Rng(2));
}

double metric(const Value& results, const std::string& filter, const char* name) {
  for (const Value& trial : *results.find("trials")->list()) {
    if (*trial.find("filter")->string() == filter) return *trial.find(name)->number();
  }
  FAIL(filter);
  return 0;
}

const std::vector<std::string> tiny = {"nside=[4, 8]", "filters=[\"healpix-conv\", \"adjacent\", \"knn-20\"]",
                                       "seeds=[0, 1]", "channels=3", "fields=2"};

}  // namespace

TEST_CASE("a filter that only scales commutes with every rotation", "[experiments][sphere][equivariance]") {
  HealpixChebConv scaling(polynomial(8, 1));
  const EquivarianceErrors harmonics = errors_of(scaling);
  CHECK(harmonics.quarter == 0);
  CHECK(harmonics.mirror == 0);
  CHECK(harmonics.rotation < 1e-3);  // of single precision and of ten iterations
  CHECK(harmonics.transform < 1e-3);
  // Between pixels the same turn of the input and of the output loses the same.
  const EquivarianceErrors between = errors_of(scaling, {.fields = 3, .turning = Turning::interpolation});
  CHECK(between.rotation < 1e-4);
  CHECK(between.transform > 5);
}

TEST_CASE("what depends on distances alone commutes with the symmetries of the pixels",
          "[experiments][sphere][equivariance]") {
  HealpixChebConv distances(polynomial(8, 5));
  const EquivarianceErrors graph = errors_of(distances);
  CHECK(graph.quarter < 1e-3);
  CHECK(graph.mirror < 1e-3);
  CHECK(graph.rotation > 4 * graph.transform);
  CHECK(graph.rotation < 30);

  HealpixConvOptions options;
  options.nside = 8;
  options.in_channels = 1;
  options.out_channels = 4;
  HealpixConv stencil(options);
  const EquivarianceErrors compass = errors_of(stencil);
  CHECK(compass.quarter < 1e-3);
  CHECK(compass.mirror > 20);
  CHECK(compass.rotation > 3 * graph.rotation);
}

TEST_CASE("equivariance is measured on the full sky alone", "[experiments][sphere][equivariance]") {
  HealpixConvOptions options;
  options.nside = 2;
  options.in_channels = 1;
  options.out_channels = 1;
  options.pixels = std::vector<Size>{0, 1, 5};
  HealpixConv part(options);
  CHECK_THROWS_WITH(errors_of(part), Contains("expected one from the full sky to the full sky, nest"));
  options.pixels.reset();
  options.ordering = healpix::Ordering::ring;
  HealpixConv rings(options);
  CHECK_THROWS_AS(errors_of(rings), ShapeError);
}

TEST_CASE("sphere-equivariance gives a table, and the same for any number of threads",
          "[experiments][sphere][equivariance]") {
  const ScratchDirectory scratch;
  const SphereEquivariance experiment;
  const Value config = resolve(experiment, tiny);
  std::vector<Value> results;
  for (const int count : {1, 2, 4}) {
    const Threads threads(count);
    const std::filesystem::path run = scratch / std::to_string(count);
    const std::string printed = run_experiment(experiment, config, run);
    CHECK_THAT(printed,
               Contains("Errors of equivariance") && Contains("knn-20") && Contains("turning a map alone"));
    results.push_back(timeless_results(run));
    CHECK(results.back() == results.front());
  }
  REQUIRE(results[0].find("trials")->list()->size() == 12);
  CHECK(metric(results[0], "adjacent", "quarter_error") < 1e-3);
  CHECK(metric(results[0], "healpix-conv", "mirror_error") > 20);
}

TEST_CASE("an interrupted sphere-equivariance ends with the same results",
          "[experiments][sphere][equivariance]") {
  const ScratchDirectory scratch;
  const SphereEquivariance experiment;
  check_interrupted_runs(experiment, resolve(experiment, tiny), scratch);
}

TEST_CASE("sphere-equivariance says what filters there are", "[experiments][sphere][equivariance]") {
  const SphereEquivariance experiment;
  const auto refuses = [&](const std::vector<std::string>& arguments, const std::string& text) {
    INFO(arguments.front());
    CHECK_THROWS_WITH(resolve(experiment, arguments), Contains(text));
  };
  refuses({"filters=[\"star\"]"}, "filters: got 'star'; expected healpix-conv, adjacent or knn-K");
  refuses({"filters=[\"knn-0\"]"}, "got 'knn-0'");
  refuses({"filters=[\"knn-8x\"]"}, "got 'knn-8x'");
  refuses({"filters=[\"knn-20\"]", "nside=[1]"}, "got knn-20 at nside 1; expected at most 11 neighbours");
  refuses({"filters=[\"knn-9\"]"}, "kernel_width: not set, and none is known for knn-9 at nside 8");
  refuses({"filters=[]"}, "filters: got []; expected at least one");
  refuses({"seeds=[]"}, "seeds: got []");
  refuses({"nside=[]"}, "nside: got []");
  refuses({"nside=[12]"}, "sphere-equivariance.nside: nside 12; expected a power of two");
  refuses({"turning=\"wigner\""}, "turning: got \"wigner\"; expected one of harmonics, interpolation");
  CHECK_NOTHROW(resolve(experiment, {"filters=[\"knn-9\"]", "kernel_width=0.1"}));
  CHECK_NOTHROW(resolve(experiment, {"filters=[\"knn-9\"]", "weights=\"gaussian-mean\""}));
}
