#pragma once

#include "tarn/core/options.hpp"
#include "tarn/core/segments.hpp"
#include "tarn/core/tensor.hpp"

#include <string>

namespace tarn {

struct RetrievalSetOptions {
  Size width = 64;
  Size min_rows = 4;
  Size max_rows = 8;
  double noise = 0.5;
  double style = 1;
  Size seed = 0;
  void fields(Fields& f) {
    f("width", width, at_least(2), "of rows and queries; half of it tells topics, half is style");
    f("min_rows", min_rows, at_least(1), "rows of the smallest set");
    f("max_rows", max_rows, at_least(1), "rows of the largest set");
    f("noise", noise, at_least(0), "size of what differs between a topic as a row and as a query");
    f("style", style, at_least(0), "size of the style, which says nothing");
    f("seed", seed, at_least(0), "of everything that is drawn");
  }
};

inline namespace TARN_PRECISION {

/// Sets of rows with one query each, as texts and videos are searched: a query tells of one row of its set.
struct RetrievalSets {
  Tensor rows;     ///< [N, width]
  Segments sets;   ///< B sets over the rows
  Tensor queries;  ///< [B, width]; query b belongs to set b
};

/// Every row has a topic of its own and a style: (topic + noise e, style u) with e, u normal, topic normal,
/// all of unit variance, mixed by one fixed random matrix of the seed. The query of a set is the topic of one
/// of its rows, with other noise and another style, mixed by the same matrix. So a mean over the rows dilutes
/// what the query asks for, and style hides it from raw inner products; a map that drops style can be learned
/// and serves sets never seen.
///
/// Set b draws from the stream (seed, split, b) alone. Throws ValueError for options out of range.
[[nodiscard]] RetrievalSets generate_retrieval_sets(const RetrievalSetOptions& options, Size count,
                                                    const std::string& split);

}  // namespace TARN_PRECISION
}  // namespace tarn
