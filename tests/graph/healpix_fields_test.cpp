#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/gaussian_field.hpp"
#include "tarn/graph/healpix/interpolation.hpp"
#include "tarn/graph/healpix/project_image.hpp"
#include "tarn/graph/healpix/rotate_map.hpp"

#include "graph/healpix_maps.hpp"

#include <limits>
#include <numbers>
#include <numeric>

using namespace tarn;
using namespace tarn::healpix;
using namespace tarn::test;

namespace {

constexpr double pi = std::numbers::pi;

std::vector<double> ramp(Size n) {
  std::vector<double> v(static_cast<std::size_t>(n));
  std::iota(v.begin(), v.end(), 1.0);
  return v;
}

}  // namespace

TEST_CASE("fields have the spectrum that they are drawn from", "[healpix][field]") {
  const Size lmax = 30;
  const PeakSpectrum spectrum{.l_p = 12};
  const std::vector<double> cl = spectrum.values(lmax);
  std::vector<double> mean(cl.size());
  constexpr int maps = 400;
  for (std::uint64_t i = 0; i < maps; ++i) {
    const std::vector<double> got =
        power_spectrum(gaussian_coefficients(cl, harmonic_normals(Rng(1), i, lmax)), lmax);
    for (std::size_t l = 0; l < got.size(); ++l) mean[l] += got[l] / maps;
  }
  CHECK(cl[0] == 0);
  CHECK(cl[1] == 0);
  for (std::size_t l = 0; l < cl.size(); ++l) {
    const double deviation = cl[l] * std::sqrt(2 / (2 * static_cast<double>(l) + 1) / maps);
    CHECK(std::abs(mean[l] - cl[l]) <= 5 * deviation);
  }
}

TEST_CASE("the slope of the peak is its derivative", "[healpix][field]") {
  for (const Size l : {0, 1, 2, 9, 14, 30}) {
    const PeakSpectrum a{.l_p = 12 - 1e-5}, b{.l_p = 12 + 1e-5};
    CHECK(PeakSpectrum{.l_p = 12}.slope(l) == Approx((b(l) - a(l)) / 2e-5).margin(1e-9));
  }
}

TEST_CASE("beams fall to one half at half their width, on the sky", "[healpix][field]") {
  // The beam's profile at angle t is proportional to sum (2 l + 1) b_l P_l(cos t).
  const double fwhm = 0.2;
  const std::vector<double> b = gaussian_beam(fwhm, 200);
  const auto profile = [&](double t) {
    double sum = 0;
    for (std::size_t l = 0; l < b.size(); ++l)
      sum += (2 * static_cast<double>(l) + 1) * b[l] * std::legendre(static_cast<unsigned>(l), std::cos(t));
    return sum;
  };
  CHECK(profile(fwhm / 2) / profile(0) == Approx(0.5).epsilon(0.01));
  CHECK(gaussian_beam(0, 3) == std::vector<double>{1, 1, 1, 1});
  Coefficients alm(10, 1.0);
  smooth(alm, gaussian_beam(fwhm, 3));
  CHECK(alm[static_cast<std::size_t>(HarmonicIndex{3}(3, 2))].real() == Approx(b[3]));
}

TEST_CASE("noise is white, of its deviation, and the same for the same stream", "[healpix][field]") {
  std::vector<double> map(20000, 1.0), again(20000, 1.0);
  add_white_noise(map, 0.5, Rng(3));
  add_white_noise(again, 0.5, Rng(3));
  CHECK(map == again);
  double squares = 0, beside = 0;
  for (std::size_t p = 0; p < map.size(); ++p) {
    squares += std::pow(map[p] - 1, 2) / 20000;
    if (p > 0) beside += (map[p] - 1) * (map[p - 1] - 1) / 20000;
  }
  CHECK(std::sqrt(squares) == Approx(0.5).epsilon(0.03));
  CHECK(std::abs(beside) < 0.01);
}

