#include "tarn/core/progress.hpp"

#include <catch2/catch.hpp>

#include <cstdio>
#include <string>

using namespace tarn;

namespace {

std::string written(ProgressStyle style) {
  std::FILE* file = std::tmpfile();
  {
    Progress progress(style, file);
    progress.start("run", "epochs", 10);
    progress.advance(5);
    progress.message("a message");
    progress.finish();
  }
  std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

}  // namespace

TEST_CASE("progress tells amount, rate and time left", "[core][progress]") {
  CHECK(Progress::status(12.5, 120, "epochs", 3.125) == "12.5/120 epochs, 3.1 epochs/s, 35 s left");
  CHECK(Progress::status(0, 10, "files", 0) == "0/10 files");
  CHECK(Progress::status(1, 121, "epochs", 0.5) == "1/121 epochs, 30.0 epochs/min, 4 min 00 s left");
}

TEST_CASE("a stream that is no terminal gets messages as plain lines", "[core][progress]") {
  CHECK(written(ProgressStyle::automatic) == "a message\n");
  CHECK(written(ProgressStyle::silent).empty());
}

TEST_CASE("a bar draws itself and leaves nothing behind", "[core][progress]") {
  const std::string text = written(ProgressStyle::bar);
  CHECK(text.find("run [############............] 5/10 epochs") != std::string::npos);
  CHECK(text.substr(text.size() - 4) == "\r\033[K");
}
