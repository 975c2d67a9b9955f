#include "tarn/core/ops/elementwise.hpp"
#include "tarn/pooling/readouts/append_tokens.hpp"

#include "pooling/plain_attention.hpp"
#include "pooling/readout_fixture.hpp"

#include <array>
#include <cmath>

using namespace tarn;
using namespace tarn::test;

// === What has no golden case, against plain loops

TEST_CASE("regional-gem over edges is that over a grid", "[pooling][readout]") {
  constexpr Size height = 4, width = 5, rows = height * width;
  Tensor x = random_tensor({rows, 3}, Rng(6));
  for (Real& v : x.flat()) v = std::abs(v);
  std::vector<NodeId> from, to;
  const auto reflect = [](Size i, Size n) { return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i; };
  for (Size i = 0; i < rows; ++i) {
    for (Size a = -1; a <= 1; ++a) {
      for (Size b = -1; b <= 1; ++b) {
        from.push_back(
            static_cast<NodeId>(reflect(i / width + a, height) * width + reflect(i % width + b, width)));
        to.push_back(static_cast<NodeId>(i));
      }
    }
  }
  const Graph graph = Graph::from_edges(rows, from, to);
  const std::array<Size, 2> grid{height, width};
  const auto r = readout("regional-gem", 3, options({{"size", 3}}));
  const Change on_grid = [&](Tape&, SetInput& in) { in.grid = grid; };
  const Change on_graph = [&](Tape&, SetInput& in) { in.neighbours = &graph; };
  check_close(pooled(*r, x, one_set(rows), on_graph), pooled(*r, x, one_set(rows), on_grid));
  check_close(gradient(*r, x, one_set(rows), on_graph), gradient(*r, x, one_set(rows), on_grid));
}

TEST_CASE("set-transformer of the original variant agrees with plain loops", "[pooling][readout]") {
  for (const bool isab : {false, true}) {
    Value o = options({{"variant", "original"}, {"heads", 2}, {"layer_norm", true}, {"num_seed_points", 2}});
    if (isab) {
      o.set("encoder", "isab");
      o.set("num_induced_points", 3);
    }
    const auto r = readout("set-transformer", 6, o);
    const PlainModule plain(*r);
    const Tensor x = random_tensor({12, 6}, Rng(4));
    std::vector<Real> expected;
    for (Size b = 0; b < sample_sets.count(); ++b) {
      const Matrix rows = matrix(x.matrix(), sample_sets.rows(b));
      Matrix h = rows;
      if (isab && !rows.empty()) {
        const Matrix induced = plain.original_block(plain.value("encoders.0.I"), rows, "encoders.0.mab0", 2);
        h = plain.original_block(rows, induced, "encoders.0.mab1", 2);
      } else if (!rows.empty()) {
        h = plain.original_block(rows, rows, "encoders.0.mab", 2);
      }
      const Matrix seeds = plain.original_block(plain.value("pma.S"), h, "pma.mab", 2);
      append(expected, plain.original_block(seeds, seeds, "decoders.0.mab", 2));
    }
    check_close(pooled(*r, x, sample_sets), expected);
  }
}

