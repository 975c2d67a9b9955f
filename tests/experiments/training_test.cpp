#include "tarn/experiments/training.hpp"

#include "scratch_directory.hpp"
#include <catch2/catch.hpp>

#include <cmath>

using namespace tarn;

namespace {

/// One number that every epoch steps towards zero.
class Number final : public Module {
 public:
  Number() : value(parameter("value", {1}, constant(8))) {}
  Parameter& value;
};

struct Toy {
  Number model;
  std::unique_ptr<Optimiser> optimiser = make_adam(model.parameters(), {.lr = 1});
  std::vector<Size> ran;

  BestEpoch best = BestEpoch::ignore;

  std::vector<EpochRecord> train(Size epochs, const TrainingHooks& hooks, Size patience = 0) {
    EpochLoop loop{.model = model, .optimiser = *optimiser, .epochs = epochs, .init = {}, .epoch = {}};
    loop.init = [&] { model.init(Rng(0)); };
    loop.epoch = [&](Size epoch) {
      ran.push_back(epoch);
      model.value.grad = model.value.value.clone();
      model.value.has_grad = true;
      optimiser->step();
      EpochRecord record{.epoch = epoch, .steps = optimiser->steps(), .metrics = {}};
      const auto value = static_cast<double>(model.value.value.data()[0]);
      record.metrics.set("value", value);
      record.metrics.set("closeness", -std::abs(value - 5));
      return record;
    };
    loop.best = best;
    loop.best_metric = "closeness";
    if (patience > 0) {
      loop.enough = [=](const std::vector<EpochRecord>& records) {
        return static_cast<Size>(records.size()) >= patience;
      };
    }
    return run_epochs(loop, hooks);
  }
};

}  // namespace

TEST_CASE("epochs go on from a checkpoint with the same bits", "[experiments][training]") {
  const ScratchDirectory scratch;
  Toy whole, first, second;
  const std::vector<EpochRecord> straight = whole.train(7, {});
  const TrainingHooks hooks{.checkpoints = scratch / "trial"};
  CHECK(first.train(3, hooks).size() == 3);
  CHECK(checkpointed_epochs(scratch / "trial") == 3);
  const std::vector<EpochRecord> resumed = second.train(7, hooks);
  CHECK(second.ran == std::vector<Size>{4, 5, 6, 7});
  for (std::size_t e = 0; e < 7; ++e)
    CHECK(resumed[e].metrics.at("value") == straight[e].metrics.at("value"));
}

TEST_CASE("training that has had enough ends, and stays ended", "[experiments][training]") {
  const ScratchDirectory scratch;
  const TrainingHooks hooks{.checkpoints = scratch / "trial"};
  Toy toy, again;
  CHECK(toy.train(10, hooks, 4).size() == 4);
  CHECK(again.train(10, hooks, 4).size() == 4);
  CHECK(again.ran.empty());
}

TEST_CASE("training ends with the parameters of the best epoch, also after a stop",
          "[experiments][training]") {
  const ScratchDirectory scratch;
  const TrainingHooks hooks{.checkpoints = scratch / "trial"};
  Toy whole, first, second;
  for (Toy* toy : {&whole, &first, &second}) toy->best = BestEpoch::restore;
  // 8 falls by about 1 an epoch: closest to 5 after the third.
  const std::vector<EpochRecord> records = whole.train(7, {});
  CHECK(whole.model.value.value.data()[0] == static_cast<Real>(records[2].metrics.at("value")));
  CHECK(first.train(5, hooks).size() == 5);
  CHECK(std::filesystem::exists(scratch / "trial" / "best.h5"));
  CHECK(second.train(7, hooks).size() == 7);
  CHECK(second.ran == std::vector<Size>{6, 7});
  CHECK(second.model.value.value.data()[0] == whole.model.value.value.data()[0]);
}

TEST_CASE("numbers that left the finite ones say at which step", "[experiments][training][errors]") {
  CHECK_NOTHROW(require_finite_loss(1, 1, 0.1));
  CHECK_THROWS_WITH(
      require_finite_loss(INFINITY, 12, 0.5),
      "training: the loss is inf at step 12; expected a finite number (a lower lr than 0.5 may help)");
  CHECK_THROWS_WITH(
      require_finite_predictions(std::vector<double>{0, NAN}, 3, 0.1),
      "training: the model leaves the finite numbers after step 3; expected finite outputs (a lower lr "
      "than 0.1 may help)");
}
