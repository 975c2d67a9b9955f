#include "pooling/plain_attention.hpp"
#include "pooling/readout_fixture.hpp"

#include <array>
#include <cmath>

using namespace tarn;
using namespace tarn::test;

namespace {

/// A column of k numbers.
Tensor column(std::span<const double> values) {
  Tensor t({static_cast<Size>(values.size()), 1});
  for (std::size_t i = 0; i < values.size(); ++i) t.data()[i] = static_cast<Real>(values[i]);
  return t;
}

}  // namespace

// === What the reference gets wrong

TEST_CASE("a small spread about a large mean keeps its digits", "[pooling][readout]") {
  Tensor x({1000, 1});
  double mean = 0, squares = 0;
  for (Size i = 0; i < 1000; ++i) {
    x.data()[i] = static_cast<Real>(100 + 0.01 * Rng(3).normal(static_cast<std::uint64_t>(i)));
    mean += static_cast<double>(x.data()[i]) / 1000;
  }
  for (Size i = 0; i < 1000; ++i) squares += std::pow(static_cast<double>(x.data()[i]) - mean, 2) / 1000;
  CHECK(static_cast<double>(pooled("var", x, one_set(1000))[0]) == Approx(squares).epsilon(1e-5));
  CHECK(static_cast<double>(pooled("std", x, one_set(1000))[0]) == Approx(std::sqrt(squares)).epsilon(1e-5));
}

TEST_CASE("a maximum of zero passes its whole gradient on", "[pooling][readout]") {
  const Tensor single({1, 1}), pair = tensor({2, 1}, {0, -1});
  for (const char* name : {"max", "min"}) {
    const auto r = readout(name, 1);
    CHECK(gradient(*r, single, one_set(1)) == std::vector<Real>{1});
  }
  CHECK(gradient(*readout("max", 1), pair, one_set(2)) == std::vector<Real>{1, 0});
}

TEST_CASE("a quantile does not depend on where its set stands", "[pooling][readout]") {
  // PyTorch Geometric adds the offset of the set before it rounds, and takes positions in single precision.
  const Size before = 300001;
  Tensor x({before + 6, 1});
  for (Size i = 0; i < before; ++i)
    x.data()[i] = static_cast<Real>(Rng(1).uniform(static_cast<std::uint64_t>(i)));
  const double values[] = {0.1, 0.7, 0.2, 0.9, 0.4, 0.3};
  for (Size i = 0; i < 6; ++i) x.data()[before + i] = static_cast<Real>(values[i]);
  const Tensor alone = column(values);
  for (const char* how : {"linear", "lower", "higher", "nearest", "midpoint"}) {
    INFO(how);
    const Value o = options({{"q", Value::List{0.1, 0.5, 0.73}}, {"interpolation", how}});
    const auto together = pooled("quantile", x, Segments({0, before, before + 6}), o);
    const auto own = pooled("quantile", alone, one_set(6), o);
    CHECK(std::vector<Real>(together.begin() + 3, together.end()) == own);
    CHECK(pooled("quantile", alone, Segments({0, 0, 6}), o).size() == 6);  // an empty first set
  }
  const Value higher = options({{"q", 0.73}, {"interpolation", "higher"}});
  CHECK(pooled("quantile", alone, one_set(6), higher) == std::vector<Real>{static_cast<Real>(0.7)});
  const Value fill = options({{"q", 0.73}, {"fill_value", -2.0}});
  CHECK(pooled("quantile", alone, Segments({0, 0, 6}), fill)[0] == -2);
}

TEST_CASE("the median of an even number of rows is the lower one", "[pooling][readout]") {
  CHECK(pooled("median", column(std::array{4.0, 1.0, 3.0, 2.0}), one_set(4)) == std::vector<Real>{2});
}

