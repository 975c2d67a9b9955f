#pragma once

#include "tarn/core/options.hpp"
#include "tarn/graph/graph.hpp"
#include "tarn/graph/healpix/sphere_layer.hpp"

namespace tarn {

enum class Neighbourhood { adjacent, knn };
inline std::span<const std::string_view> enum_names(Neighbourhood) {
  static constexpr std::array<std::string_view, 2> names{"adjacent", "knn"};
  return names;
}

/// `by_neighbourhood`: gaussian-mean for adjacent pixels, gaussian-half for nearest ones.
enum class SphereWeights { by_neighbourhood, none, gaussian_mean, gaussian_half };
inline std::span<const std::string_view> enum_names(SphereWeights) {
  static constexpr std::array<std::string_view, 4> names{"by-neighbourhood", "none", "gaussian-mean",
                                                         "gaussian-half"};
  return names;
}

enum class Laplacian { normalized, combinatorial, none };
inline std::span<const std::string_view> enum_names(Laplacian) {
  static constexpr std::array<std::string_view, 3> names{"normalized", "combinatorial", "none"};
  return names;
}

struct SphereGraphOptions : healpix::SkyOptions {
  Neighbourhood neighbourhood = Neighbourhood::adjacent;
  Size k = 20;
  SphereWeights weights = SphereWeights::by_neighbourhood;
  std::optional<double> kernel_width;
  Laplacian laplacian = Laplacian::normalized;
  void fields(Fields& f);
};

/// `healpix-graph`: a weighted symmetric graph on the rows of a sky.
struct SphereGraph {
  Graph graph;                  ///< edges by target, then source
  std::vector<double> weights;  ///< [E], in that order
};

/// A symmetric matrix by the edges of a graph, its diagonal as loops.
struct SymmetricMatrix {
  Graph graph;
  std::vector<double> values;  ///< by canonical edge
};

/// Joins each pixel with its neighbours, or with the k nearest others and those that have it among theirs.
///
/// Weights with d the chord between centres: `none` 1; `gaussian-mean` exp(-d^2 / (2 m)), m the mean of d^2
/// over this graph's edges (Perraudin et al. 2018, arXiv 1810.12186); `gaussian-half` exp(-ln 2 (d /
/// width)^2) (Defferrard et al. 2020, arXiv 2012.15000). Time O(n k log k), in proportion to the sky's rows.
/// Throws ValueError, naming `where`, for k outside 1 .. n-1, for a kernel width that neither option nor
/// table gives, and for more rows than 2^31.
[[nodiscard]] SphereGraph sphere_graph(const SphereGraphOptions& options,
                                       std::string_view where = "healpix-graph");

/// The width that makes the convolution most nearly equivariant, by k in 8, 20, 40, 60 and nside up to 2048;
/// nothing for others.
[[nodiscard]] std::optional<double> kernel_width(Size k, Size nside);

/// `combinatorial` D - W, `normalized` I - D^-1/2 W D^-1/2 with D the sums of the weights; a node without
/// edges has an empty row. `none` gives W.
[[nodiscard]] SymmetricMatrix laplacian_matrix(const SphereGraph& graph, Laplacian kind);

/// Largest eigenvalue: dense up to 256 rows, else by Lanczos' iteration to a relative residual of 1e-6. 0 for
/// a matrix without entries.
[[nodiscard]] double largest_eigenvalue(const SymmetricMatrix& matrix);

}  // namespace tarn
