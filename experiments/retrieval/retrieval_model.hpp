#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/pooling/query_readouts/query_readout.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include <memory>
#include <string>

namespace tarn {
inline namespace TARN_PRECISION {

/// Scores sets for queries: cosines of a mapped query and the vector that a readout makes of the set's mapped
/// rows, which a query-conditioned readout makes anew for every query.
///
/// Children: `map` (linear, of rows and queries alike), `readout`, and `fit` (linear) where the vectors
/// of a set readout have another width. Query-conditioned readouts get rows and queries of unit length.
class RetrievalModel final : public Module {
 public:
  /// A set readout or a query-conditioned one by its name. Throws ConfigError for a name of neither.
  RetrievalModel(const std::string& readout, const Value& options, Size width);

  /// x [N, width], queries [Q, width] -> cosines [Q, B].
  [[nodiscard]] Var similarities(Tape& tape, ConstMatrixView x, const Segments& sets,
                                 ConstMatrixView queries);

 private:
  Var for_each_query(Var x, const Segments& sets, Var queries);

  Linear& map_;
  Readout* readout_ = nullptr;
  Linear* fit_ = nullptr;
  QueryReadout* query_readout_ = nullptr;
  Tensor ones_;  // [1, width]
};

}  // namespace TARN_PRECISION
}  // namespace tarn
