#include "tarn/experiments/log.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

namespace tarn {

struct Log::Sink {
  spdlog::logger logger;
};

Log::Log() = default;
Log::~Log() = default;
Log::Log(Log&&) noexcept = default;
Log& Log::operator=(Log&&) noexcept = default;

Log::Log(const std::string& path) {
  try {
    auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
    sink_ = std::make_unique<Sink>(Sink{spdlog::logger("tarn", std::move(file))});
    sink_->logger.set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
    sink_->logger.flush_on(spdlog::level::info);
  } catch (const spdlog::spdlog_ex&) {
    throw IoError(fmt::format("{}: cannot be written; expected a path for the log that can be", path));
  }
}

void Log::info(const std::string& text) {
  write(spdlog::level::info, text);
}

void Log::warning(const std::string& text) {
  write(spdlog::level::warn, text);
}

void Log::error(const std::string& text) {
  write(spdlog::level::err, text);
}

void Log::write(int level, const std::string& text) {
  if (!sink_) return;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) sink_->logger.log(static_cast<spdlog::level::level_enum>(level), line);
  }
}

}  // namespace tarn
