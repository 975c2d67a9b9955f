#include "tarn/experiments/environment.hpp"

#include "tarn/core/parallel.hpp"

#include <fstream>

namespace tarn {

namespace {

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(std::min(line.size(), line.find(':') + 2));
  }
  return "unknown";
}

}  // namespace

Value environment() {
  Value result;
  result.set("version", TARN_VERSION);
  result.set("precision", sizeof(Real) == sizeof(double) ? "double" : "float");
  result.set("compiler", "" __VERSION__);
  result.set("processor", processor());
  result.set("threads", Size{Threads::available()});
  return result;
}

}  // namespace tarn
