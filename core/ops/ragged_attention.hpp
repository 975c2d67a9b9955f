#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"

#include <optional>

namespace tarn {
inline namespace TARN_PRECISION {

/// Columns of a matrix, from `column` on: parts of one product side by side need not be copied apart.
struct HeadColumns {
  Var x{};
  Size column = 0;
};

struct RaggedAttention {
  HeadColumns q;  ///< heads * key width columns
  HeadColumns k;  ///< heads * key width columns
  HeadColumns v;  ///< heads * value width columns, rows as k
  Segments q_sets;
  Segments k_sets;
  Size heads = 1;
  Size key_width = 0;           ///< per head
  Size value_width = 0;         ///< per head; 0: as key_width
  std::optional<double> scale;  ///< 1 / sqrt(key_width) where not given
  double dropout = 0;           ///< on the weights, in training
};

/// Multi-head attention inside sets: the queries of set b see the keys of set b. Per head y_i = sum_j p_ij
/// v_j, p_i = softmax_j(scale <q_i, k_j>), heads side by side.
///
/// q rows over q_sets, k and v rows over k_sets, of equally many sets B -> [rows of q, heads * value_width].
/// Either side may be a single set for all B sets of the other: shared keys (latents), or shared queries
/// (seeds, S rows), whose result is [B * S, heads * value_width], set after set. Sets need not be equally
/// long; one query per set is Segments::uniform(B, 1). q, k and v may be columns of the same Var, as a packed
/// projection gives them. A set without keys gives zeros and no gradients.
///
/// Scores live for one tile of 64 x 128 at a time; saved are the result and a log-sum-exp per row and head.
/// The backward pass computes them again, once for sets up to 256 rows and twice for longer ones, whose
/// queries and keys are worked on in parallel. Dropout draws by (row of the result, head, key in its set),
/// again in the backward pass. A set alone and in any batch gives the same bits. Time O(sum_b n_b m_b),
/// memory O(rows heads). Throws ShapeError if columns, rows or numbers of sets do not fit. Vaswani et al.
/// 2017, arXiv 1706.03762; tiles as in Dao et al. 2022, "FlashAttention", arXiv 2205.14135.
Var ragged_attention(const RaggedAttention& in);

}  // namespace TARN_PRECISION
}  // namespace tarn
