#include "tarn/experiments/console.hpp"

#include <cstdio>

namespace tarn {

void Console::result(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  if (text.empty() || text.back() != '\n') std::fputc('\n', stdout);
  std::fflush(stdout);
  log_.info(text);
}

void Console::note(const std::string& line) {
  progress_.message(line);
  log_.info(line);
}

void Console::warning(const std::string& line) {
  progress_.message("warning: " + line);
  log_.warning(line);
}

}  // namespace tarn
