#include "tarn/core/checkpoint.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/layers.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>

using namespace tarn;

namespace {

std::filesystem::path scratch(const std::string& name) {
  return std::filesystem::temp_directory_path() / ("tarn-checkpoint-" + name);
}

void take_step(Linear& layer, Optimiser& adam) {
  for (Parameter* p : layer.parameters()) {
    p->grad.fill(Real(0.5));
    p->has_grad = true;
  }
  adam.step();
}

}  // namespace

TEST_CASE("a checkpoint brings back parameters, moments and steps bit by bit", "[core][checkpoint]") {
  const auto path = scratch("round.h5");
  Linear a(3, 2), b(3, 2);
  a.init(Rng(1));
  b.init(Rng(2));
  const auto adam_a = make_adam(a.parameters(), {});
  const auto adam_b = make_adam(b.parameters(), {});
  take_step(a, *adam_a);
  save_checkpoint(path, a, adam_a.get(), "{\"epoch\": 3}");
  CHECK(load_checkpoint(path, b, adam_b.get()) == "{\"epoch\": 3}");
  CHECK(read_checkpoint_meta(path) == "{\"epoch\": 3}");
  CHECK(adam_b->steps() == 1);
  take_step(a, *adam_a);
  take_step(b, *adam_b);
  const auto wa = a.weight().value.flat(), wb = b.weight().value.flat();
  CHECK(std::equal(wa.begin(), wa.end(), wb.begin()));
  std::filesystem::remove(path);
}

TEST_CASE("a checkpoint of another model is refused by tensor", "[core][checkpoint][errors]") {
  const auto path = scratch("other.h5");
  Linear a(3, 2), wider(4, 2), bare(3, 2, Bias::no);
  save_checkpoint(path, a, nullptr, "");
  CHECK_THROWS_WITH(load_checkpoint(path, wider, nullptr),
                    path.string() + ":/parameters/weight: has shape [2, 3]; expected [2, 4]");
  CHECK_THROWS_WITH(load_checkpoint(path, bare, nullptr),
                    path.string() + ":/parameters/bias: unknown here; expected the tensors of this model");
  CHECK_THROWS_AS(load_checkpoint(scratch("missing.h5"), a, nullptr), IoError);
  std::filesystem::remove(path);
}

TEST_CASE("a part of a checkpoint is read by the prefix of its names", "[core][checkpoint]") {
  struct Model : Module {
    Linear& readout = child("readout", std::make_unique<Linear>(3, 2));
    Linear& head = child("head", std::make_unique<Linear>(2, 4));
  } model;
  model.init(Rng(1));
  const auto path = scratch("part.h5");
  save_checkpoint(path, model, nullptr, "");
  Linear part(3, 2), wider(4, 2), bare(3, 2, Bias::no);
  load_checkpoint_part(path, "readout.", part);
  const auto wanted = model.readout.weight().value.flat(), got = part.weight().value.flat();
  CHECK(std::equal(wanted.begin(), wanted.end(), got.begin()));
  CHECK_THROWS_WITH(load_checkpoint_part(path, "readout.", wider),
                    path.string() + ":/parameters/readout.weight: has shape [2, 3]; expected [2, 4]");
  CHECK_THROWS_WITH(
      load_checkpoint_part(path, "readout.", bare),
      path.string() + ":/parameters/readout.bias: unknown here; expected the tensors of this model");
  std::filesystem::remove(path);
}
