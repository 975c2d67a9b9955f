#include "tarn/core/options.hpp"
#include "tarn/experiments/conform/healpix_adapters.hpp"
#include "tarn/graph/healpix/interpolation.hpp"
#include "tarn/graph/healpix/neighbours.hpp"
#include "tarn/graph/healpix/rotation.hpp"
#include "tarn/graph/healpix/symmetry.hpp"

namespace tarn {

namespace {

using namespace healpix;

/// The options of functions that take a resolution alone, or with an ordering.
struct GridOptions {
  Size nside = 1;
  Ordering ordering = Ordering::nest;
  void fields(Fields& f) {
    f("nside", nside, at_least(1), "resolution, a power of two");
    f("ordering", ordering, "how pixels are numbered");
  }
};

struct DegreeOptions {
  double lon = 0, lat = 0, psi = 0;
  void fields(Fields& f) {
    f("lon", lon, any_finite(), "degrees");
    f("lat", lat, any_finite(), "degrees");
    f("psi", psi, any_finite(), "degrees");
  }
};

GridOptions grid_options(const CaseRun& run) {
  return read_options<GridOptions>(run.golden().user_options(), run.golden().op);
}

std::vector<Angles> directions(const CaseRun& run) {
  const auto& theta = run.golden().input("theta").values;
  const auto& phi = run.golden().input("phi").values;
  std::vector<Angles> result;
  for (std::size_t i = 0; i < theta.size(); ++i) result.push_back({theta[i], phi[i]});
  return result;
}

/// One number per pixel or direction.
template <class Inputs, class F>
auto each(const Inputs& inputs, F f) {
  std::vector<decltype(f(inputs[0]))> result;
  for (const auto& input : inputs) result.push_back(f(input));
  return result;
}

/// Several numbers per pixel or direction, one after another.
template <class Inputs, class F>
auto each_row(const Inputs& inputs, F f) {
  std::vector<typename decltype(f(inputs[0]))::value_type> result;
  for (const auto& input : inputs) {
    for (const auto& v : f(input)) result.push_back(v);
  }
  return result;
}

void run_pixels(CaseRun& run) {
  const Grid grid(grid_options(run).nside);
  const std::vector<Size> pixels = run.integers("pix");
  run.output("ring2nest", each(pixels, [&](Size p) { return grid.ring_to_nest(p); }));
  run.output("nest2ring", each(pixels, [&](Size p) { return grid.nest_to_ring(p); }));
  for (const Ordering o : {Ordering::nest, Ordering::ring}) {
    const std::string name(enum_names(o)[static_cast<std::size_t>(o)]);
    run.output(name + "_theta", each(pixels, [&](Size p) { return grid.angles(p, o).theta; }));
    run.output(name + "_phi", each(pixels, [&](Size p) { return grid.angles(p, o).phi; }));
    run.output(name + "_vec", each_row(pixels, [&](Size p) { return grid.vector(p, o); }));
    run.output("ang2pix_" + name,
               each(directions(run), [&](const Angles& a) { return grid.pixel_at(a, o); }));
  }
  const auto place = [&](Size p) { return grid.face_pixel(p, Ordering::nest); };
  run.output("nest_x", each(pixels, [&](Size p) { return place(p).x; }));
  run.output("nest_y", each(pixels, [&](Size p) { return place(p).y; }));
  run.output("nest_face", each(pixels, [&](Size p) { return place(p).face; }));
}

void run_neighbours(CaseRun& run) {
  const Grid grid(grid_options(run).nside);
  const std::vector<Size> pixels = run.integers("pix");
  run.output("nest", each_row(pixels, [&](Size p) { return neighbours(grid, p, Ordering::nest); }));
  run.output("ring", each_row(pixels, [&](Size p) { return neighbours(grid, p, Ordering::ring); }));
}

void run_interpolation(CaseRun& run) {
  const Grid grid(grid_options(run).nside);
  const std::vector<Angles> at = directions(run);
  const auto pixels = [&](Ordering o) {
    return each_row(at, [&, o](const Angles& a) { return interpolate(grid, a, o).pixels; });
  };
  run.output("ring_pix", pixels(Ordering::ring));
  run.output("nest_pix", pixels(Ordering::nest));
  run.output("weights",
             each_row(at, [&](const Angles& a) { return interpolate(grid, a, Ordering::ring).weights; }));
}

void run_symmetry(CaseRun& run) {
  const GridOptions options = grid_options(run);
  const auto add = [&](const std::string& name, const Symmetry& symmetry) {
    run.output(name, symmetry_permutation(Grid(options.nside), options.ordering, symmetry));
  };
  for (const Size turns : {1, 2, 3}) add("rot90_" + std::to_string(turns), {.quarter_turns = turns});
  add("mirror_phi", {.mirror_phi = true});
  add("mirror_theta", {.mirror_theta = true});
}

void run_rotation(CaseRun& run) {
  const auto options = read_options<DegreeOptions>(run.golden().user_options(), run.golden().op);
  const auto matrix = Rotation::of_degrees(options.lon, options.lat, options.psi).matrix();
  run.output("matrix", std::vector<double>(matrix.begin(), matrix.end()));
}

}  // namespace

inline namespace TARN_PRECISION {

const NamedAdapters& healpix_geometry_adapters() {
  static const NamedAdapters all = {{"healpix-pixels", run_pixels},
                                    {"healpix-neighbours", run_neighbours},
                                    {"healpix-interpolation", run_interpolation},
                                    {"healpix-symmetry", run_symmetry},
                                    {"healpix-rotation", run_rotation}};
  return all;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
