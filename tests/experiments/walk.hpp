#pragma once

#include "tarn/experiments/conform/adapters.hpp"

#include "module_walk.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

/// What the walks over registered operators share beside `module_walk.hpp`: the golden cases that name them.
namespace tarn::test {

/// The cases of all files in tests/golden, file by file.
inline std::vector<GoldenCase> all_golden_cases() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(TARN_TESTS_DIR "/golden")) {
    if (entry.path().extension() == ".h5") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<GoldenCase> cases;
  for (const auto& file : files) {
    for (GoldenCase& c : read_golden(file.string())) cases.push_back(std::move(c));
  }
  return cases;
}

/// Those whose operator is known.
inline std::vector<GoldenCase> known_cases() {
  std::vector<GoldenCase> cases = all_golden_cases();
  std::erase_if(cases, [](const GoldenCase& c) { return find_adapter(c.op) == nullptr; });
  return cases;
}

/// Those of one family.
inline std::vector<GoldenCase> golden_cases(const std::string& family) {
  std::vector<GoldenCase> cases = known_cases();
  std::erase_if(cases, [&](const GoldenCase& c) { return find_adapter(c.op)->family != family; });
  return cases;
}

}  // namespace tarn::test
