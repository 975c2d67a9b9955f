#include "tarn/experiments/sphere/sphere_training.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/experiments/sphere/healpix_cnn.hpp"
#include "tarn/experiments/sphere/sphere_baselines.hpp"
#include "tarn/experiments/sphere/sphere_losses.hpp"

#include "experiments/sphere_fixture.hpp"
#include "scratch_directory.hpp"
#include <catch2/catch.hpp>

#include <cmath>

using namespace tarn;
using namespace tarn::test;

namespace {

/// Central differences of a loss against its gradient.
template <class Loss>
void check_gradient(Tensor z, Loss loss) {
  Tape tape;
  const auto value = [&] {
    tape.reset();
    return static_cast<double>(loss(tape.input(z)).value().data[0]);
  };
  tape.reset();
  const Var x = tape.input(z, NeedsGrad::yes);
  tape.backward(loss(x));
  std::vector<double> gradient;
  const MatrixView g = tape.grad(x);
  for (Size i = 0; i < g.rows; ++i) {
    for (Size j = 0; j < g.cols; ++j) gradient.push_back(static_cast<double>(g(i, j)));
  }
  const double step = sizeof(Real) == sizeof(double) ? 1e-6 : 1e-2;
  for (Size k = 0; k < z.size(); ++k) {
    const Real own = z.data()[k];
    z.data()[k] = own + static_cast<Real>(step);
    const double above = value();
    z.data()[k] = own - static_cast<Real>(step);
    const double below = value();
    z.data()[k] = own;
    CHECK(gradient[static_cast<std::size_t>(k)] ==
          Approx((above - below) / (2 * step)).margin(sizeof(Real) == sizeof(double) ? 1e-7 : 2e-3));
  }
}

Tensor some(const Shape& shape) {
  Tensor t(shape);
  for (Size i = 0; i < t.size(); ++i)
    t.data()[i] = static_cast<Real>(Rng(2).normal(static_cast<std::uint64_t>(i)));
  return t;
}

SphereSplits small_fields(Size train) {
  SphereFieldDataOptions options;
  options.nside = 2;
  options.low = 2;
  options.high = 4;
  const SphereFields fields(SphereTask::peak, options, 0, std::nullopt);
  const healpix::Sky sky(healpix::Grid(2));
  return {{.num_classes = 0, .num_targets = 1},
          sky,
          1,
          fields.samples("train", train, sky),
          fields.samples("validation", 5, sky),
          fields.samples("test", 5, sky)};
}

std::unique_ptr<SphereModel> small_model() {
  HealpixCnnOptions options;
  options.nside = 2;
  options.blocks = 1;
  options.filters = 3;
  options.hidden = 4;
  options.out_features = 1;
  return std::make_unique<SphereModel>(std::make_unique<HealpixCnn>(options), 1);
}

}  // namespace

TEST_CASE("the squared error of a softmax has its gradient", "[experiments][sphere]") {
  const std::vector<Size> labels = {2, 0, 1};
  Tape tape;
  tape.reset();
  const Tensor z({1, 2}, std::vector<Real>{0, 0});
  const std::vector<Size> first = {0};
  CHECK(static_cast<double>(softmax_squared_error(tape.input(z), first).value().data[0]) == Approx(0.25));
  check_gradient(some({3, 4}), [&](Var x) { return softmax_squared_error(x, labels); });
  const Tensor none({0, 3});
  CHECK(softmax_squared_error(tape.input(none), {}).value().data[0] == 0);
}

TEST_CASE("the loss of moments is least at mean and deviation", "[experiments][sphere]") {
  const std::vector<double> targets = {0.5, -1, 2, 0.1};
  check_gradient(some({2, 4}), [&](Var x) { return moment_loss(x, targets); });
  Tape tape;
  tape.reset();
  const Tensor y({1, 2}, std::vector<Real>{1, 2});
  const std::vector<double> target = {4};
  // e = 3: 9 + (9 - 4)^2
  CHECK(static_cast<double>(moment_loss(tape.input(y), target).value().data[0]) == Approx(34));
}

TEST_CASE("losses on the sphere refuse what does not fit", "[experiments][sphere][errors]") {
  Tape tape;
  const Tensor z({2, 3});
  const std::vector<Size> one = {0}, beyond = {0, 3};
  const std::vector<double> numbers = {1, 2};
  CHECK_THROWS_WITH(softmax_squared_error(tape.input(z), one),
                    "softmax-squared-error: got 1 labels for logits [2, 3]; expected one a row");
  CHECK_THROWS_WITH(softmax_squared_error(tape.input(z), beyond),
                    "softmax-squared-error: label 1 is 3; expected a class from 0 to 2");
  CHECK_THROWS_WITH(moment_loss(tape.input(z), numbers),
                    Catch::Contains("moment-loss: got 2 targets for [2, 3]"));
}

