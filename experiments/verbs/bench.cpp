#include "tarn/core/errors.hpp"
#include "tarn/experiments/verbs/verbs.hpp"

#if TARN_BENCHMARKS
#include "tarn/experiments/benchmarks/benchmarks.hpp"
#endif

namespace tarn::verbs {

int bench(const BenchArguments& arguments, Console&) {
#if TARN_BENCHMARKS
  run_benchmarks(
      {.names = arguments.names, .json = arguments.json, .store = arguments.store, .split = arguments.split});
  return 0;
#else
  static_cast<void>(arguments);
  throw ConfigError("bench: this tarn has no benchmarks; expected a build with TARN_BUILD_BENCHMARKS=ON");
#endif
}

}  // namespace tarn::verbs