TEST_CASE("gmt of the original variant takes keys and values from elsewhere", "[pooling][readout]") {
  const auto r = readout("gmt", 6, options({{"variant", "original"}, {"heads", 3}, {"k", 2}}));
  const PlainModule plain(*r);
  const Tensor x = random_tensor({12, 6}, Rng(4)), keys = random_tensor({12, 6}, Rng(5)),
               values = random_tensor({12, 6}, Rng(6));
  for (const bool given : {false, true}) {
    std::vector<Real> expected;
    for (Size b = 0; b < sample_sets.count(); ++b) {
      const Matrix rows = matrix(x.matrix(), sample_sets.rows(b)), seeds = plain.value("pma1.S");
      Matrix h = given ? plain.original_block(seeds, matrix(keys.matrix(), sample_sets.rows(b)),
                                              matrix(values.matrix(), sample_sets.rows(b)), "pma1.mab", 3)
                       : plain.original_block(seeds, rows, "pma1.mab", 3);
      h = plain.original_block(h, h, "encoders.0.mab", 3);
      append(expected, plain.original_block(plain.value("pma2.S"), h, "pma2.mab", 3));
    }
    check_close(pooled(*r, x, sample_sets,
                       [&](Tape& tape, SetInput& in) {
                         if (!given) return;
                         in.keys = tape.input(keys);
                         in.values = tape.input(values);
                       }),
                expected);
  }
  // In PyTorch Geometric's block they stand for projected keys and values, and `lin` is not used.
  const auto pyg = readout("gmt", 6, options({{"heads", 3}, {"k", 2}}));
  const auto with = [&](const Tensor& rows) {
    return pooled(*pyg, rows, sample_sets, [&](Tape& tape, SetInput& in) {
      in.keys = tape.input(keys);
      in.values = tape.input(values);
    });
  };
  CHECK(with(x) == with(keys));
}

TEST_CASE("hopfield-pooling stops each head of each set by itself", "[pooling][readout]") {
  constexpr Size width = 4, heads = 2, head = width / heads;
  const double beta = 1.5, eps = 0.02;
  for (const int most : {2, -1}) {
    const Value o = options({{"num_heads", heads},
                             {"quantity", 2},
                             {"scaling", beta},
                             {"update_steps_max", most},
                             {"update_steps_eps", eps},
                             {"disable_out_projection", true}});
    const auto r = readout("hopfield-pooling", width, o);
    for (Parameter* p : r->parameters()) {
      const Tensor change = random_tensor(p->value.shape(), Rng(9));
      for (Size i = 0; i < change.size(); ++i) p->value.data()[i] += change.data()[i];
    }
    const PlainModule plain(*r);
    const std::string core = "hopfield.association_core.in_proj_";
    const Matrix w = plain.value(core + "weight"), b = plain.value(core + "bias");
    const auto project = [&](const Matrix& x, std::size_t which) {
      Matrix y(x.size(), std::vector<double>(width, 0.0));
      for (std::size_t i = 0; i < x.size(); ++i) {
        for (std::size_t j = 0; j < width; ++j) {
          y[i][j] = b[0][which * width + j];
          for (std::size_t c = 0; c < width; ++c) y[i][j] += w[which * width + j][c] * x[i][c];
        }
      }
      return y;
    };
    const Tensor x = random_tensor({12, width}, Rng(4));
    std::vector<Real> expected;
    std::vector<int> steps_of_heads;
    for (Size set = 0; set < sample_sets.count(); ++set) {
      const Matrix rows = matrix(x.matrix(), sample_sets.rows(set));
      const Matrix k = project(plain.norm(rows, "hopfield.norm_stored_pattern"), 1);
      const Matrix v = project(plain.norm(rows, "hopfield.norm_pattern_projection"), 2);
      Matrix q = project(plain.norm(plain.value("pooling_weights"), "hopfield.norm_state_pattern"), 0);
      for (std::size_t h = 0; h < heads && !rows.empty(); ++h) {
        for (int step = 0; most < 0 || step < most; ++step) {
          double moved = 0;
          for (auto& state : q) {
            const auto before = attention_weights(state, k, h * head, head, beta);
            for (std::size_t j = h * head; j < (h + 1) * head; ++j) {
              state[j] = 0;
              for (std::size_t i = 0; i < k.size(); ++i) state[j] += before[i] * k[i][j];
            }
            const auto after = attention_weights(state, k, h * head, head, beta);
            for (std::size_t i = 0; i < k.size(); ++i) moved += std::pow(after[i] - before[i], 2);
          }
          if (std::sqrt(moved) <= eps) {
            steps_of_heads.push_back(step + 1);
            break;
          }
        }
      }
      append(expected, attend(q, k, v, heads, beta));
    }
    check_close(pooled(*r, x, sample_sets), expected);
    if (most >= 0) continue;
    const auto [least, longest] = std::minmax_element(steps_of_heads.begin(), steps_of_heads.end());
    CHECK(*least < *longest);  // they do not all stop together
    CHECK(all_finite(gradient(*r, x, sample_sets)));
  }
}

