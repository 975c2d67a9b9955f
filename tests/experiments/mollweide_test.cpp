#include "tarn/experiments/plot/mollweide.hpp"

#include "tarn/core/errors.hpp"

#include "experiments/markup.hpp"
#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <numbers>

using namespace tarn;
using namespace tarn::plot;

namespace {

constexpr double pi = std::numbers::pi;

}  // namespace

TEST_CASE("the Mollweide projection goes there and back and keeps areas", "[experiments][plot]") {
  CHECK(mollweide({pi / 2, 0})[0] == Approx(0).margin(1e-12));
  CHECK(mollweide({pi / 2, pi / 2})[0] == Approx(-0.5));  // east is to the left
  CHECK(mollweide({0, 1})[1] == Approx(1));
  CHECK(mollweide({pi, 1})[1] == Approx(-1));
  const healpix::Grid grid(4);
  std::vector<int> hits(static_cast<std::size_t>(grid.num_pixels()));
  for (const double theta : {0.01, 0.6, 1.5, 2.9}) {
    for (const double phi : {-3.0, -1.0, 0.2, 2.5}) {
      const auto [x, y] = mollweide({theta, phi});
      const auto back = inverse_mollweide(x, y);
      REQUIRE(back.has_value());
      CHECK(back->theta == Approx(theta).margin(1e-9));
      CHECK(back->phi == Approx(phi).margin(1e-9));
    }
  }
  CHECK(!inverse_mollweide(0.9, 0.9).has_value());
  constexpr int n = 400;
  int inside = 0;
  for (int i = 0; i < 2 * n; ++i) {
    for (int j = 0; j < n; ++j) {
      const auto direction = inverse_mollweide((i + 0.5) / n - 1, 1 - 2 * (j + 0.5) / n);
      if (!direction) continue;
      ++inside;
      ++hits[static_cast<std::size_t>(grid.pixel_at(*direction, healpix::Ordering::nest))];
    }
  }
  for (const int h : hits) CHECK(h == Approx(inside / 192.0).epsilon(0.1));
}

TEST_CASE("maps are drawn with grey where they have no value", "[experiments][plot]") {
  const healpix::Sky sky = healpix::mask_cap(healpix::Grid(2), healpix::Ordering::nest, 0.5);
  MapPanel panel;
  panel.sky = &sky;
  panel.values.assign(static_cast<std::size_t>(sky.size()), 1.0);
  const Image image = draw_map(panel, 40);
  CHECK(image.width == 40);
  CHECK(image.height == 20);
  CHECK(image.at(0, 0) == Colour{255, 255, 255});    // beside the ellipse
  CHECK(image.at(20, 15) == Colour{190, 190, 190});  // the south is not there
  CHECK(image.at(20, 4) == Colour{103, 0, 31});      // the largest value
  panel.values[0] = std::numeric_limits<double>::quiet_NaN();
  CHECK_NOTHROW(draw_map(panel, 40));
  const std::string svg = draw_maps("Title & more", {panel, panel, panel}, 2);
  CHECK(markup_fault(svg).empty());
  CHECK(svg == draw_maps("Title & more", {panel, panel, panel}, 2));
  panel.values.pop_back();
  CHECK_THROWS_WITH(draw_map(panel), Catch::Contains("mollweide: ") && Catch::Contains("expected one each"));
}
