#include "tarn/pooling/catalogue.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

using namespace tarn;

namespace {

const std::string path = TARN_TESTS_DIR "/../pooling/README.md";
const std::string begin_mark = "<!-- readouts -->\n", end_mark = "<!-- end of readouts -->\n";

std::string read(const std::string& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

// TARN_WRITE_CATALOGUE=1 writes the tables instead.
TEST_CASE("pooling/README.md lists all readouts as the registries have them", "[pooling][catalogue]") {
  const std::string text = read(path);
  const auto begin = text.find(begin_mark), end = text.find(end_mark);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  const auto first = begin + begin_mark.size();
  if (std::getenv("TARN_WRITE_CATALOGUE") != nullptr) {
    std::ofstream(path) << text.substr(0, first) << readout_tables() << text.substr(end);
    return;
  }
  CHECK(text.substr(first, end - first) == readout_tables());
}
