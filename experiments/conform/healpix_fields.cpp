#include "tarn/core/errors.hpp"
#include "tarn/core/options.hpp"
#include "tarn/experiments/conform/healpix_adapters.hpp"
#include "tarn/graph/healpix/gaussian_field.hpp"
#include "tarn/graph/healpix/project_image.hpp"
#include "tarn/graph/healpix/rotate_map.hpp"

#include <array>

namespace tarn {

namespace {

using namespace healpix;

struct FieldOptions {
  Size nside = 1;
  Ordering ordering = Ordering::ring;
  Size lmax = 0, mmax = 0;
  std::string convention = "COSMO", spectrum = "peak";
  PeakSpectrum peak;
  double delta_theta = 100, delta_phi = 100, theta_c = 90, phi_c = 0;
  MapInterpolation interpolation = MapInterpolation::bilinear;
  void fields(Fields& f) {
    f("nside", nside, at_least(1), "resolution");
    f("ordering", ordering, "how pixels are numbered");
    f("lmax", lmax, at_least(0), "largest degree");
    f("mmax", mmax, at_least(0), "largest order, the same");
    f("convention", convention, {"COSMO"}, "sign of U");
    f("spectrum", spectrum, {"peak"}, "form of the spectrum");
    f("l_p", peak.l_p, any_finite(), "place of the peak");
    f("sigma_p", peak.sigma_p, above(0), "width of the peak");
    f("floor", peak.floor, at_least(0), "what is added everywhere");
    f("lmin", peak.lmin, at_least(0), "first degree that is not 0");
    f("delta_theta", delta_theta, any_finite(), "degrees");
    f("delta_phi", delta_phi, any_finite(), "degrees");
    f("theta_c", theta_c, any_finite(), "degrees");
    f("phi_c", phi_c, any_finite(), "degrees");
    f("interpolation", interpolation, "between pixels");
  }
};

FieldOptions field_options(const CaseRun& run) {
  return read_options<FieldOptions>(run.golden().user_options(), run.golden().op);
}

HarmonicTransform transform_of(const FieldOptions& o) {
  return {Grid(o.nside), o.ordering, o.lmax};
}

Coefficients coefficients(const CaseRun& run, const std::string& name) {
  const auto& re = run.golden().input(name + "_re").values;
  const auto& im = run.golden().input(name + "_im").values;
  Coefficients alm;
  for (std::size_t i = 0; i < re.size(); ++i) alm.emplace_back(re[i], im[i]);
  return alm;
}

void output_coefficients(CaseRun& run, const std::string& name, const Coefficients& alm) {
  std::vector<double> re, im;
  for (const auto& a : alm) {
    re.push_back(a.real());
    im.push_back(a.imag());
  }
  run.output(name + "_re", std::move(re));
  run.output(name + "_im", std::move(im));
}

Rotation rotation_input(const CaseRun& run) {
  std::array<double, 9> matrix{};
  const auto& values = run.golden().input("rotation").values;
  std::copy(values.begin(), values.end(), matrix.begin());
  return Rotation(matrix, run.golden().op);
}

void run_alm2map(CaseRun& run) {
  run.output("map", transform_of(field_options(run)).synthesis(coefficients(run, "alm")));
}

void run_alm2map_pol(CaseRun& run) {
  auto [q, u] =
      transform_of(field_options(run)).polarised_synthesis(coefficients(run, "e"), coefficients(run, "b"));
  run.output("q", std::move(q));
  run.output("u", std::move(u));
}

void run_map2alm(CaseRun& run) {
  const FieldOptions options = field_options(run);
  const HarmonicTransform transform = transform_of(options);
  const auto& map = run.golden().input("map").values;
  output_coefficients(run, "alm0", transform.analysis(map, 0));
  const Coefficients third = transform.analysis(map, 3);
  output_coefficients(run, "alm3", third);
  run.output("cl3", power_spectrum(third, options.lmax));
}

void run_gaussian_field(CaseRun& run) {
  const FieldOptions options = field_options(run);
  const std::vector<double> cl = options.peak.values(options.lmax);
  const Coefficients alm = gaussian_coefficients(
      cl, {run.golden().input("normal_re").values, run.golden().input("normal_im").values});
  run.output("cl", cl);
  output_coefficients(run, "alm", alm);
  run.output("map", transform_of(options).synthesis(alm));
}

std::vector<Size> whole(const std::vector<std::int32_t>& v) {
  return {v.begin(), v.end()};
}

void run_project_image(CaseRun& run) {
  const FieldOptions o = field_options(run);
  const GoldenTensor& image = run.golden().input("image");
  const ImageProjector projector(Grid(o.nside), o.ordering, image.shape[0], image.shape[1], o.delta_theta,
                                 o.delta_phi);
  const ProjectedImage projected = projector(image.values, rotation_input(run));
  run.output("map", projected.map);
  run.output("hits", whole(projected.hits));
}

void run_project_planar(CaseRun& run) {
  const FieldOptions o = field_options(run);
  const GoldenTensor& image = run.golden().input("image");
  const ProjectedImage projected =
      project_planar(Grid(o.nside), o.ordering, image.values, image.shape[0], image.shape[1],
                     {o.theta_c, o.phi_c, o.delta_theta, o.delta_phi});
  run.output("map", projected.map);
  run.output("inside", whole(projected.hits));
}

void run_rotate_map(CaseRun& run) {
  const FieldOptions o = field_options(run);
  run.output("y",
             MapRotation(Grid(o.nside), o.ordering, rotation_input(run), o.interpolation)(run.input("x")));
}

}  // namespace

inline namespace TARN_PRECISION {

const NamedAdapters& healpix_field_adapters() {
  static const NamedAdapters all = {{"healpix-alm2map", run_alm2map},
                                    {"healpix-alm2map-pol", run_alm2map_pol},
                                    {"healpix-map2alm", run_map2alm},
                                    {"healpix-gaussian-field", run_gaussian_field},
                                    {"healpix-project-image", run_project_image},
                                    {"healpix-project-planar", run_project_planar},
                                    {"healpix-rotate-map", run_rotate_map}};
  return all;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
