#pragma once

#include <signal.h>

namespace tarn {

/// Keeps signals from this thread while it lives. Kernels that oneDNN generates for AVX-512 point the stack
/// pointer into a buffer on the heap; the frame of a signal handler, written below it, would destroy what
/// lies there.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~SignalsHeld() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace tarn
