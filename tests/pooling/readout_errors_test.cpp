#include "pooling/readout_fixture.hpp"

#include <array>

using namespace tarn;
using namespace tarn::test;

namespace {

const Segments sets({0, 4, 5, 5, 12});

std::vector<Real> run(const char* name, Size dim, const Value& o = {}, const Change& change = {}) {
  return pooled(*readout(name, dim, o), random_tensor({12, 3}, Rng(1)), sets, change);
}

}  // namespace

TEST_CASE("readouts name the option that must be given", "[pooling][readout][errors]") {
  const std::pair<const char*, const char*> required[] = {{"sort", "k"},
                                                          {"mlp", "max_num_elements"},
                                                          {"gmt", "k"},
                                                          {"set2set", "processing_steps"},
                                                          {"lstm", "out_channels"},
                                                          {"gru", "out_channels"},
                                                          {"janossy", "out_channels"},
                                                          {"lcm", "out_channels"},
                                                          {"equilibrium", "out_channels"}};
  for (const auto& [name, option] : required) {
    CHECK_THROWS_WITH(make_readout(name, 3), std::string(name) + "." + option +
                                                 ": not given; expected a whole number of at least 1");
  }
}

TEST_CASE("readouts say which options do not fit", "[pooling][readout][errors]") {
  const auto refuses = [](const char* name, const Value& o, const std::string& message) {
    CHECK_THROWS_WITH(make_readout(name, 6, o), message);
  };
  refuses("gem", options({{"p", 0.0}}), "gem.p: got 0.0; expected a number above 0");
  refuses("gem", options({{"groups", 4}}),
          "gem.groups: got 4 for width 6; expected a number that divides the width");
  refuses("power-mean", options({{"channels", 6}}),
          "power-mean.channels: got 6 with learn false; expected 1 or learn true");
  refuses("power-mean", options({{"clamp_min", 5.0}, {"clamp_max", 2.0}}),
          "power-mean.clamp_min: got 5 with clamp_max 2; expected at most that");
  refuses("softmax", options({{"channels", 3}, {"learn", true}}),
          "softmax.channels: got 3 for width 6; expected 1 or the width");
  refuses("softmax", options({{"learn", true}, {"semi_grad", true}}),
          "softmax.semi_grad: got true with learn true; expected one of them");
  refuses("quantile", options({{"q", Value::List{}}}),
          "quantile.q: got []; expected at least one number in [0, 1]");
  refuses("quantile", options({{"q", Value::List{1.5}}}),
          "quantile.q: got [1.5]; expected a list, each a number in [0, 1]");
  refuses("quantile", options({{"interpolation", "middle"}}),
          "quantile.interpolation: got \"middle\"; expected one of linear, lower, higher, nearest, midpoint");
  refuses("attentional", options({{"gate_channels", Value::List{8, 2}}}),
          "attentional.gate_channels: got 2 last; expected 1 or 6 (the values' width)");
  refuses("attentional", options({{"gate_channels", Value::List{}}}),
          "attentional.gate_channels: got []; expected at least one width");
  refuses("mlp", options({{"max_num_elements", 4}, {"channels", Value::List{}}}),
          "mlp.channels: got []; expected at least one width");
  refuses("pma", options({{"heads", 4}}),
          "pma.heads: got 4 for width 6; expected a number that divides the width");
  refuses("set-transformer", options({{"encoder", "isab"}}),
          "set-transformer.num_induced_points: got 0 with encoder isab; expected at least 1");
  refuses("hopfield-pooling", options({{"num_heads", 4}}),
          "hopfield-pooling.num_heads: got 4 for width 6; expected a number that divides the width");
  refuses("lcm", options({{"out_channels", 5}, {"project", false}}),
          "lcm.out_channels: got 5 with project false; expected 6 (the width of x)");
  refuses("patch-transformer", options({{"hidden_channels", 7}}),
          "patch-transformer.hidden_channels: got 7; expected an even number");
  refuses("patch-transformer", options({{"aggr", Value::List{"mode"}}}),
          "patch-transformer.aggr: got 'mode'; expected one of sum, mean, min, max, var, std");
  refuses("patch-transformer", options({{"aggr", Value::List{}}}),
          "patch-transformer.aggr: got []; expected at least one reduction");
  refuses("regional-gem", options({{"size", 4}}), "regional-gem.size: got 4; expected an odd number");
  refuses("multi", options({{"aggrs", Value::List{}}}), "multi.aggrs: got []; expected at least one readout");
  CHECK_THROWS_WITH(make_readout("multi", 6, options({{"aggrs", Value::List{"maen"}}})),
                    Catch::StartsWith("unknown readout 'maen'; did you mean 'mean'?"));
  refuses("multi", options({{"aggrs", Value::List{"mean"}}, {"mode", "proj"}, {"out_channels", 2}}),
          "multi.aggrs: got one readout with mode proj; expected at least two");
  refuses("multi", options({{"aggrs", Value::List{"mean", "max"}}, {"mode", "attn"}}),
          "multi.out_channels: not given; expected a whole number of at least 1");
  refuses("multi",
          options({{"aggrs", Value::List{"mean", options({{"name", "set2set"},
                                                          {"options", options({{"processing_steps", 1}})}})}},
                   {"mode", "sum"}}),
          "multi.aggrs: readouts give widths 6 and 12 with mode sum; expected equal ones");
  refuses("multi", options({{"aggrs", Value::List{options({{"nme", "mean"}})}}}),
          "multi.aggrs: got {\"nme\": \"mean\"}; expected a name, or a table of name and options");
  refuses("degree-scaler", options({{"aggrs", Value::List{"mean"}}}),
          "degree-scaler.deg: got a histogram of nothing; expected a count above 0");
  refuses("degree-scaler",
          options({{"aggrs", Value::List{"mean"}},
                   {"deg", Value::List{3}},
                   {"scaler", Value::List{"amplification"}}}),
          "degree-scaler.deg: got sets of no rows alone with scaler amplification; expected some with rows");
  refuses(
      "degree-scaler",
      options({{"aggrs", Value::List{"mean"}}, {"deg", Value::List{0, 3}}, {"scaler", Value::List{"twice"}}}),
      "degree-scaler.scaler: got 'twice'; expected one of identity, amplification, attenuation, linear, "
      "inverse_linear");
}

