#pragma once

#include "tarn/core/progress.hpp"
#include "tarn/experiments/log.hpp"

#include <string>
#include <utility>

namespace tarn {

/// Where a verb speaks: results to standard output, progress and warnings to standard error, all of it into
/// the log. `--quiet` leaves results and errors.
class Console {
 public:
  enum class Talk { normal, quiet };
  Console(Talk talk, Log log)
      : progress_(talk == Talk::quiet ? ProgressStyle::silent : ProgressStyle::automatic),
        log_(std::move(log)) {}

  /// A result: printed even when quiet.
  void result(const std::string& text);
  /// What is being done, for the reader who waits.
  void note(const std::string& line);
  /// What to know before believing the results.
  void warning(const std::string& line);
  [[nodiscard]] Progress& progress() { return progress_; }
  [[nodiscard]] Log& log() { return log_; }

 private:
  Progress progress_;
  Log log_;
};

}  // namespace tarn
