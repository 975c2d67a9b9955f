#pragma once

#include "scratch_directory.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

/// A small set in TU form, whose files a test may change: two graphs, a triangle (nodes 1 to 3) with labels
/// and a path of two (nodes 4 and 5).
class TuFixture {
 public:
  TuFixture() {
    files_ = {{"A", "1, 2\n2, 1\n2,3\n3,2\n 3 , 1\n1, 3\n4, 5\n5, 4\n"},
              {"graph_indicator", "1\n1\n1\n2\n2\n"},
              {"graph_labels", "-1\n1\n"},
              {"node_labels", "3\n4\n6\n3\n3\n"},
              {"edge_labels", "0\n0\n1\n1\n2\n2\n0\n0\n"}};
  }

  TuFixture& set(const std::string& part, const std::string& text) {
    files_[part] = text;
    return *this;
  }
  TuFixture& remove(const std::string& part) {
    files_.erase(part);
    return *this;
  }

  /// The folder SET with all files.
  [[nodiscard]] std::filesystem::path folder() const {
    const std::filesystem::path path = scratch_ / "SET";
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
    for (const auto& [part, text] : files_) std::ofstream(file(part), std::ios::binary) << text;
    return path;
  }
  [[nodiscard]] std::filesystem::path file(const std::string& part) const {
    return scratch_ / "SET" / ("SET_" + part + ".txt");
  }
  [[nodiscard]] const ScratchDirectory& scratch() const { return scratch_; }

 private:
  ScratchDirectory scratch_;
  std::map<std::string, std::string> files_;
};
