#pragma once

#include "tarn/core/errors.hpp"

namespace tarn {

/// While it lives, the first SIGINT or SIGTERM only asks for an end, which `interruption_requested` tells; a
/// second one ends the process. One at a time.
class InterruptionGuard {
 public:
  InterruptionGuard();
  ~InterruptionGuard();
  InterruptionGuard(const InterruptionGuard&) = delete;
  InterruptionGuard& operator=(const InterruptionGuard&) = delete;
};

[[nodiscard]] bool interruption_requested();
/// As the signal does; for programs that end work on their own account.
void request_interruption();

}  // namespace tarn
