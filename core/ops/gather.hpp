#pragma once

#include "tarn/core/tape.hpp"

#include <span>

namespace tarn {
inline namespace TARN_PRECISION {

/// Chosen rows: x [N, D] -> [R, D]. No row may be chosen twice; `rows` is copied.
Var gather_rows(Var x, std::span<const NodeId> rows);
/// Blocks one under another: [N_1, D], [N_2, D] -> [N_1 + N_2, D].
Var concat_rows(std::span<const Var> blocks);
/// A row repeated: x [M, D] -> [M count, D], each row `count` times in a run.
Var repeat_rows(Var x, Size count);

}  // namespace TARN_PRECISION
}  // namespace tarn
