#pragma once

#include "tarn/experiments/conform/adapters.hpp"

#include "module_walk.hpp"

#include <string>
#include <vector>

/// What the walks over registered operators share beside `module_walk.hpp`: the golden cases that name them.
namespace tarn::test {

inline std::vector<GoldenCase> golden_cases(const std::string& family) {
  std::vector<GoldenCase> cases;
  for (const char* file : {"glot.h5", "convolutions.h5", "readouts.h5", "mesh.h5"}) {
    for (GoldenCase& c : read_golden(std::string(TARN_TESTS_DIR "/golden/") + file)) {
      const Adapter* adapter = find_adapter(c.op);
      if (adapter != nullptr && adapter->family == family) cases.push_back(std::move(c));
    }
  }
  return cases;
}

}  // namespace tarn::test