TEST_CASE("the rate falls where the validation loss stays", "[experiments][sphere]") {
  const SphereTrainingOptions options{.lr_patience = 2, .lr_factor = 0.1, .min_gain = 0.1, .patience = 4};
  const auto factor = [&](std::vector<double> losses) { return plateau_factor(losses, options); };
  CHECK(factor({}) == 1);
  CHECK(factor({5, 4, 3}) == 1);
  CHECK(factor({3, 2.95}) == 1);
  CHECK(factor({3, 2.95, 2.93}) == Approx(0.1));
  CHECK(factor({3, 2.95, 2.93, 2.92}) == Approx(0.1));
  CHECK(factor({3, 2.95, 2.93, 2.92, 2.91}) == Approx(0.01));
  CHECK(factor({3, 2.95, 2, 2, 1}) == 1);
  const auto ends = [&](std::vector<double> losses) { return out_of_gain(losses, options); };
  CHECK(!ends({3, 3, 3, 3}));
  CHECK(ends({3, 3, 3, 3, 3}));
  CHECK(!ends({3, 3, 3, 3, 2}));
  CHECK(!out_of_gain(std::vector<double>(50, 1.0), {}));
}

TEST_CASE("a model brings maps and numbers to size one and back", "[experiments][sphere]") {
  const SphereSplits data = small_fields(40);
  const auto model = small_model();
  model->start(Rng(0), data);
  double sum = 0, squares = 0;
  for (const double target : data.train.targets) {
    sum += model->scaled(target, 0);
    squares += model->scaled(target, 0) * model->scaled(target, 0);
    CHECK(model->restored(model->scaled(target, 0), 0) == Approx(target));
  }
  CHECK(sum / 40 == Approx(0).margin(1e-4));
  CHECK(squares / 40 == Approx(1).epsilon(1e-4));
  bool found = false;
  for (const auto& [name, parameter] : model->state()) {
    if (name != "input_deviation") continue;
    found = true;
    CHECK(!parameter->trainable);
    CHECK(parameter->value.data()[0] > 0);
  }
  CHECK(found);
}

TEST_CASE("metrics of numbers say what they are", "[experiments][sphere]") {
  const SphereSamples samples{.maps = Tensor(), .classes = {}, .targets = {10, 20}};
  const std::vector<double> outputs = {11, 2, 18, 1};
  const MetricSet metrics = sphere_metrics({.num_classes = 0, .num_targets = 1}, samples, outputs);
  CHECK(metrics.at("percent_error") == Approx(10));
  CHECK(metrics.at("mae") == Approx(1.5));
  CHECK(metrics.at("bias") == Approx(-0.5));
  CHECK(metrics.at("rmse") == Approx(std::sqrt(2.5)));
  CHECK(metrics.at("mean_deviation") == Approx(1.5));
  CHECK(metrics.at("chi2") == Approx((0.25 + 4) / 2));
}

TEST_CASE("training on the sphere falls below guessing, chooses and predicts", "[experiments][sphere]") {
  const SphereSplits data = small_fields(60);
  const auto model = small_model();
  SphereTrainingOptions options{
      .epochs = 12, .batch = 10, .lr = 5e-3, .loss = SphereLoss::squared_error, .rng = Rng(1)};
  const TrainingHistory history = train_on_sphere(*model, data, options);
  REQUIRE(history.epochs.size() == 12);
  CHECK(history.last().loss < history.epochs.front().loss);
  CHECK(history.predictions.size() == 5);
  double best = HUGE_VAL;
  for (const EpochRecord& record : history.epochs)
    best = std::min(best, record.metrics.at("validation_loss"));
  CHECK(history.selected_record().metrics.at("validation_loss") == best);
  // The model ends with the parameters of that epoch.
  CHECK(sphere_metrics(data, data.test, history.predictions).at("rmse") ==
        history.selected_record().metrics.at("rmse"));
}

