#include "tarn/core/ops/write_row.hpp"

#include <algorithm>
#include <cstdint>

#if defined(__AVX__)
#include <immintrin.h>
#endif

namespace tarn {

namespace {

/// A gradient from this size on is no longer in cache when it is read again.
constexpr Size bytes_past_caches = Size{32} << 20;

#if defined(__AVX__)
constexpr Size stream_bytes = 32;
void stream_block(const char* from, char* to) {
  _mm256_stream_si256(reinterpret_cast<__m256i*>(to),
                      _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
void stream_fence() {
  _mm_sfence();
}
#else
constexpr Size stream_bytes = 0;  // such a processor writes through its caches
void stream_block(const char*, char*) {}
void stream_fence() {}
#endif

/// True if `bytes` at `to` can be written past the caches.
bool streams(const void* to, Size bytes) {
  if constexpr (stream_bytes == 0) {
    return false;
  } else {
    return reinterpret_cast<std::uintptr_t>(to) % stream_bytes == 0 && bytes % stream_bytes == 0;
  }
}

}  // namespace

inline namespace TARN_PRECISION {

RowWriter::RowWriter(GradSink sink)
    : sink_(sink),
      past_caches_(sink.write == Write::assign &&
                   sink.view.size() * static_cast<Size>(sizeof(Real)) >= bytes_past_caches) {}

void RowWriter::write(Size row, Size first, Size cols, const Real* from) const {
  Real* const to = sink_.view.row(row) + first;
  const Size bytes = cols * static_cast<Size>(sizeof(Real));
  if (adds()) {
    for (Size j = 0; j < cols; ++j) to[j] += from[j];
  } else if (past_caches_ && streams(to, bytes)) {
    for (Size at = 0; at < bytes; at += stream_bytes) {
      stream_block(reinterpret_cast<const char*>(from) + at, reinterpret_cast<char*>(to) + at);
    }
  } else {
    std::copy_n(from, cols, to);
  }
}

void RowWriter::settle() const {
  if (past_caches_) stream_fence();
}

}  // namespace TARN_PRECISION
}  // namespace tarn
