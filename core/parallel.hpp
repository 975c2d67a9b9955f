#pragma once

#include "tarn/core/segments.hpp"

#include <memory>
#include <type_traits>
#include <utility>

namespace tarn {

/// A reference to a callable that outlives the call; never allocates.
template <class Signature>
class FunctionRef;
template <class R, class... Args>
class FunctionRef<R(Args...)> {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef>)
      FunctionRef(F&& f)  // NOLINT(google-explicit-constructor)
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(f)))),
        call_([](void* object, Args... args) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(object))(std::forward<Args>(args)...);
        }) {}
  R operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

 private:
  void* object_;
  R (*call_)(void*, Args...);
};

/// Limits the worker threads of this process while it lives; 0 means all cores. The last one made wins.
class Threads {
 public:
  explicit Threads(int count);
  ~Threads();
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  /// Threads the loops below may use now.
  [[nodiscard]] static int available();

 private:
  struct Control;
  std::unique_ptr<Control> control_;
};

/// Calls f(begin, end) for the blocks [0, grain), [grain, 2 grain), ... of 0 .. n-1, in parallel. Blocks
/// depend on n and grain alone, so results that depend on a block do not depend on the number of threads. One
/// block runs inline.
void for_blocks(Size n, Size grain, FunctionRef<void(Size begin, Size end)> f);

/// Calls f(first_set, last_set) for runs of whole sets of about `rows_per_block` rows, in parallel.
void for_segments(const Segments& sets, Size rows_per_block, FunctionRef<void(Size first, Size last)> f);

/// Calls f(i) for every job 0 .. n-1, each of which runs alone on its thread: loops inside a job run inline.
/// For whole folds and sweeps.
void for_jobs(Size n, FunctionRef<void(Size job)> f);

/// Sum of map(begin, end) over fixed blocks, joined in block order: the same bits for any number of threads.
[[nodiscard]] double sum_blocks(Size n, Size grain, FunctionRef<double(Size begin, Size end)> map);

}  // namespace tarn