TEST_CASE("fields refuse negative spectra, wrong counts and impossible options", "[healpix][field][errors]") {
  const HarmonicNormals normals = harmonic_normals(Rng(1), 0, 2);
  CHECK_THROWS_WITH(gaussian_coefficients(std::vector<double>{1, -1e-9, 1}, normals),
                    "healpix-gaussian-field.spectrum: C_l is -1e-09 at l = 1; expected at least 0");
  CHECK_THROWS_AS(gaussian_coefficients(std::vector<double>{1, std::nan(""), 1}, normals), ValueError);
  CHECK_THROWS_WITH(gaussian_coefficients(std::vector<double>{1, 1}, normals),
                    "healpix-gaussian-field: 6 and 6 normals; expected 3 each for 2 degrees");
  CHECK_THROWS_AS(gaussian_coefficients({}, {}), ShapeError);
  CHECK_THROWS_WITH((PeakSpectrum{.sigma_p = 0}.values(3)),
                    "healpix-gaussian-field.sigma_p: got 0; expected a finite number above 0");
  CHECK_THROWS_WITH((PeakSpectrum{.floor = -1}.values(3)),
                    "healpix-gaussian-field.floor: got -1; expected a finite number of at least 0");
  CHECK_THROWS_AS((PeakSpectrum{.lmin = -1}.values(3)), ValueError);
  CHECK_THROWS_AS((PeakSpectrum{.l_p = std::nan("")}.values(3)), ValueError);
  CHECK_THROWS_AS(gaussian_beam(-0.1, 3), ValueError);
  std::vector<double> map(3);
  CHECK_THROWS_AS(add_white_noise(map, -1, Rng(1)), ValueError);
  Coefficients alm(5);
  CHECK_THROWS_AS(smooth(alm, gaussian_beam(0, 3)), ShapeError);
}

TEST_CASE("rotated maps show what the rotation brings there", "[healpix][rotate]") {
  const Grid grid(32);
  const Rotation r = random_rotation(Rng(5));
  // Linear functions of direction are nearly linear between pixels.
  Tensor x({grid.num_pixels(), 2});
  for (Size p = 0; p < grid.num_pixels(); ++p) {
    const Vector v = grid.vector(p, Ordering::nest);
    x.matrix()(p, 0) = static_cast<Real>(v[0] + 0.3 * v[2]);
    x.matrix()(p, 1) = 1;
  }
  for (const MapInterpolation how : {MapInterpolation::bilinear, MapInterpolation::nearest}) {
    Tensor y(x.shape());
    MapRotation(grid, Ordering::nest, r, how).apply(std::as_const(x).matrix(), y.matrix());
    double worst = 0;
    for (Size p = 0; p < grid.num_pixels(); ++p) {
      const Vector v = r.inverse()(grid.vector(p, Ordering::nest));
      worst = std::max(worst, std::abs(static_cast<double>(y.matrix()(p, 0)) - (v[0] + 0.3 * v[2])));
      CHECK(y.matrix()(p, 1) == Approx(1));
    }
    CHECK(worst < (how == MapInterpolation::bilinear ? 5e-3 : 0.04));
  }
}

TEST_CASE("the gradient of a rotation is its transpose, for any number of threads",
          "[healpix][rotate][threads]") {
  const Grid grid(16);
  const MapRotation rotate(grid, Ordering::ring, random_rotation(Rng(6)));
  const Tensor x = random_map({2, grid.num_pixels(), 3}, 1), dy = random_map({2, grid.num_pixels(), 3}, 2);
  std::vector<std::vector<Real>> results;
  for (const int threads : {1, 2, 7}) {
    const Threads limit(threads);
    Tape tape;
    tape.reset({.training = true});
    const Var in = tape.input(x, NeedsGrad::yes), y = rotate(in);
    const std::pair<Var, ConstMatrixView> seed{y, dy.matrix()};
    tape.backward(std::span(&seed, 1));
    const auto inner = [](ConstMatrixView a, ConstMatrixView b) {
      double sum = 0;
      for (Size i = 0; i < a.size(); ++i)
        sum += static_cast<double>(a.data[i]) * static_cast<double>(b.data[i]);
      return sum;
    };
    // <R x, dy> = <x, R^T dy>
    CHECK(inner(y.value(), dy.matrix()) ==
          Approx(inner(x.matrix(), tape.grad(in))).epsilon(1e-4).margin(1e-3));
    results.push_back(values_of(tape.grad(in)));
  }
  CHECK(results[1] == results[0]);
  CHECK(results[2] == results[0]);
  Tape tape;
  const Tensor wrong({5, 3});
  CHECK_THROWS_AS(rotate(tape.input(wrong)), ShapeError);
  Tensor out({5, 3});
  CHECK_THROWS_AS(rotate.apply(std::as_const(wrong).matrix(), out.matrix()), ShapeError);
}

TEST_CASE("a projected image stands upright, north up, seen from inside", "[healpix][image]") {
  const Grid grid(16);
  std::vector<double> image(6 * 4);
  for (std::size_t row = 0; row < 6; ++row) {
    for (std::size_t column = 0; column < 4; ++column)
      image[row * 4 + column] = static_cast<double>(10 * row + column + 1);
  }
  const ProjectedImage cast = ImageProjector(grid, Ordering::ring, 6, 4, 90, 60)(image, Rotation());
  const ProjectedImage planar =
      project_planar(grid, Ordering::ring, image, 6, 4, {.delta_theta = 90, .delta_phi = 60});
  const auto value = [&](const ProjectedImage& p, double theta, double phi) {
    return p.map[static_cast<std::size_t>(
        grid.pixel_at(Angles{theta * pi / 180, phi * pi / 180}, Ordering::ring))];
  };
  for (const ProjectedImage* p : {&cast, &planar}) {
    CHECK(value(*p, 47, 28) == 1);  // first row north, first column at +phi
    CHECK(value(*p, 47, -28) == 4);
    CHECK(value(*p, 133, 28) == 51);
    CHECK(value(*p, 133, -28) == 54);
    CHECK(value(*p, 20, 0) == 0);
    CHECK(value(*p, 90, 100) == 0);
  }
  CHECK(std::accumulate(cast.hits.begin(), cast.hits.end(), Size{0}) ==
        ImageProjector(grid, Ordering::ring, 6, 4, 90, 60).num_rays());
}