TEST_CASE("multi joins its members element by element", "[pooling][readout]") {
  const Tensor x = random_tensor({12, 3}, Rng(4));
  const std::vector<std::vector<Real>> parts{pooled("mean", x, sample_sets), pooled("max", x, sample_sets),
                                             pooled("min", x, sample_sets)};
  const auto expected = [&](const std::function<double(const std::vector<double>&)>& join) {
    std::vector<Real> result;
    for (std::size_t i = 0; i < parts[0].size(); ++i) {
      std::vector<double> values;
      for (const auto& part : parts) values.push_back(static_cast<double>(part[i]));
      result.push_back(static_cast<Real>(join(values)));
    }
    return result;
  };
  const auto total = [](const std::vector<double>& v) { return std::accumulate(v.begin(), v.end(), 0.0); };
  const auto var = [&](const std::vector<double>& v) {
    double squares = 0;
    for (const double one : v) squares += std::pow(one - total(v) / 3, 2);
    return squares / 2;
  };
  const std::pair<const char*, std::function<double(const std::vector<double>&)>> modes[] = {
      {"sum", total},
      {"mean", [&](const auto& v) { return total(v) / 3; }},
      {"max", [](const auto& v) { return *std::max_element(v.begin(), v.end()); }},
      {"min", [](const auto& v) { return *std::min_element(v.begin(), v.end()); }},
      {"var", var},
      {"std", [&](const auto& v) { return std::sqrt(var(v)); }}};
  for (const auto& [mode, join] : modes) {
    INFO(mode);
    const auto r =
        readout("multi", 3, options({{"aggrs", Value::List{"mean", "max", "min"}}, {"mode", mode}}));
    CHECK(r->out_dim(3) == 3);
    check_close(pooled(*r, x, sample_sets), expected(join));
    CHECK(all_finite(gradient(*r, x, sample_sets)));
  }
  const Value one = options({{"aggrs", Value::List{"max"}}, {"mode", "std"}});
  CHECK(pooled("multi", x, sample_sets, one) == parts[1]);
}

TEST_CASE("multi composes any readouts, also another multi", "[pooling][readout]") {
  const Value inner = options({{"aggrs", Value::List{"sum", "last"}}});
  const Value o =
      options({{"aggrs", Value::List{options({{"name", "multi"}, {"options", inner}}), "set2set"}}});
  CHECK_THROWS_WITH(readout("multi", 3, o),
                    "set2set.processing_steps: not given; expected a whole number of at least 1");
  const Value steps = options({{"processing_steps", 2}});
  const Value set2set = options({{"name", "set2set"}, {"options", steps}});
  const Value fits =
      options({{"aggrs", Value::List{options({{"name", "multi"}, {"options", inner}}), set2set}}});
  const auto r = readout("multi", 3, fits);
  CHECK(r->out_dim(3) == 6 + 6);
  CHECK(r->row_order() == RowOrder::read);  // of `last`
  const Tensor x = random_tensor({12, 3}, Rng(4));
  const auto y = pooled(*r, x, sample_sets);
  const auto first = pooled("sum", x, sample_sets), second = pooled("last", x, sample_sets);
  CHECK(std::vector<Real>(y.begin(), y.begin() + 3) == std::vector<Real>(first.begin(), first.begin() + 3));
  CHECK(std::vector<Real>(y.begin() + 3, y.begin() + 6) ==
        std::vector<Real>(second.begin(), second.begin() + 3));
}

