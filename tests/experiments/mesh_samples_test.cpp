#include "tarn/experiments/mesh/mesh_samples.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/datasets/mesh/mesh_set_generators.hpp"
#include "tarn/datasets/mesh/mesh_store.hpp"
#include "tarn/experiments/mesh/mesh_metrics.hpp"
#include "tarn/experiments/mesh/mesh_trainer.hpp"

#include <catch2/catch.hpp>

#include <cmath>

using namespace tarn;
using Catch::Contains;

namespace {

const MeshSet& shapes() {
  static const MeshSet set = generate_shapes({.train = 2, .test = 1});
  return set;
}

struct Fixture {
  explicit Fixture(const MeshSamples::Options& options)
      : graphs(build_mesh_graphs(shapes(), options.graph)),
        samples(shapes(), graphs, shapes().splits[0].folds[0].train, shapes().splits[0].folds[0].test,
                options) {}
  std::vector<PrimalDualMesh> graphs;
  MeshSamples samples;
};

/// Mean and mean square of a channel over samples.
std::pair<double, double> moments(const std::vector<MeshSample>& samples, Size channel) {
  double sum = 0, squares = 0, count = 0;
  for (const MeshSample& sample : samples) {
    const ConstMatrixView x = sample.graph.x_dual.matrix();
    for (Size i = 0; i < x.rows; ++i) {
      sum += static_cast<double>(x(i, channel));
      squares += static_cast<double>(x(i, channel)) * static_cast<double>(x(i, channel));
      ++count;
    }
  }
  return {sum / count, squares / count};
}

AugmentOptions sliding() {
  AugmentOptions augment;
  augment.slide_vertices = 0.3;
  return augment;
}

bool same(const MeshSample& a, const MeshSample& b) {
  const auto x = a.graph.x_dual.flat(), y = b.graph.x_dual.flat();
  return std::equal(x.begin(), x.end(), y.begin(), y.end());
}

}  // namespace

TEST_CASE("features are standardised by the training meshes alone", "[experiments][mesh-samples]") {
  for (const RatioScale ratios : {RatioScale::plain, RatioScale::log}) {
    Fixture f({.ratios = ratios});
    for (const Size channel : {0, 1, 6}) {
      const auto [mean, square] = moments(f.samples.train(1), channel);
      CHECK(mean == Approx(0).margin(1e-4));
      CHECK(square == Approx(1).epsilon(1e-3));
    }
    // Test meshes go by the same numbers: (x - mean) / std.
    const ChannelStats& stats = f.samples.stats().dual;
    const Size mesh = shapes().splits[0].folds[0].test[0];
    const auto raw = static_cast<double>(f.graphs[static_cast<std::size_t>(mesh)].x_dual.matrix()(3, 1));
    const double scaled = ((ratios == RatioScale::log ? std::log(raw) : raw) - stats.mean[1]) / stats.std[1];
    CHECK(static_cast<double>(f.samples.test()[0].graph.x_dual.matrix()(3, 1)) ==
          Approx(scaled).epsilon(1e-4));
  }
}

TEST_CASE("copies are drawn anew where asked, the same for an epoch", "[experiments][mesh-samples]") {
  Fixture fixed({.augment = sliding(), .seed = 3}), drawn({.augment = sliding(), .redraw = true, .seed = 3}),
      again({.augment = sliding(), .redraw = true, .seed = 3});
  const auto sphere = static_cast<std::size_t>(4);
  const auto take = [&](MeshSamples& samples, Size epoch) {
    const MeshSample& s = samples.train(epoch)[sphere];
    return MeshSample{
        {s.graph.num_faces, s.graph.pairs, s.graph.x.clone(), s.graph.x_dual.clone(), s.graph.areas},
        s.label,
        s.face_labels};
  };
  CHECK(same(take(fixed.samples, 1), take(fixed.samples, 2)));
  const MeshSample first = take(drawn.samples, 1);
  CHECK(!same(first, take(drawn.samples, 2)));
  // An epoch that is reached in another way, as after a restart, draws the same.
  CHECK(!same(take(again.samples, 5), first));
  CHECK(same(take(again.samples, 1), first));
}

TEST_CASE("a test mesh comes first, then its copies", "[experiments][mesh-samples]") {
  Fixture f({.augment = sliding(), .redraw = true, .test_copies = 2, .seed = 1});
  CHECK(f.samples.test_copies() == 3);
  const std::vector<MeshSample> copied = f.samples.copied_test();
  REQUIRE(copied.size() == 3 * f.samples.test().size());
  const std::size_t torus = 8;
  CHECK(same(copied[3 * torus], f.samples.test()[torus]));
  CHECK(!same(copied[3 * torus + 1], copied[3 * torus]));
  CHECK(!same(copied[3 * torus + 2], copied[3 * torus + 1]));
  CHECK(copied[3 * torus + 2].label == f.samples.test()[torus].label);
  CHECK(Fixture({.test_copies = 2}).samples.test_copies() == 1);
}

TEST_CASE("features without spread are told by channel", "[experiments][mesh-samples][errors]") {
  MeshSet flat;
  flat.name = "flat";
  flat.class_names = {"a"};
  flat.meshes = {
      {.name = "a/1", .mesh = {{{0, 0, 0}, {1, 0, 0}, {1, 1, 0}, {0, 1, 0}}, {{0, 1, 2}, {0, 2, 3}}}}};
  const std::vector<PrimalDualMesh> graphs = build_mesh_graphs(flat, {});
  const std::vector<Size> all = {0};
  CHECK_THROWS_WITH(MeshSamples(flat, graphs, all, all, {}),
                    Contains("primal features") && Contains("channel 0"));
}

TEST_CASE("the learning rate follows its schedule", "[experiments][mesh-samples]") {
  MeshTrainingOptions o;
  o.epochs = 10;
  o.last_constant_epoch = 4;
  CHECK(epoch_factor(o, 10) == 1);
  o.schedule = EpochSchedule::lambda;
  CHECK(epoch_factor(o, 4) == 1);
  CHECK(epoch_factor(o, 5) == Approx(6. / 7));
  CHECK(epoch_factor(o, 10) == Approx(1. / 7));
  o.schedule = EpochSchedule::cosine;
  CHECK(epoch_factor(o, 1) == 1);
  CHECK(epoch_factor(o, 6) == Approx(0.5));
}

TEST_CASE("IoU is both over either, classes that nobody has left out", "[experiments][mesh-metrics]") {
  const std::vector<Size> predictions{0, 0, 1, 1, 1}, labels{0, 1, 1, 1, 0};
  const std::vector<double> ious = class_ious(predictions, labels, 3);
  CHECK(ious[0] == Approx(1. / 3));
  CHECK(ious[1] == Approx(2. / 4));
  CHECK(ious[2] == -1);
  CHECK(mean_iou(ious) == Approx(5. / 12));
  const FaceAccuracy faces =
      face_accuracy(predictions, labels, std::vector<double>{1, 3, 2, 2, 2}, Segments({0, 2, 5}));
  CHECK(faces.accuracy == Approx(3. / 5));
  // Meshes of 2 and 3 faces with shares 1/4 and 4/6 of their areas right.
  CHECK(faces.area_weighted_accuracy == Approx((2 * 0.25 + 3 * 4. / 6) / 5));
}
