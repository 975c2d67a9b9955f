#include "tarn/core/ops/elementwise.hpp"
#include "tarn/pooling/normalisers/normalised_pool.hpp"

#include "pooling/readout_fixture.hpp"

#include <limits>

using namespace tarn;
using namespace tarn::test;

namespace {

const Segments sets({0, 4, 5, 5, 12});

std::vector<Real> weights(const char* name, const Tensor& scores, const Segments& of, const Value& o = {}) {
  Tape tape;
  tape.reset();
  return numbers(normalisers().make(name, o)->forward({tape.input(scores), of}).value());
}

/// Options of a readout with another normaliser.
Value with(const char* normaliser, std::initializer_list<std::pair<std::string, Value>> more = {}) {
  Value o = options(more);
  o.set("normaliser", normaliser);
  return o;
}

}  // namespace

TEST_CASE("normalisers refuse options out of range", "[pooling][normaliser][errors]") {
  const auto refuses = [](const char* name, const Value& o, const std::string& message) {
    CHECK_THROWS_WITH(normalisers().make(name, o), message);
  };
  for (const std::string& name : normalisers().names()) {
    refuses(name.c_str(), options({{"temperature", 0.0}}),
            name + ".temperature: got 0.0; expected a number above 0");
  }
  refuses("softmax-weights", options({{"algorithm", "one-pass"}}),
          "softmax-weights.algorithm: got \"one-pass\"; expected one of auto, three-pass, "
          "three-pass-recompute, two-pass, online");
  refuses("softmax-weights", options({{"check_finite", 1}}),
          "softmax-weights.check_finite: got 1; expected true or false");
  refuses("division-weights", options({{"activation", "gelu"}}),
          "division-weights.activation: got \"gelu\"; expected one of relu, softplus, exp, sigmoid, elu1, "
          "square, identity");
  refuses("division-weights", options({{"eps", -1e-3}}),
          "division-weights.eps: got -0.001; expected a number of at least 0");
  refuses("sigmoid-weights", options({{"bias", "log-n"}}),
          "sigmoid-weights.bias: got \"log-n\"; expected a number or one of neg-log-n");
  refuses("sigmoid-weights", options({{"length_norm", "sqrt"}}),
          "sigmoid-weights.length_norm: got \"sqrt\"; expected one of none, sqrt-length, length");
  refuses("entmax-weights", options({{"alpha", 0.5}}),
          "entmax-weights.alpha: got 0.5; expected a number of at least 1");
  refuses("gumbel-softmax-weights", options({{"hard", "yes"}}),
          "gumbel-softmax-weights.hard: got \"yes\"; expected true or false");
  refuses("softmax-weights", options({{"alpha", 2.0}}),
          "unknown option 'alpha' for softmax-weights; known: temperature, check_finite, algorithm");
  refuses("softmax-weight", {},
          "unknown normaliser 'softmax-weight'; did you mean 'softmax-weights'? (known: softmax-weights, "
          "division-weights, sigmoid-weights, entmax-weights, gumbel-softmax-weights)");
}

TEST_CASE("options that are filled in C++ are checked too", "[pooling][normaliser][errors]") {
  EntmaxWeights::Options o;
  o.alpha = 0.9;
  CHECK_THROWS_WITH(EntmaxWeights(o), "entmax-weights.alpha: got 0.9; expected a number of at least 1");
}

TEST_CASE("normalisers refuse scores, sets and noise that do not fit", "[pooling][normaliser][errors]") {
  Tape tape;
  tape.reset();
  const Tensor scores({12, 2}), flat({12}), noise({12, 1});
  const auto softmax = normalisers().make("softmax-weights"),
             gumbel = normalisers().make("gumbel-softmax-weights");
  CHECK_THROWS_WITH(softmax->forward({tape.input(flat), sets}),
                    "softmax-weights: scores are [12]; expected [N, H]");
  CHECK_THROWS_WITH(softmax->forward({tape.input(scores), Segments({0, 11})}),
                    "softmax-weights: x has 12 rows but sets cover 11; expected offsets to end at 12");
  CHECK_THROWS_WITH(softmax->forward({tape.input(scores), sets, tape.input(scores)}),
                    "softmax-weights: got noise; expected none");
  CHECK_THROWS_WITH(gumbel->forward({tape.input(scores), sets, tape.input(noise)}),
                    "gumbel-softmax-weights: noise is [12, 1]; expected [12, 2], as the scores");
}

TEST_CASE("check_finite names the first score of plus infinity or NaN", "[pooling][normaliser][errors]") {
  for (const std::string& name : normalisers().names()) {
    INFO(name);
    const Value check = options({{"check_finite", true}});
    Tensor scores = random_tensor({12, 2}, Rng(1));
    scores.matrix()(2, 0) = -std::numeric_limits<Real>::infinity();
    CHECK(all_finite(weights(name.c_str(), scores, sets, check)));
    scores.matrix()(6, 1) = std::numeric_limits<Real>::quiet_NaN();
    CHECK_THROWS_WITH(weights(name.c_str(), scores, sets, check),
                      name +
                          ": the score of set 3, row 6, column 1 is nan; expected a finite number or minus "
                          "infinity");
    scores.matrix()(5, 0) = std::numeric_limits<Real>::infinity();
    CHECK_THROWS_WITH(weights(name.c_str(), scores, sets, check),
                      name +
                          ": the score of set 3, row 5, column 0 is inf; expected a finite number or minus "
                          "infinity");
    CHECK_NOTHROW(weights(name.c_str(), scores, sets, options({{"check_finite", false}})));
  }
}

