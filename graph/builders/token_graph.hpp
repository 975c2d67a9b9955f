#pragma once

#include "tarn/core/options.hpp"
#include "tarn/graph/graph.hpp"

#include <array>
#include <span>
#include <string_view>
#include <vector>

namespace tarn {

/// Which tokens of a text are joined.
enum class TokenRule { cosine_threshold, cosine_knn, fully_connected, window, none };
inline std::span<const std::string_view> enum_names(TokenRule) {
  static constexpr std::array<std::string_view, 5> names{"cosine-threshold", "cosine-knn", "fully-connected",
                                                         "window", "none"};
  return names;
}

/// What a convolution gets as edge attribute: 1, or the cosine of the two tokens.
enum class TokenEdgeAttr { one, cosine };
inline std::span<const std::string_view> enum_names(TokenEdgeAttr) {
  static constexpr std::array<std::string_view, 2> names{"one", "cosine"};
  return names;
}

struct TokenGraphOptions {
  TokenRule graph = TokenRule::cosine_threshold;
  double tau = 0.3;
  Size k = 8;
  bool mutual = false;
  Size window = 2;
  bool self_loops = true;
  TokenEdgeAttr edge_attr = TokenEdgeAttr::one;
  Size max_degree = 0;

  void fields(Fields& f) {
    f("graph", graph, "which tokens are joined");
    f("tau", tau, any_finite(), "cosine-threshold: edge where the cosine exceeds this");
    f("k", k, at_least(1), "cosine-knn: neighbours of a token");
    f("mutual", mutual, "cosine-knn: keep an edge only if each is among the other's neighbours");
    f("window", window, at_least(0), "window: edge where the positions differ by at most this");
    f("self_loops", self_loops, "false removes loops; cosine-knn adds one per token if true");
    f("edge_attr", edge_attr, "edge attribute handed to the convolution");
    f("max_degree", max_degree, at_least(0),
      "cosine-threshold: largest cosines kept per token before both directions are joined; 0 keeps all");
  }
};

inline namespace TARN_PRECISION {

struct TokenGraph {
  Graph graph;
  /// [E] in canonical order, clamped to [-1, 1], 1 on loops of nonzero tokens; empty unless asked for.
  std::vector<Real> cosine;
};

/// Whether the cosines of the edges are kept: for edge_attr `cosine`, or always.
enum class KeepCosines { if_edge_attr, always };

/// Joins the tokens of each set whose states point the same way; every graph is symmetric, no edge joins two
/// sets.
///
/// x [N, D], sets over N rows. cosine c_ij = <x_i, x_j> / (max(|x_i|, 1e-8) max(|x_j|, 1e-8)):
/// - cosine-threshold: edges where c_ij > tau; c_ii is exactly 1 for nonzero tokens, a zero token has cosine
/// 0.
///   Pairs whose float cosine is too near to tau are decided by a double product.
/// - cosine-knn: the k largest cosines of each token, ties to the lower index; joined by union or `mutual`.
/// - fully-connected, window (positions), none.
///
/// Time O(sum n^2 D), memory O(N D + E): never n x n. The same bits for any number of threads. No gradient.
/// Throws ShapeError if the sets do not cover x, ValueError naming set and row for a NaN or infinity in x and
/// for options out of range; `where` begins the messages.
/// Mantri et al. 2026, "Towards Improved Sentence Representations using Token Graphs", arXiv 2603.03389; the
/// threshold is strict and loops are kept, as in the paper's code.
[[nodiscard]] TokenGraph token_graph(ConstMatrixView x, const Segments& sets,
                                     const TokenGraphOptions& options,
                                     KeepCosines keep = KeepCosines::if_edge_attr,
                                     std::string_view where = "token-graph");

/// The graphs of the sets in `which` one by one, nodes counted from 0 in each.
[[nodiscard]] std::vector<TokenGraph> token_graph_each(ConstMatrixView x, const Segments& sets,
                                                       std::span<const Size> which,
                                                       const TokenGraphOptions& options,
                                                       std::string_view where = "token-graph");

}  // namespace TARN_PRECISION
}  // namespace tarn
