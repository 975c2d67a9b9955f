#pragma once

#include <sys/wait.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>

/// Bytes that a run directory holds of epochs and trials: they tell how far the run has come, whatever the
/// machine's speed.
inline std::uintmax_t run_progress(const std::filesystem::path& run) {
  std::uintmax_t total = 0;
  for (const char* name : {"metrics.jsonl", "trials.jsonl"}) {
    std::error_code missing;
    const std::uintmax_t size = std::filesystem::file_size(run / name, missing);
    if (!missing) total += size;
  }
  return total;
}

/// Waits until a run has written `bytes` more than it had, or until `ended()`; false in the latter case.
template <class Ended>
bool wait_for_progress(const std::filesystem::path& run, std::uintmax_t bytes, const Ended& ended) {
  const std::uintmax_t before = run_progress(run);
  while (run_progress(run) < before + bytes) {
    if (ended()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

/// Whether a child process has come to its end; it may still be waited for.
inline bool has_ended(pid_t child) {
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT);
  return info.si_pid == child;
}
