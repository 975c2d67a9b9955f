#pragma once

#include "tarn/core/module.hpp"
#include "tarn/core/options.hpp"
#include "tarn/pooling/checks.hpp"

namespace tarn {

struct AppendTokensOptions {
  Size in_channels = 0;
  Size count = 1;
  void fields(Fields& f) {
    f("in_channels", in_channels, at_least(1), "width of x");
    f("count", count, at_least(1), "rows that are appended");
  }
};

inline namespace TARN_PRECISION {

struct Appended {
  Var x;          ///< [N + B K, D]
  Segments sets;  ///< over those rows
};

/// Bottleneck tokens: K learned rows behind the rows of every set, also of an empty one; a mixer follows, and
/// then the readout `last` with k = K.
///
/// x [N, D] -> [N + B K, D]. Parameter: tokens [K, D]. Throws ShapeError for x of another width or sets that
/// do not cover it. Sun et al. 2026, arXiv 2604.11095, of which we know the abstract alone.
class AppendTokens final : public Module {
 public:
  using Options = AppendTokensOptions;
  explicit AppendTokens(const Options& options);
  [[nodiscard]] Appended forward(Var x, const Segments& sets);

 private:
  Options o_;
  Parameter& tokens_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
