#include "tarn/core/rng.hpp"
#include "tarn/datasets/sphere/sky_maps.hpp"
#include "tarn/graph/healpix/harmonics.hpp"
#include "tarn/graph/healpix/interpolation.hpp"
#include "tarn/graph/healpix/neighbours.hpp"

#include "scratch_directory.hpp"
#include <alm.h>
#include <alm_healpix_tools.h>
#include <catch2/catch.hpp>
#include <healpix_base.h>
#include <healpix_map.h>
#include <healpix_map_fitsio.h>

#include <algorithm>
#include <cmath>
#include <numbers>

/// Own pixel functions and harmonics against the library healpix_cxx (GPL), which is linked here alone. Its
/// 32-bit classes are used for maps only.
namespace tarn::healpix {
namespace {

using Library = T_Healpix_Base<int64>;

Library library(const Grid& grid, Ordering ordering) {
  return {static_cast<int64>(grid.nside()), ordering == Ordering::nest ? NEST : RING, SET_NSIDE};
}

/// Pixels and weights of an interpolation, zero weights left out, in the order of the pixels.
std::vector<std::pair<Size, double>> entries(const auto& pixels, const auto& weights) {
  std::vector<std::pair<Size, double>> all;
  for (std::size_t k = 0; k < 4; ++k) {
    if (weights[k] > 1e-12) all.emplace_back(pixels[k], weights[k]);
  }
  std::sort(all.begin(), all.end());
  return all;
}

/// How many of the functions disagree at a pixel.
int disagreements(const Grid& grid, const Library& nest, const Library& ring, Size pixel) {
  int wrong = 0;
  wrong += grid.nest_to_ring(pixel) != nest.nest2ring(pixel);
  wrong += grid.ring_to_nest(pixel) != nest.ring2nest(pixel);
  for (const Ordering ordering : {Ordering::nest, Ordering::ring}) {
    const Library& theirs = ordering == Ordering::nest ? nest : ring;
    const pointing at = theirs.pix2ang(pixel);
    const Angles own = grid.angles(pixel, ordering);
    wrong += std::abs(own.theta - at.theta) > 1e-13 || std::abs(own.phi - at.phi) > 1e-13;
    wrong += grid.pixel_at(own, ordering) != theirs.ang2pix(pointing(own.theta, own.phi));
    int x = 0, y = 0, face = 0;
    theirs.pix2xyf(pixel, x, y, face);
    wrong += !(grid.face_pixel(pixel, ordering) == FacePixel{x, y, face});
    fix_arr<int64, 8> around;
    theirs.neighbors(pixel, around);
    const auto slots = neighbours(grid, pixel, ordering);
    for (std::size_t k = 0; k < 8; ++k) wrong += slots[k] != around[k];
  }
  return wrong;
}

/// How many of the functions disagree at a direction.
int disagreements(const Grid& grid, const Library& nest, const Library& ring, const Angles& at) {
  int wrong = 0;
  for (const Ordering ordering : {Ordering::nest, Ordering::ring}) {
    const Library& theirs = ordering == Ordering::nest ? nest : ring;
    wrong += grid.pixel_at(at, ordering) != theirs.ang2pix(pointing(at.theta, at.phi));
    fix_arr<int64, 4> pixels;
    fix_arr<double, 4> weights;
    theirs.get_interpol(pointing(at.theta, at.phi), pixels, weights);
    const Interpolation own = interpolate(grid, at, ordering);
    const auto ours = entries(own.pixels, own.weights), want = entries(pixels, weights);
    wrong += ours.size() != want.size() ||
             !std::equal(ours.begin(), ours.end(), want.begin(), [](const auto& a, const auto& b) {
               return a.first == b.first && std::abs(a.second - b.second) < 1e-9;
             });
  }
  return wrong;
}

Angles random_direction(const Rng& rng, std::uint64_t i) {
  return {std::acos(1 - 2 * rng.uniform(2 * i)), 2 * std::numbers::pi * rng.uniform(2 * i + 1)};
}

TEST_CASE("pixel functions agree with the library on every pixel of nside 1 to 64", "[healpix-library]") {
  for (Size nside = 1; nside <= 64; nside *= 2) {
    INFO("nside " << nside);
    const Grid grid(nside);
    const Library nest = library(grid, Ordering::nest), ring = library(grid, Ordering::ring);
    int wrong = 0;
    for (Size pixel = 0; pixel < grid.num_pixels(); ++pixel) wrong += disagreements(grid, nest, ring, pixel);
    CHECK(wrong == 0);
    int astray = 0;
    for (std::uint64_t i = 0; i < 20000; ++i)
      astray += disagreements(grid, nest, ring, random_direction(Rng(1), i));
    CHECK(astray == 0);
  }
}

TEST_CASE("pixel functions agree with the library on random pixels of fine grids", "[healpix-library]") {
  for (const int order : {13, 20, 29}) {
    INFO("order " << order);
    const Grid grid(Size{1} << order);
    const Library nest = library(grid, Ordering::nest), ring = library(grid, Ordering::ring);
    const Rng rng(static_cast<std::uint64_t>(order));
    int wrong = 0;
    for (std::uint64_t i = 0; i < 1000000; ++i) {
      const auto pixel = static_cast<Size>(rng.uniform(i) * static_cast<double>(grid.num_pixels()));
      wrong += disagreements(grid, nest, ring, std::min(pixel, grid.num_pixels() - 1));
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("harmonic synthesis agrees with the library", "[healpix-library]") {
  constexpr Size nside = 16, lmax = 47;
  const Grid grid(nside);
  const HarmonicTransform transform(grid, Ordering::ring, lmax);
  const auto draw = [&](std::uint64_t seed, Size lowest) {
    Coefficients a(static_cast<std::size_t>(transform.index().count()));
    Alm<xcomplex<double>> theirs(static_cast<int>(lmax), static_cast<int>(lmax));
    theirs.SetToZero();
    for (Size l = lowest; l <= lmax; ++l) {
      for (Size m = 0; m <= l; ++m) {
        const auto at = static_cast<std::uint64_t>(l * (lmax + 1) + m);
        const Rng rng(seed);
        const std::complex<double> value{rng.normal(2 * at), m == 0 ? 0 : rng.normal(2 * at + 1)};
        a[static_cast<std::size_t>(transform.index()(l, m))] = value;
        theirs(static_cast<int>(l), static_cast<int>(m)) = value;
      }
    }
    return std::pair(std::move(a), std::move(theirs));
  };
  const auto worst = [&](const std::vector<double>& own, const Healpix_Map<double>& theirs) {
    double most = 0;
    for (Size p = 0; p < grid.num_pixels(); ++p)
      most = std::max(most, std::abs(own[static_cast<std::size_t>(p)] - theirs[static_cast<int>(p)]));
    return most;
  };
  const auto [t, library_t] = draw(1, 0);
  const auto [e, library_e] = draw(2, 2);
  const auto [b, library_b] = draw(3, 2);
  Healpix_Map<double> temperature(4, RING), q(4, RING), u(4, RING);
  alm2map(library_t, temperature);
  CHECK(worst(transform.synthesis(t), temperature) < 1e-10);
  alm2map_pol(library_t, library_e, library_b, temperature, q, u);
  const auto stokes = transform.polarised_synthesis(e, b);
  CHECK(worst(stokes.q, q) < 1e-10);
  CHECK(worst(stokes.u, u) < 1e-10);
}

TEST_CASE("FITS maps go from the library here and back", "[healpix][library]") {
  const ScratchDirectory scratch;
  for (const Ordering ordering : {Ordering::nest, Ordering::ring}) {
    Healpix_Map<double> map(4, ordering == Ordering::nest ? NEST : RING);
    for (int p = 0; p < map.Npix(); ++p) map[p] = Rng(5).normal(static_cast<std::uint64_t>(p));
    const std::filesystem::path theirs = scratch / "theirs.fits", ours = scratch / "ours.fits";
    std::filesystem::remove(theirs);
    write_Healpix_map_to_fits(theirs.string(), map, PLANCK_FLOAT64);
    SkyMaps read = read_fits_maps(theirs);
    REQUIRE(read.sky.full());
    CHECK(read.sky.ordering() == ordering);
    CHECK(std::equal(read.values.begin(), read.values.end(), &map[0]));
    write_fits_maps(ours, read);
    const auto back = read_Healpix_map_from_fits<double>(ours.string());
    CHECK(back.Scheme() == map.Scheme());
    CHECK(std::equal(read.values.begin(), read.values.end(), &back[0]));
    map[7] = -1.6375e30;
    std::filesystem::remove(theirs);
    write_Healpix_map_to_fits(theirs.string(), map, PLANCK_FLOAT32);
    read = read_fits_maps(theirs);
    CHECK(read.sky.size() == 3071);
    CHECK(read.sky.row(7) == -1);
  }
}

}  // namespace
}  // namespace tarn::healpix
