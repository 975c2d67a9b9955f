#include "tarn/experiments/conform/conform.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/h5.hpp"
#include "tarn/experiments/conform/adapters.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <set>

using namespace tarn;

namespace {

std::vector<GoldenCase> known_cases() {
  std::vector<GoldenCase> cases;
  for (const char* file : {"glot.h5", "convolutions.h5", "readouts.h5", "mesh.h5"}) {
    for (GoldenCase& c : read_golden(std::string(TARN_TESTS_DIR "/golden/") + file)) {
      if (find_adapter(c.op) != nullptr) cases.push_back(std::move(c));
    }
  }
  return cases;
}

}  // namespace

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

TEST_CASE("operator names are unique over all families", "[conform]") {
  std::set<std::string> seen;
  for (const Adapter& adapter : adapters()) {
    for (const std::string& name : adapter.names()) CHECK(seen.insert(name).second);
  }
}

TEST_CASE("a number that is off by 1e-3 fails its case", "[conform]") {
  for (GoldenCase c : known_cases()) {
    INFO(c.where());
    for (auto* tensors : {&c.outputs, &c.gradients}) {
      for (auto& [name, tensor] : *tensors) {
        if (tensor.values.empty()) continue;
        const double before = tensor.values.back();
        tensor.values.back() += 1e-3 * std::max(1.0, std::abs(before));
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