TEST_CASE("every row and column of an image is hit where there are rays enough", "[healpix][image]") {
  // 24 and 27 rays on 28 pixels, and images that are not square.
  for (const double delta : {43.0, 48.0, 60.0, 100.0}) {
    for (const auto& [height, width] : {std::pair<Size, Size>{28, 28}, {7, 11}}) {
      const ImageProjector projector(Grid(16), Ordering::nest, height, width, delta, delta);
      std::vector<double> rows(static_cast<std::size_t>(height * width));
      for (std::size_t i = 0; i < rows.size(); ++i)
        rows[i] = static_cast<double>(i) / static_cast<double>(width) + 1;
      const ProjectedImage p = projector(rows, Rotation());
      const auto [low, high] = std::minmax_element(p.map.begin(), p.map.end(), [](double a, double b) {
        return (a == 0 ? 2 : 1 / a) > (b == 0 ? 2 : 1 / b);
      });
      CHECK(*high >= static_cast<double>(height) - 1);
      static_cast<void>(low);
    }
  }
}

TEST_CASE("a turned image keeps its numbers", "[healpix][image]") {
  const ImageProjector projector(Grid(32), Ordering::nest, 5, 5, 40, 40);
  const ProjectedImage a = projector(ramp(25), Rotation()), b = projector(ramp(25), random_rotation(Rng(8)));
  const auto mean = [](const ProjectedImage& p) {
    double sum = 0;
    for (std::size_t i = 0; i < p.map.size(); ++i) sum += p.map[i] * p.hits[i];
    return sum;
  };
  CHECK(mean(a) == Approx(mean(b)));
  CHECK(std::count_if(b.hits.begin(), b.hits.end(), [](auto h) { return h > 0; }) ==
        Approx(std::count_if(a.hits.begin(), a.hits.end(), [](auto h) { return h > 0; })).epsilon(0.03));
}

TEST_CASE("tiny frames still cast one ray", "[healpix][image]") {
  const ImageProjector projector(Grid(1), Ordering::nest, 3, 3, 1, 1);
  CHECK(projector.num_rays() == 1);
  const ProjectedImage p = projector(ramp(9), Rotation());
  CHECK(std::accumulate(p.map.begin(), p.map.end(), 0.0) == 1);
}

TEST_CASE("projections say what does not fit", "[healpix][image][errors]") {
  for (const double delta : {0.0, -3.0, 180.5, std::nan("")}) {
    CHECK_THROWS_AS(ImageProjector(Grid(2), Ordering::nest, 3, 3, delta, 90), ValueError);
    CHECK_THROWS_AS(ImageProjector(Grid(2), Ordering::nest, 3, 3, 90, delta), ValueError);
    CHECK_THROWS_AS(project_planar(Grid(2), Ordering::nest, ramp(9), 3, 3, {.delta_theta = delta}),
                    ValueError);
    CHECK_THROWS_AS(project_planar(Grid(2), Ordering::nest, ramp(9), 3, 3, {.delta_phi = delta}), ValueError);
  }
  CHECK_THROWS_WITH(ImageProjector(Grid(2), Ordering::nest, 3, 3, 200, 90),
                    "healpix-project-image.delta_theta: got 200; expected degrees in (0, 180]");
  CHECK_THROWS_WITH(ImageProjector(Grid(2), Ordering::nest, 0, 3, 90, 90),
                    "healpix-project-image: image is [0, 3]; expected at least one row and one column");
  CHECK_THROWS_WITH(ImageProjector(Grid(2), Ordering::nest, 3, 3, 90, 90)(ramp(8), Rotation()),
                    "healpix-project-image: image has 8 numbers; expected 3 x 3");
  CHECK_THROWS_AS(project_planar(Grid(2), Ordering::nest, ramp(8), 3, 3, {}), ShapeError);
  CHECK_THROWS_WITH(project_planar(Grid(2), Ordering::nest, ramp(9), 3, 3,
                                   {.theta_c = std::numeric_limits<double>::infinity()}),
                    "healpix-project-planar: centre (inf, 0); expected finite degrees");
}
