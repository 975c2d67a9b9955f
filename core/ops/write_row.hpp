#pragma once

#include "tarn/core/tape.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// Writes rows of a gradient: assigned, added, or, where the whole gradient is far larger than the caches,
/// assigned past them, which spares reading the memory that is about to be overwritten. The same numbers
/// either way.
class RowWriter {
 public:
  RowWriter() = default;
  explicit RowWriter(GradSink sink);

  [[nodiscard]] const MatrixView& view() const { return sink_.view; }
  [[nodiscard]] bool adds() const { return sink_.write == Write::add; }
  /// `from` to columns first .. first+cols-1 of a row.
  void write(Size row, Size first, Size cols, const Real* from) const;
  /// Ends a run of `write` on this thread: makes what went past the caches visible to others.
  void settle() const;

 private:
  GradSink sink_;
  bool past_caches_ = false;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
