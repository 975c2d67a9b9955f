#include "tarn/experiments/conform/conform.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/h5.hpp"
#include "tarn/experiments/conform/adapters.hpp"

#include "experiments/walk.hpp"

#include <set>

using namespace tarn;
using namespace tarn::test;

TEST_CASE("every golden case of a known operator is met, forward and backward", "[conform][golden]") {
  for (const GoldenCase& c : known_cases()) {
    INFO(c.where());
    for (const Mismatch& m : check_case(c)) FAIL_CHECK(m.tensor << ": " << m.text);
    SUCCEED();
  }
}

TEST_CASE("every registered operator has a golden case", "[conform][golden]") {
  std::set<std::string> covered;
  for (const GoldenCase& c : known_cases()) covered.insert(c.op);
  for (const Adapter& adapter : adapters()) {
    for (const std::string& name : adapter.names()) {
      INFO(adapter.family << " " << name);
      CHECK(covered.contains(name));
    }
  }
}

TEST_CASE("golden cases of unknown operators are those of operators still to come", "[conform][golden]") {
  // An operator that is built is taken off this list; a misspelt name in a file fails here.
  const std::set<std::string> to_come{"cross-layer-attention",
                                      "dgqa",
                                      "kdgqa",
                                      "linear-attention",
                                      "mala",
                                      "mala-2d",
                                      "pgqa",
                                      "z-loss",
                                      "selective-attention",
                                      "self-attention",
                                      "sigmoid-attention",
                                      "softmax-free-attention",
                                      "softmax-regression",
                                      "softplus-attention"};
  std::set<std::string> unknown;
  for (const GoldenCase& c : all_golden_cases()) {
    if (find_adapter(c.op) == nullptr) unknown.insert(c.op);
  }
  CHECK(unknown == to_come);
}

TEST_CASE("operator names are unique over all families", "[conform]") {
  std::set<std::string> seen;
  for (const Adapter& adapter : adapters()) {
    for (const std::string& name : adapter.names()) CHECK(seen.insert(name).second);
  }
}

TEST_CASE("a number that is off by more than its tolerance fails its case", "[conform]") {
  for (GoldenCase c : known_cases()) {
    INFO(c.where());
    for (auto* tensors : {&c.outputs, &c.gradients}) {
      for (auto& [name, tensor] : *tensors) {
        if (tensor.values.empty()) continue;
        const double before = tensor.values.back();
        const double magnitude = std::abs(before);
        tensor.values.back() += 1e-3 * std::max(1.0, magnitude) + 3 * (c.atol + c.rtol * magnitude);
        CHECK(check_case(c).size() == 1);
        tensor.values.back() = before;
      }
    }
  }
}

TEST_CASE("a case of an unknown operator fails with a suggestion", "[conform][errors]") {
  GoldenCase c = known_cases().front();
  c.op = "glott";
  const auto mismatches = check_case(c);
  REQUIRE(mismatches.size() == 1);
  CHECK(mismatches[0].text.find("unknown operator 'glott'; did you mean 'glot'?") == 0);
}

TEST_CASE("a missing golden file is an error that names it", "[conform][errors]") {
  CHECK_THROWS_AS(conform({"no-such.h5"}, {}), IoError);
}