TEST_CASE("a power mean of no rows is zero, of a large exponent the maximum", "[pooling][readout]") {
  const Tensor x = column(std::array{0.2, 0.9, 3.0, 1.5});
  CHECK(pooled("power-mean", x, Segments({0, 0, 4}), options({{"p", 2.0}}))[0] == 0);
  const auto r = readout("gem", 1, options({{"p", 100.0}}));
  CHECK(static_cast<double>(pooled(*r, x, one_set(4))[0]) == Approx(3 * std::pow(0.25, 0.01)).epsilon(1e-5));
  CHECK(all_finite(gradient(*r, x, one_set(4))));
  const Value open = options({{"p", 2.0}, {"clamp_min", Value()}});
  CHECK(pooled("power-mean", Tensor({3, 1}), one_set(3), open) == std::vector<Real>{0});
}

TEST_CASE("every row counts in a patch-transformer, whatever the patches", "[pooling][readout]") {
  // PyTorch Geometric drops rows (5 rows, patches of 4) or gives NaN (2 rows).
  const Value o = options({{"patch_size", 4}, {"hidden_channels", 8}, {"out_channels", 3}, {"heads", 2}});
  const auto r = readout("patch-transformer", 3, o);
  Tensor x = random_tensor({5, 3}, Rng(2));
  const auto before = pooled(*r, x, one_set(5));
  x.matrix()(4, 0) += 1;
  CHECK(pooled(*r, x, one_set(5)) != before);
  CHECK(all_finite(pooled(*r, random_tensor({2, 3}, Rng(2)), one_set(2))));
}

TEST_CASE("a window of zeros has no gradient and no NaN", "[pooling][readout]") {
  const auto r = readout("regional-gem", 2, options({{"size", 3}}));
  const std::array<Size, 2> grid{3, 3};
  const auto on_grid = [&](Tape&, SetInput& in) { in.grid = grid; };
  const Tensor x({9, 2});
  CHECK(all_finite(pooled(*r, x, one_set(9), on_grid)));
  CHECK(all_finite(gradient(*r, x, one_set(9), on_grid)));
}

TEST_CASE("an empty set gives zeros where its rule says so", "[pooling][readout]") {
  const Tensor x = random_tensor({12, 4}, Rng(4));
  const std::pair<const char*, Value> zero[] = {
      {"patch-transformer", options({{"patch_size", 2}, {"hidden_channels", 8}, {"out_channels", 4}})},
      {"scale-gem", {}},
      {"scale-gem", options({{"infinity", false}})},
      {"hopfield-pooling", options({{"disable_out_projection", true}})},
      {"latent-attention", options({{"num_latents", 2}, {"heads", 1}})},
      {"median", {}},
      {"sort", options({{"k", 1}})}};
  for (const auto& [name, o] : zero) {
    INFO(name);
    const auto y = pooled(name, x, sample_sets, o);
    REQUIRE(y.size() == 16);
    CHECK(std::all_of(y.begin() + 8, y.begin() + 12, [](Real v) { return v == 0; }));
    CHECK(std::any_of(y.begin() + 4, y.begin() + 8, [](Real v) { return v != 0; }));
  }
}

TEST_CASE("perceiver-pooling of an empty set passes its latents through the rest", "[pooling][readout]") {
  const auto r =
      readout("perceiver-pooling", 4, options({{"num_latents", 3}, {"heads", 1}, {"normalize", false}}));
  const PlainModule plain(*r);
  const Matrix latents = plain.value("latents");
  const Matrix hidden =
      plain.linear(plain.norm(latents, "cross_attend_blocks.1.norm"), "cross_attend_blocks.1.fn.net.0");
  Matrix gated;
  for (const auto& row : hidden) {
    const std::size_t half = row.size() / 2;
    std::vector<double> g;
    for (std::size_t j = 0; j < half; ++j)
      g.push_back(row[j] * row[half + j] * (1 + std::erf(row[half + j] / std::sqrt(2.0))) / 2);
    gated.push_back(g);
  }
  const Matrix z = sum(latents, plain.linear(gated, "cross_attend_blocks.1.fn.net.2"));
  std::vector<Real> expected;
  for (std::size_t j = 0; j < 4; ++j)
    expected.push_back(static_cast<Real>((z[0][j] + z[1][j] + z[2][j]) / 3));
  check_close(pooled(*r, Tensor({0, 4}), Segments::uniform(1, 0)), expected);
}