TEST_CASE("gated-sum lets every feature of every row through its own gate", "[pooling][readout]") {
  const Tensor x = random_tensor({12, 4}, Rng(4));
  for (const Value& o :
       {options({}), options({{"out_channels", 3}, {"act", "relu"}}), options({{"bias", false}})}) {
    const auto r = readout("gated-sum", 4, o);
    const bool relu = o.find("act") != nullptr, biased = o.find("bias") == nullptr;
    const auto act = [&](double v) { return relu ? std::max(v, 0.0) : std::tanh(v); };
    const std::vector<Parameter*> p = r->parameters();
    REQUIRE(p.size() == (biased ? 4U : 2U));
    const Size width = r->out_dim(4);
    const auto line = [&](std::size_t layer, Size row, Size h) {
      const std::size_t first = biased ? 2 * layer : layer;
      double sum = biased ? static_cast<double>(p[first + 1]->value.data()[h]) : 0;
      for (Size d = 0; d < 4; ++d)
        sum += static_cast<double>(p[first]->value.data()[h * 4 + d]) *
               static_cast<double>(x.data()[row * 4 + d]);
      return sum;
    };
    const std::vector<Real> y = pooled(*r, x, sample_sets);
    for (Size b = 0; b < 4; ++b) {
      for (Size h = 0; h < width; ++h) {
        double sum = 0;
        for (Size i = sample_sets.rows(b).begin; i < sample_sets.rows(b).end; ++i)
          sum += act(line(1, i, h)) / (1 + std::exp(-line(0, i, h)));
        CHECK(static_cast<double>(y[static_cast<std::size_t>(b * width + h)]) ==
              Approx(act(sum)).margin(1e-5));
      }
    }
  }
}

TEST_CASE("patch-transformer reduces patches in every way", "[pooling][readout]") {
  const auto with = [](const char* aggr) {
    const Value o = options({{"patch_size", 2},
                             {"hidden_channels", 4},
                             {"out_channels", 4},
                             {"num_transformer_blocks", 0},
                             {"aggr", Value::List{aggr}}});
    auto r = readout("patch-transformer", 3, o);
    // fc the identity, so that the result is what the reduction gives.
    for (const auto& [name, p] : r->state()) {
      if (name == "fc.bias") p->value.fill(0);
      if (name != "fc.weight") continue;
      p->value.fill(0);
      for (Size i = 0; i < 4; ++i) p->value.matrix()(i, i) = 1;
    }
    return r;
  };
  const Tensor x = random_tensor({7, 3}, Rng(4));
  // Patches of a set alone, one at a time through the mean... the position makes the difference, so all at
  // once.
  std::vector<std::vector<Real>> patches;
  const auto mean = with("mean"), total = with("sum"), least = with("min"), most = with("max"),
             var = with("var"), std = with("std");
  const auto sums = pooled(*total, x, one_set(7)), means = pooled(*mean, x, one_set(7));
  const auto low = pooled(*least, x, one_set(7)), high = pooled(*most, x, one_set(7));
  const auto spread = pooled(*var, x, one_set(7)), deviation = pooled(*std, x, one_set(7));
  for (std::size_t j = 0; j < 4; ++j) {
    CHECK(static_cast<double>(sums[j]) == Approx(4 * static_cast<double>(means[j])).margin(1e-5));
    CHECK(low[j] <= means[j]);
    CHECK(means[j] <= high[j]);
    CHECK(std::pow(static_cast<double>(deviation[j]), 2) ==
          Approx(static_cast<double>(spread[j])).margin(1e-5));
    // Popoviciu and the mid-range bound a sample variance of four numbers.
    const double range = static_cast<double>(high[j] - low[j]);
    CHECK(static_cast<double>(spread[j]) <= range * range / 3 + 1e-5);
    CHECK(static_cast<double>(spread[j]) >= range * range / 6 - 1e-5);
  }
  // One patch has no spread, and passes no gradient.
  CHECK(pooled(*std, random_tensor({2, 3}, Rng(1)), one_set(2)) == std::vector<Real>(4, Real{0}));
  CHECK(all_finite(gradient(*std, random_tensor({2, 3}, Rng(1)), one_set(2))));
}

