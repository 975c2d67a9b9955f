#pragma once

#include "tarn/core/tape.hpp"

#include <cstdint>
#include <span>

namespace tarn {
inline namespace TARN_PRECISION {

/// Sum of one table row per column: y_i = sum_f tables_f[ids_if].
///
/// ids [N, F] row-major, tables[f] [K_f, D] -> [N, D]. The ids are copied. The gradient of a table row is
/// the sum of dy over the rows that chose it, in their order and in double. Throws ShapeError if
/// the count of ids is not N F, and ValueError naming row and column of the first id outside [0, K_f).
Var embedding_sum(Tape& tape, std::span<const std::int32_t> ids, Size rows, std::span<const Var> tables);

}  // namespace TARN_PRECISION
}  // namespace tarn