TEST_CASE("readouts say which input does not fit", "[pooling][readout][errors]") {
  CHECK_THROWS_WITH(run("weighted-mean", 3), "weighted-mean: weight is not given; expected [12]");
  const Tensor few({5});
  CHECK_THROWS_WITH(run("weighted-mean", 3, {}, [&](Tape& t, SetInput& in) { in.weight = t.input(few); }),
                    "weighted-mean: weight is [5]; expected [12]");
  Tensor negative({12});
  negative.data()[7] = Real(-0.5);
  CHECK_THROWS_WITH(
      run("weighted-mean", 3, {}, [&](Tape& t, SetInput& in) { in.weight = t.input(negative); }),
      "weighted-mean: weight holds -0.5 in row 7; expected no negative number");
  CHECK_THROWS_WITH(run("mlp", 3, options({{"max_num_elements", 4}})),
                    "mlp: set 3 has 7 rows; expected at most 4 (max_num_elements), or truncate");
  CHECK(run("mlp", 3, options({{"max_num_elements", 4}, {"truncate", true}})).size() == 4 * 64);
  CHECK_THROWS_WITH(
      run("power-mean", 3, options({{"p", 2.0}, {"clamp_min", Value()}})),
      Catch::StartsWith("power-mean: x holds -") && Catch::EndsWith("expected no negative number"));
  CHECK_THROWS_WITH(run("gem", 4), "gem: x has width 3; expected 4 (in_channels)");
  CHECK_THROWS_WITH(run("gmt", 3, options({{"k", 2}}), [](Tape&, SetInput& in) { in.keys = in.x; }),
                    "gmt: got keys or values alone; expected both or none");
}

TEST_CASE("every readout wants a matrix with columns over all its sets", "[pooling][readout][errors]") {
  const auto mean = readout("mean", 3);
  CHECK_THROWS_WITH(pooled(*mean, Tensor({12, 0}), sets), "mean: x has width 0; expected at least 1");
  CHECK_THROWS_WITH(pooled(*mean, Tensor({12}), sets), "mean: x is [12]; expected [N, D]");
  CHECK_THROWS_WITH(pooled(*mean, Tensor({12, 2, 3}), sets), "mean: x is [12, 2, 3]; expected [N, D]");
  CHECK_THROWS_WITH(pooled(*mean, Tensor({11, 3}), sets), Catch::StartsWith("mean: "));
}

TEST_CASE("an order must hold every row of its set once", "[pooling][readout][errors]") {
  const Value o = options({{"out_channels", 2}});
  std::array<Size, 12> order{3, 2, 1, 0, 4, 5, 6, 7, 8, 9, 10, 10};
  const Change with = [&](Tape&, SetInput& in) { in.order = order; };
  CHECK_THROWS_WITH(run("janossy", 3, o, with),
                    "janossy: order 0 lists row 10 in set 3; expected each of its rows 5 to 11 once");
  order[11] = 4;
  CHECK_THROWS_WITH(run("janossy", 3, o, with),
                    "janossy: order 0 lists row 4 in set 3; expected each of its rows 5 to 11 once");
  order[11] = 11;
  CHECK(run("janossy", 3, o, with).size() == 8);
  CHECK_THROWS_WITH(run("janossy", 3, options({{"out_channels", 2}, {"num_perm", 2}}), with),
                    "janossy: order has 12 entries; expected 24 (num_perm times rows)");
}

TEST_CASE("a grid must fit its sets", "[pooling][readout][errors]") {
  const auto r = readout("regional-gem", 2, options({{"size", 3}}));
  Tensor x({12, 2});
  x.fill(1);
  const auto on = [&](std::vector<Size> grid, const Segments& of) {
    return pooled(*r, x, of, [&](Tape&, SetInput& in) { in.grid = grid; });
  };
  CHECK_THROWS_WITH(on({3, 3}, Segments({0, 6, 12})),
                    "regional-gem: grid has 2 numbers; expected 4 (height and width of every set)");
  CHECK_THROWS_WITH(
      on({2, 3, 2, 4}, Segments({0, 6, 12})),
      "regional-gem: grid 1 is 2 x 4 for 6 rows; expected height and width above 1, together all "
      "rows");
  CHECK_THROWS_WITH(
      on({1, 6, 2, 3}, Segments({0, 6, 12})),
      "regional-gem: grid 0 is 1 x 6 for 6 rows; expected height and width above 1, together all "
      "rows");
  CHECK(on({2, 3, 2, 3}, Segments({0, 6, 12})).size() == 4);
  CHECK(on({3, 4, 0, 0}, Segments({0, 12, 12})).size() == 4);
  Tensor negative = x.clone();
  negative.matrix()(3, 1) = -2;
  CHECK_THROWS_WITH(pooled(*r, negative, Segments::uniform(1, 12)),
                    "regional-gem: x holds -2 in row 3; expected no negative number");
}