TEST_CASE("janossy draws orders anew for every step of training and none outside it", "[pooling][readout]") {
  const Tensor x = random_tensor({12, 3}, Rng(4));
  const Value o = options({{"out_channels", 4}, {"num_perm", 2}});
  const auto r = readout("janossy", 3, o);
  const auto run = [&](Pass pass) { return pooled(*r, x, sample_sets, {}, pass); };
  CHECK(run({}) == run({}));
  CHECK(run({.training = true, .rng = Rng(1)}) == run({.training = true, .rng = Rng(1)}));
  CHECK(run({.training = true, .rng = Rng(1)}) != run({.training = true, .rng = Rng(2)}));
  const auto other = readout("janossy", 3, options({{"out_channels", 4}, {"num_perm", 2}, {"seed", 5}}));
  CHECK(pooled(*other, x, sample_sets) != run({}));
}

TEST_CASE("latent attention without weights is that with ones, and zeros leave rows out",
          "[pooling][readout]") {
  const auto r = readout("latent-attention", 4, options({{"num_latents", 3}, {"heads", 2}}));
  const Tensor x = random_tensor({12, 4}, Rng(4));
  Tensor ones({12}), mask({12});
  ones.fill(1);
  mask.fill(1);
  mask.data()[0] = mask.data()[1] = 0;
  const auto weighed = [&](const Tensor& weight, const Tensor& rows, const Segments& sets) {
    return pooled(*r, rows, sets, [&](Tape& tape, SetInput& in) { in.weight = tape.input(weight); });
  };
  check_close(weighed(ones, x, sample_sets), pooled(*r, x, sample_sets));
  Tensor rest({10, 4});
  std::copy_n(x.data() + 8, 40, rest.data());
  check_close(weighed(mask, x, sample_sets), pooled(*r, rest, Segments({0, 2, 3, 3, 10})));
}

TEST_CASE("the linear gate of attentional has no gradient for its bias", "[pooling][readout]") {
  // It cancels in the softmax; and the fused pass gives what scores and values apart give.
  const auto linear = readout("attentional", 3),
             tanh = readout("attentional", 3, options({{"value_channels", Value::List{3}}}));
  const Tensor x = random_tensor({12, 3}, Rng(4));
  for (const auto& [name, p] : tanh->state()) {
    if (name == "nn.lins.0.bias") p->value.fill(0);
    if (name != "nn.lins.0.weight") continue;
    p->value.fill(0);
    for (Size i = 0; i < 3; ++i) p->value.matrix()(i, i) = 1;
  }
  check_close(pooled(*linear, x, sample_sets), pooled(*tanh, x, sample_sets));
  check_close(gradient(*linear, x, sample_sets), gradient(*tanh, x, sample_sets));
  static_cast<void>(gradient(*linear, x, sample_sets));
  settle_grads(linear->parameters());
  for (const auto& [name, p] : linear->state()) {
    if (name == "gate_nn.lins.0.bias") CHECK(p->grad.flat()[0] == 0);
  }
}

TEST_CASE("dropout of attention keeps the mean and follows its seed", "[pooling][readout]") {
  const Tensor x = random_tensor({12, 8}, Rng(4));
  const std::pair<const char*, Value> dropped[] = {
      {"pma", options({{"dropout", 0.4}, {"layer_norm", false}})},
      {"pma", options({{"dropout", 0.4}, {"layer_norm", false}, {"heads", 4}, {"num_seed_points", 2}})},
      {"hopfield-pooling", options({{"dropout", 0.4}})},
      {"attentional",
       options(
           {{"dropout", 0.4}, {"gate_channels", Value::List{8, 1}}, {"value_channels", Value::List{8, 8}}})}};
  for (const auto& [name, o] : dropped) {
    INFO(name);
    const auto r = readout(name, 8, o);
    const auto run = [&](Pass pass) { return pooled(*r, x, sample_sets, {}, pass); };
    CHECK(run({.training = true, .rng = Rng(1)}) == run({.training = true, .rng = Rng(1)}));
    CHECK(run({.training = true, .rng = Rng(1)}) != run({.training = true, .rng = Rng(2)}));
    CHECK(run({.training = true, .rng = Rng(1)}) != run({}));
    CHECK(run({}) == run({}));
  }
}

