#include "tarn/core/errors.hpp"
#include "tarn/core/multi_head_attention.hpp"
#include "tarn/pooling/layer_pools/layer_pool.hpp"

#include "module_walk.hpp"

#include <array>

using namespace tarn;
using namespace tarn::test;

namespace {

Value options(std::initializer_list<std::pair<std::string, Value>> entries) {
  Value v{Value::Table{}};
  for (const auto& [key, value] : entries) v.set(key, value);
  return v;
}

std::vector<Real> pooled(LayerPool& pool, std::initializer_list<const Tensor*> history, const Segments& sets,
                         Pass pass = {}) {
  Tape tape;
  tape.reset(pass);
  std::vector<Var> layers;
  for (const Tensor* x : history) layers.push_back(tape.input(*x));
  return numbers(pool.forward({.layers = layers, .sets = sets}).y.value());
}

}  // namespace

TEST_CASE("a layer pool is made for the widths of a backbone's history", "[pooling][layer-pool]") {
  const std::array<Size, 3> equal{4, 4, 4}, unequal{3, 4, 5};
  CHECK(make_layer_pool("jumping-knowledge", equal)->out_dim() == 12);
  CHECK(make_layer_pool("jumping-knowledge", unequal)->out_dim() == 12);
  CHECK(make_layer_pool("jumping-knowledge", equal, options({{"mode", "max"}}))->out_dim() == 4);
  CHECK(make_layer_pool("gin-readout", unequal, options({{"out_channels", 2}}))->level() ==
        PooledLevel::graphs);
  CHECK(make_layer_pool("histograph", equal, options({{"dim", 8}}))->out_dim() == 8);
  CHECK(make_layer_pool("scalar-mix", equal)->level() == PooledLevel::nodes);
}

TEST_CASE("layer pools say which widths and options do not fit", "[pooling][layer-pool][errors]") {
  const std::array<Size, 2> unequal{3, 4};
  const std::array<Size, 1> narrow{1};
  CHECK_THROWS_WITH(make_layer_pool("jumping-knowledge", unequal, options({{"mode", "sum"}})),
                    "jumping-knowledge.in_channels: got [3, 4] with mode sum; expected equal widths");
  CHECK_THROWS_WITH(
      make_layer_pool("jumping-knowledge", narrow, options({{"mode", "lstm"}})),
      "jumping-knowledge.mode: got lstm for one layer of width 1; expected layers * width of at least 2");
  CHECK_THROWS_WITH(make_layer_pool("scalar-mix", unequal),
                    "scalar-mix.in_channels: got [3, 4]; expected equal widths");
  CHECK_THROWS_WITH(make_layer_pool("gin-readout", unequal),
                    "gin-readout.out_channels: got none with combine sum; expected a number");
  CHECK_THROWS_WITH(
      make_layer_pool("gin-readout", unequal, options({{"combine", "concat"}, {"out_channels", 6}})),
      "gin-readout.out_channels: got 6 with combine concat; expected 7 or null");
}

TEST_CASE("scalar-mix starts as the mean of the layers", "[pooling][layer-pool]") {
  const Tensor a({1, 2}, std::array<Real, 2>{1, 2}), b({1, 2}, std::array<Real, 2>{3, 6});
  const std::array<Size, 2> widths{2, 2};
  for (const char* rule : {"softmax", "none"}) {
    const auto pool = make_layer_pool("scalar-mix", widths, options({{"normalization", rule}}));
    pool->init(Rng(1));
    check_close(pooled(*pool, {&a, &b}, Segments::uniform(1, 1)), std::vector<Real>{2, 4});
  }
}

TEST_CASE("the maximum over nodes passes its gradient to the first node that attains it",
          "[pooling][layer-pool]") {
  const std::array<Size, 1> widths{2};
  const auto pool =
      make_layer_pool("gin-readout", widths, options({{"combine", "concat"}, {"readout", "max"}}));
  const Tensor x({3, 2}, std::array<Real, 6>{1, 7, 5, 7, 5, 7});
  Tape tape;
  tape.reset();
  const Var in = tape.input(x, NeedsGrad::yes);
  const Var y = pool->forward({.layers = {&in, 1}, .sets = Segments::uniform(1, 3)}).y;
  CHECK(numbers(y.value()) == std::vector<Real>{5, 7});
  const Tensor ones({1, 2}, std::array<Real, 2>{1, 1});
  const std::pair<Var, ConstMatrixView> seed{y, ones.matrix()};
  tape.backward(std::span(&seed, 1));
  CHECK(numbers(tape.grad(in)) == std::vector<Real>{0, 1, 1, 0, 0, 0});
}

TEST_CASE("dropout of gin-readout keeps the mean and follows its seed", "[pooling][layer-pool]") {
  const std::array<Size, 2> widths{3, 3};
  const auto pool = make_layer_pool("gin-readout", widths, options({{"out_channels", 40}}));
  pool->init(Rng(1));
  const Tensor a = random_tensor({6, 3}, Rng(2)), b = random_tensor({6, 3}, Rng(3));
  const auto with = [&](bool training, std::uint64_t seed) {
    return pooled(*pool, {&a, &b}, Segments::uniform(2, 3), {.training = training, .rng = Rng(seed)});
  };
  CHECK(with(true, 1) == with(true, 1));
  CHECK(with(true, 1) != with(true, 2));
  const auto plain = with(false, 1);
  std::vector<double> mean(plain.size(), 0.0);
  constexpr int draws = 2000;
  for (int k = 0; k < draws; ++k) {
    const auto y = with(true, static_cast<std::uint64_t>(k));
    for (std::size_t i = 0; i < y.size(); ++i) mean[i] += static_cast<double>(y[i]) / draws;
  }
  double error = 0, scale = 0;
  for (std::size_t i = 0; i < mean.size(); ++i) {
    error += std::pow(mean[i] - static_cast<double>(plain[i]), 2);
    scale += std::pow(static_cast<double>(plain[i]), 2);
  }
  CHECK(error < 0.005 * scale);
}

TEST_CASE("multi-head attention over a set of its own rows is self-attention", "[pooling][attention]") {
  MultiHeadAttention attention(8, 2);
  attention.init(Rng(1));
  CHECK(attention.parameters()[1]->value.flat()[0] == 0);  // biases start at zero
  const Tensor x = random_tensor({9, 8}, Rng(2));
  const Segments sets({0, 4, 4, 9});
  Tape tape;
  tape.reset();
  const Var in = tape.input(x);
  check_close(numbers(attention.forward(in, sets, in, sets).value()),
              numbers(attention.forward(in, sets).value()));
  CHECK_THROWS_WITH(MultiHeadAttention(8, 3, 0, "pma"),
                    "pma.heads: got 3 for width 8; expected a number that divides the width");
}

#if TARN_DOUBLE
TEST_CASE("gradients of multi-head attention agree with central differences",
          "[pooling][attention][gradients]") {
  MultiHeadAttention attention(6, 3);
  for (Parameter* p : attention.parameters()) p->value = random_tensor(p->value.shape(), Rng(5));
  Tensor seeds = random_tensor({2, 6}, Rng(2)), x = random_tensor({9, 6}, Rng(3));
  const Segments sets({0, 4, 4, 9});
  check_gradients(attention, std::vector{&seeds, &x}, true, [&](Tape&, std::span<const Var> in) {
    return attention.forward(in[0], Segments::uniform(1, 2), attention.forward(in[1], sets), sets);
  });
}
#endif