TEST_CASE("the same map goes through every symmetry of its sky alone", "[experiments][sphere]") {
  // A network that sees each map the same way round trains to the same bits with maps that are symmetric.
  SphereSplits data = small_fields(8);
  data.train.maps.fill(Real(0.3));
  std::vector<double> losses;
  for (const healpix::Augment augment :
       {healpix::Augment::none, healpix::Augment::rot90, healpix::Augment::symmetry}) {
    const auto model = small_model();
    const TrainingHistory history = train_on_sphere(
        *model, data,
        {.epochs = 1, .batch = 4, .loss = SphereLoss::squared_error, .augment = augment, .rng = Rng(1)});
    losses.push_back(history.last().loss);
  }
  CHECK(losses[0] == losses[1]);
  CHECK(losses[0] == losses[2]);
}

TEST_CASE("training without maps is refused", "[experiments][sphere][errors]") {
  SphereSplits data = small_fields(2);
  data.train = {};
  const auto model = small_model();
  CHECK_THROWS_WITH(static_cast<void>(train_on_sphere(*model, data, {})),
                    "sphere training: got no maps to train on; expected at least 1");
}

TEST_CASE("fields depend on seed, part and number alone", "[experiments][sphere]") {
  SphereFieldDataOptions options;
  options.nside = 2;
  options.low = 2;
  options.high = 4;
  for (const SphereTask task : {SphereTask::peak, SphereTask::eb}) {
    const SphereFields fields(task, options, 0.5, std::nullopt);
    const healpix::Sky sky = healpix::mask_cap(healpix::Grid(2), healpix::Ordering::nest, 0.5);
    const SphereSamples few = fields.samples("train", 3, sky), many = fields.samples("train", 7, sky);
    const Size size = few.maps.size();
    CHECK(std::equal(few.maps.data(), few.maps.data() + size, many.maps.data()));
    CHECK(std::equal(few.targets.begin(), few.targets.end(), many.targets.begin()));
    CHECK(fields.targets("train", 1) != fields.targets("test", 1));
    const FieldMaps map = fields.maps("train", 2);
    CHECK(static_cast<Real>(map.back()[static_cast<std::size_t>(sky.pixel(1))]) ==
          few.maps.data()[(2 * sky.size() + 1) * fields.channels() + fields.channels() - 1]);
    for (const double target : many.targets) {
      CHECK(target >= 2);
      CHECK(target <= 4);
    }
  }
}

TEST_CASE("beam and pixel window smooth a field's coefficients", "[experiments][sphere]") {
  SphereFieldDataOptions options;
  options.nside = 2;
  const SphereFields plain(SphereTask::peak, options, 0, std::nullopt);
  const auto degrees = static_cast<std::size_t>(options.degrees());
  options.pixel_window.assign(degrees + 4, 1);  // more than are needed
  for (std::size_t l = 0; l <= degrees; ++l) options.pixel_window[l] = 1 / (1 + static_cast<double>(l));
  const SphereFields smoothed(SphereTask::peak, options, 0, std::nullopt);
  const healpix::HarmonicIndex index{options.degrees()};
  const healpix::Coefficients before = plain.coefficients("train", 1)[0],
                              after = smoothed.coefficients("train", 1)[0];
  for (Size l = 0; l <= index.lmax; ++l) {
    for (Size m = 0; m <= l; ++m) {
      const auto k = static_cast<std::size_t>(index(l, m));
      CHECK(std::abs(after[k] - before[k] / (1 + static_cast<double>(l))) < 1e-12);
    }
  }
  CHECK(smoothed.slope(7)[5] == Approx(plain.slope(7)[5] / 36));
  options.pixel_window.resize(degrees);
  CHECK_THROWS_WITH(SphereFields(SphereTask::peak, options, 0, std::nullopt),
                    "data.pixel_window: got 5 factors; expected at least 6, for degrees 0 to 5");
}

TEST_CASE("the noise of tau is that of its pixels, the others' that of their signal",
          "[experiments][sphere]") {
  CHECK(pixel_arcmin(healpix::Grid(16)) == Approx(219.9).margin(0.1));
  const ScratchDirectory scratch;
  write_tau_file(scratch / "cl.h5");
  SphereFieldDataOptions options;
  options.nside = 4;
  options.low = 0.03;
  options.high = 0.08;
  const SphereFields tau(SphereTask::tau, options, 50, TauSpectra::read(scratch / "cl.h5"));
  const std::vector<double> middle = {0.05};
  CHECK(tau.noise_deviation(middle) == Approx(50 / pixel_arcmin(healpix::Grid(4))));
  options.low = 3;
  options.high = 6;
  const SphereFields peak(SphereTask::peak, options, 0.5, std::nullopt);
  const std::vector<double> five = {5};
  CHECK(peak.noise_deviation(five) == Approx(0.5 * std::sqrt(healpix::field_variance(peak.power(5)))));
}