TEST_CASE("appended tokens are what `last` reads", "[pooling][readout]") {
  AppendTokens append({.in_channels = 3, .count = 2});
  append.init(Rng(1));
  const Tensor x = random_tensor({12, 3}, Rng(4));
  Tape tape;
  tape.reset();
  const Appended appended = append.forward(tape.input(x), sample_sets);
  const auto y = numbers(
      readout("last", 3, options({{"k", 2}}))->forward({.x = appended.x, .sets = appended.sets}).y.value());
  const auto tokens = append.parameters()[0]->value.flat();
  for (std::size_t b = 0; b < 4; ++b) {
    for (std::size_t j = 0; j < 3; ++j) {
      CHECK(static_cast<double>(y[3 * b + j]) ==
            Approx(static_cast<double>(tokens[j] + tokens[3 + j]) / 2).margin(1e-6));
    }
  }
  CHECK_THROWS_WITH(append.forward(tape.input(Tensor({12, 4})), sample_sets),
                    "append-tokens: x has width 4; expected 3 (in_channels)");
}

#if TARN_DOUBLE
TEST_CASE("gradients of what has no golden case agree with central differences",
          "[pooling][readout][gradients]") {
  const auto check = [](const char* name, const Value& o) {
    INFO(name << " " << o.text());
    const auto r = readout(name, 6, o);
    for (Parameter* p : r->parameters()) {
      const Tensor change = random_tensor(p->value.shape(), Rng(14));
      for (Size i = 0; i < change.size(); ++i) p->value.data()[i] += Real(0.3) * change.data()[i];
    }
    Tensor x = random_tensor({12, 6}, Rng(4));
    check_gradients(*r, std::array{&x}, true, [&](Tape&, std::span<const Var> in) {
      return r->forward({.x = in[0], .sets = sample_sets}).y;
    });
  };
  check("set-transformer", options({{"variant", "original"}, {"heads", 2}, {"layer_norm", true}}));
  check("set-transformer",
        options({{"variant", "original"}, {"encoder", "isab"}, {"num_induced_points", 2}}));
  check("gmt", options({{"variant", "original"}, {"heads", 3}, {"k", 2}}));
  for (const int most : {3, -1})
    check("hopfield-pooling", options({{"num_heads", 2},
                                       {"quantity", 2},
                                       {"scaling", 1.2},
                                       {"update_steps_max", most},
                                       {"update_steps_eps", 1e-2}}));
  check("hopfield-pooling", options({{"normalize_stored_pattern", false}}));
  check("hopfield-pooling", options({{"input_bias", false}}));
  for (const char* mode : {"sum", "mean", "max", "min", "std", "var"})
    check("multi", options({{"aggrs", Value::List{"mean", "max", "min"}}, {"mode", mode}}));
  for (const char* aggr : {"min", "var", "std"})
    check("patch-transformer",
          options(
              {{"patch_size", 2}, {"hidden_channels", 4}, {"out_channels", 2}, {"aggr", Value::List{aggr}}}));
  check("attentional", options({{"gate_channels", Value::List{4, 1}},
                                {"value_channels", Value::List{5}},
                                {"dropout", 0.3},
                                {"act", "gelu"}}));
  check("gated-sum", options({{"out_channels", 5}, {"act", "gelu"}}));
  check("gated-sum", options({{"bias", false}}));
  check("quantile", options({{"q", 0.6}, {"interpolation", "higher"}}));
  check("pma", options({{"dropout", 0.3}}));
  check("pma", options({{"dropout", 0.3}, {"heads", 3}, {"num_seed_points", 2}}));

  const auto gmt = readout("gmt", 6, options({{"heads", 3}, {"k", 2}}));
  Tensor keys = random_tensor({12, 6}, Rng(5)), values = random_tensor({12, 6}, Rng(6));
  check_gradients(*gmt, std::array{&keys, &values}, false, [&](Tape&, std::span<const Var> in) {
    return gmt->forward({.x = in[0], .sets = sample_sets, .keys = in[0], .values = in[1]}).y;
  });
}
#endif