TEST_CASE("a temperature is a division of the scores", "[pooling][normaliser]") {
  const Tensor scores = random_tensor({12, 3}, Rng(2));
  Tensor halved = scores.clone();
  for (Real& v : halved.flat()) v /= 2;
  for (const std::string& name : normalisers().names()) {
    INFO(name);
    const Value two = options({{"temperature", 2.0}});
    CHECK(weights(name.c_str(), scores, sets, two) == weights(name.c_str(), halved, sets));
  }
}

TEST_CASE("a softmax of all defaults keeps the bits of the readouts' own", "[pooling][normaliser]") {
  const Tensor x = random_tensor({12, 3}, Rng(3));
  for (const char* name : {"attentional", "mil-attention"}) {
    INFO(name);
    CHECK(pooled(name, x, sets) == pooled(name, x, sets, with("softmax", {{"temperature", 1.0}})));
    for (const char* algorithm : {"three-pass", "three-pass-recompute", "two-pass", "online"})
      check_close(pooled(name, x, sets, with("softmax", {{"algorithm", algorithm}})), pooled(name, x, sets));
    check_close(pooled(name, x, sets, with("entmax", {{"alpha", 1.0}})), pooled(name, x, sets));
    check_close(pooled(name, x, sets, with("gumbel-softmax")), pooled(name, x, sets));
    check_close(pooled(name, x, sets, with("division", {{"activation", "exp"}})), pooled(name, x, sets));
  }
}

TEST_CASE("readouts sum rows by the weights of their normaliser", "[pooling][normaliser]") {
  const Tensor x = random_tensor({12, 3}, Rng(4));
  for (const std::string& name : normaliser_names()) {
    INFO(name);
    const auto one = readout("attentional", 3, with(name.c_str()));
    const auto each = readout("attentional", 3, with(name.c_str(), {{"gate_channels", Value::List{3}}}));
    const auto branches = readout("mil-attention", 3, with(name.c_str(), {{"branches", 2}}));
    Tape tape;
    tape.reset();
    const Pooled pooled = one->forward({.x = tape.input(x), .sets = sets});
    const ConstMatrixView w = pooled.weights.value(), y = pooled.y.value();
    for (Size b = 0; b < sets.count(); ++b) {
      for (Size j = 0; j < 3; ++j) {
        Real sum = 0;
        for (Size i = sets.rows(b).begin; i < sets.rows(b).end; ++i) sum += w.data[i] * x.matrix()(i, j);
        CHECK(static_cast<double>(y(b, j)) == Approx(static_cast<double>(sum)).margin(1e-6));
      }
    }
    CHECK(each->forward({.x = tape.input(x), .sets = sets}).y.shape() == Shape({4, 3}));
    CHECK(branches->forward({.x = tape.input(x), .sets = sets}).y.shape() == Shape({4, 6}));
  }
}

TEST_CASE("score_bias is the bias of sigmoid weights", "[pooling][normaliser]") {
  const Tensor x = random_tensor({12, 3}, Rng(5));
  const auto low = pooled("mil-attention", x, sets, with("sigmoid", {{"score_bias", -30.0}}));
  for (const Real v : low) CHECK(std::abs(v) < 1e-6);
  CHECK(pooled("mil-attention", x, sets, with("sigmoid", {{"score_bias", "neg-log-n"}})) ==
        pooled("mil-attention", x, sets, with("sigmoid")));
}

TEST_CASE("readouts refuse normalisers and options that do not fit", "[pooling][normaliser][errors]") {
  const auto refuses = [](const char* name, const Value& o, const std::string& message) {
    CHECK_THROWS_WITH(make_readout(name, 3, o), message);
  };
  for (const std::string name : {"attentional", "mil-attention"}) {
    const char* const readout = name.c_str();
    refuses(readout, with("sparsemax"),
            name +
                ".normaliser: got \"sparsemax\"; expected one of softmax, division, sigmoid, entmax, "
                "gumbel-softmax");
    refuses(readout, with("softmax", {{"alpha", 2.0}}),
            name + ".alpha: got 2.0 with normaliser softmax, which has no such option; expected 1.5");
    refuses(readout, with("entmax", {{"score_bias", -1.0}}),
            name +
                ".score_bias: got -1.0 with normaliser entmax, which has no such option; expected "
                "\"neg-log-n\"");
    refuses(readout, with("entmax", {{"alpha", 0.0}}),
            name + ".alpha: got 0.0; expected a number of at least 1");
    refuses(readout, with("sigmoid", {{"temperature", -1.0}}),
            name + ".temperature: got -1.0; expected a number above 0");
    CHECK_NOTHROW(make_readout(readout, 3, with("softmax", {{"alpha", 1.5}})));
  }
}
