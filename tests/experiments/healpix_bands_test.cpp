#include "tarn/experiments/sphere/healpix_bands.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/symmetry.hpp"

#include <catch2/catch.hpp>

#include <cmath>

using namespace tarn;

namespace {

constexpr Size nside = 4, pixels = 192, count = 6;

HealpixBandsOptions small(Size channels = 1) {
  HealpixBandsOptions o;
  o.nside = nside;
  o.in_channels = channels;
  o.out_features = 2;
  o.bands = 6;
  o.kernel_size = 12;
  o.hidden = 5;
  return o;
}

Tensor fields(Size channels) {
  Tensor maps({count, pixels, channels});
  for (Size i = 0; i < maps.size(); ++i) {
    // Maps of different size, so that their powers differ.
    const double size = 1 + 0.3 * static_cast<double>(i / (pixels * channels));
    maps.data()[i] = static_cast<Real>(size * Rng(4).normal(static_cast<std::uint64_t>(i)));
  }
  return maps;
}

std::vector<double> outputs(HealpixBands& network, const Tensor& maps) {
  Tape tape;
  tape.reset();
  const ConstMatrixView y = network.forward({tape.input(maps)}).value();
  std::vector<double> result;
  for (Size i = 0; i < y.rows; ++i) {
    for (Size j = 0; j < y.cols; ++j) result.push_back(static_cast<double>(y(i, j)));
  }
  return result;
}

void start(HealpixBands& network, const Tensor& maps) {
  network.init(Rng(1));
  Tape tape;
  tape.reset();
  network.calibrate({tape.input(maps)});
}

const Tensor& tensor(HealpixBands& network, std::string_view wanted) {
  for (const auto& [name, parameter] : network.state()) {
    if (name == wanted) return parameter->value;
  }
  throw std::logic_error(std::string(wanted));
}

}  // namespace

TEST_CASE("bands are calibrated by the maps they see", "[experiments][sphere]") {
  const Tensor maps = fields(1);
  HealpixBands network(small());
  start(network, maps);
  const Tensor &mean = tensor(network, "band_mean"), &deviation = tensor(network, "band_deviation");
  // ln of maps a times as large is 2 ln a more in every band.
  Tensor larger = maps.clone();
  for (Real& v : larger.flat()) v *= Real(3);
  HealpixBands again(small());
  start(again, larger);
  for (Size band = 0; band < 6; ++band) {
    CHECK(static_cast<double>(tensor(again, "band_mean").data()[band] - mean.data()[band]) ==
          Approx(2 * std::log(3.0)).epsilon(1e-3));
    CHECK(deviation.data()[band] > 0);
  }
}

TEST_CASE("bands do not see how a map is turned", "[experiments][sphere]") {
  const Tensor maps = fields(2);
  HealpixBands network(small(2));
  start(network, maps);
  const std::vector<double> straight = outputs(network, maps);
  const healpix::Grid grid(nside);
  for (const healpix::Symmetry& symmetry :
       {healpix::Symmetry{1, false, false}, healpix::Symmetry{3, true, true}}) {
    const std::vector<Size> from = healpix::symmetry_permutation(grid, healpix::Ordering::nest, symmetry);
    Tensor turned(maps.shape());
    for (Size map = 0; map < count; ++map) {
      for (Size p = 0; p < pixels; ++p) {
        for (Size c = 0; c < 2; ++c) {
          turned.data()[(map * pixels + p) * 2 + c] =
              maps.data()[(map * pixels + from[static_cast<std::size_t>(p)]) * 2 + c];
        }
      }
    }
    const std::vector<double> other = outputs(network, turned);
    for (std::size_t i = 0; i < straight.size(); ++i) CHECK(other[i] == Approx(straight[i]).margin(1e-3));
  }
}

TEST_CASE("bands have their gradients, the same for any number of threads", "[experiments][sphere]") {
  const Tensor maps = fields(1);
  HealpixBands network(small());
  start(network, maps);
  const auto gradients = [&] {
    Tape tape;
    tape.reset({.training = true});
    const Var y = network.forward({tape.input(maps)});
    Tensor ones(y.shape());
    ones.fill(1);
    for (Parameter* p : network.parameters()) p->has_grad = false;
    const std::pair<Var, ConstMatrixView> seed{y, std::as_const(ones).matrix()};
    tape.backward(std::span(&seed, 1));
    std::vector<std::vector<Real>> all;
    for (Parameter* p : network.parameters()) all.emplace_back(p->grad.flat().begin(), p->grad.flat().end());
    return all;
  };
  const std::vector<std::vector<Real>> own = gradients();
  {
    const Threads one(1);
    CHECK(gradients() == own);
  }
  const auto total = [&] {
    double sum = 0;
    for (const double v : outputs(network, maps)) sum += v;
    return sum;
  };
  const double step = sizeof(Real) == sizeof(double) ? 1e-6 : 2e-3;
  std::size_t number = 0;
  for (Parameter* p : network.parameters()) {
    const std::vector<Real>& gradient = own[number++];
    // The derivative along the gradient itself.
    double square = 0;
    for (const Real g : gradient) square += static_cast<double>(g) * static_cast<double>(g);
    const double length = std::sqrt(square);
    REQUIRE(length > 0);
    const std::vector<Real> kept(p->value.flat().begin(), p->value.flat().end());
    const auto move = [&](double by) {
      for (std::size_t i = 0; i < kept.size(); ++i) {
        p->value.flat()[i] =
            static_cast<Real>(static_cast<double>(kept[i]) + by * static_cast<double>(gradient[i]) / length);
      }
      return total();
    };
    const double above = move(step), below = move(-step);
    std::copy(kept.begin(), kept.end(), p->value.flat().begin());
    CHECK((above - below) / (2 * step) == Approx(length).epsilon(0.03));
  }
}

TEST_CASE("bands refuse what does not fit", "[experiments][sphere][errors]") {
  HealpixBandsOptions o = small();
  o.readout = "mean";
  CHECK_THROWS_WITH(HealpixBands(o),
                    "healpix-bands.readout: got mean; expected flatten, for the network averages "
                    "over pixels itself");
  o = small();
  o.kernel_size = 1;
  CHECK_THROWS_WITH(HealpixBands(o), Catch::Contains("healpix-bands.kernel_size: got 1"));
  HealpixBands network(small());
  Tape tape;
  const Tensor maps = fields(1), short_maps({1, 100, 1});
  CHECK_THROWS_WITH(network.forward({tape.input(maps), healpix::Ordering::ring}),
                    Catch::Contains("healpix-bands: maps in ring order; expected nest"));
  CHECK_THROWS_AS(network.forward({tape.input(short_maps)}), ShapeError);
}