TEST_CASE("spectra of tau are splines through their rows", "[experiments][sphere]") {
  const ScratchDirectory scratch;
  write_tau_file(scratch / "cl.h5");
  const TauSpectra spectra = TauSpectra::read(scratch / "cl.h5");
  CHECK(spectra.values(0.06, 10)[4] == Approx(0.06 * 0.06 / 5));
  CHECK(spectra.values(0.071, 10)[4] == Approx(0.071 * 0.071 / 5).epsilon(0.02));
  for (const double tau : {0.02, 0.045, 0.06, 0.119}) {
    const double h = 1e-6, low = std::max(tau - h, 0.02), high = std::min(tau + h, 0.12);
    CHECK(spectra.slopes(tau, 10)[7] ==
          Approx((spectra.values(high, 10)[7] - spectra.values(low, 10)[7]) / (high - low)).epsilon(1e-3));
  }
  CHECK_THROWS_WITH(spectra.values(0.2, 10), "tau: got 0.2; expected a number from 0.02 to 0.12");
  CHECK_THROWS_WITH(spectra.values(0.05, 31), "tau: spectra up to l = 31 asked for; expected at most 30");
}

TEST_CASE("files of tau that do not fit are refused", "[experiments][sphere][errors]") {
  CHECK_THROWS_WITH(TauSpectra({0.1}, {{1.0}}, "file"), Catch::Contains("file: tau has 1 values"));
  CHECK_THROWS_WITH(TauSpectra({0.2, 0.1}, {{1.0}, {1.0}}, "file"), Catch::Contains("that do not rise"));
  CHECK_THROWS_WITH(TauSpectra({0.1, 0.2}, {{1.0}, {1.0, 2.0}}, "file"),
                    Catch::Contains("spectra that do not match tau"));
  CHECK_THROWS_WITH(TauSpectra({0.1, 0.2}, {{1.0}, {-1.0}}, "file"),
                    Catch::Contains("C_l^EE is -1 at l = 0"));
  const ScratchDirectory scratch;
  h5::write_atomically(scratch / "short.h5", [&](h5::File& file) {
    file.write<double>("tau", {2}, std::vector<double>{0.1, 0.2});
    file.write<double>("ell", {3}, std::vector<double>{0, 1, 2});
    file.write<double>("cl", {2, 3}, std::vector<double>(6));
  });
  CHECK_THROWS_WITH(TauSpectra::read(scratch / "short.h5"),
                    Catch::Contains("cl is [2, 3]; expected [2, 3, 4] for its tau and ell"));
  h5::write_atomically(scratch / "late.h5", [&](h5::File& file) {
    file.write<double>("tau", {2}, std::vector<double>{0.1, 0.2});
    file.write<double>("ell", {2}, std::vector<double>{2, 3});
    file.write<double>("cl", {2, 2, 4}, std::vector<double>(16));
  });
  CHECK_THROWS_WITH(TauSpectra::read(scratch / "late.h5"),
                    Catch::Contains("ell[0] is 2; expected degrees from 0"));
  CHECK_THROWS_AS(TauSpectra::read(scratch / "none.h5"), IoError);
}

TEST_CASE("baselines are had where they are defined", "[experiments][sphere]") {
  CHECK(has_baseline("fisher", SphereTask::tau, 0.2, 3, 100));
  CHECK(has_baseline("pixel-likelihood", SphereTask::peak, 0.5, 3, 2000));
  CHECK(!has_baseline("pixel-likelihood", SphereTask::peak, 0.5, 3, 2001));
  CHECK(!has_baseline("pixel-likelihood", SphereTask::peak, 1, 0, 100));
  CHECK(!has_baseline("pixel-likelihood", SphereTask::eb, 0.5, 0, 100));
  CHECK(has_baseline("spectrum-likelihood", SphereTask::eb, 1, 3, 100));
  CHECK(!has_baseline("spectrum-likelihood", SphereTask::eb, 0.5, 3, 100));
  CHECK(has_baseline("exact-likelihood", SphereTask::peak, 1, 0, 100));
  CHECK(!has_baseline("exact-likelihood", SphereTask::peak, 1, 0.1, 100));
  SphereFieldDataOptions options;
  options.nside = 2;
  const SphereFields fields(SphereTask::peak, options, 0, std::nullopt);
  CHECK_THROWS_AS(baseline_estimates("fisher", fields, healpix::Sky(healpix::Grid(2)), 1), ValueError);
}
