#include "tarn/experiments/interruption.hpp"

#include <atomic>
#include <csignal>

namespace tarn {

namespace {

std::atomic<bool> requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set inside a signal handler");

void on_signal(int signal) {
  requested = true;
  std::signal(signal, SIG_DFL);
}

}  // namespace

InterruptionGuard::InterruptionGuard() {
  requested = false;
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

InterruptionGuard::~InterruptionGuard() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  requested = false;
}

bool interruption_requested() {
  return requested;
}

void request_interruption() {
  requested = true;
}

}  // namespace tarn
