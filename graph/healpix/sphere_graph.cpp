#include "tarn/graph/healpix/sphere_graph.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/nearest.hpp"
#include "tarn/graph/healpix/neighbours.hpp"
#include "tarn/graph/ops/for_nodes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tarn {

namespace {

using healpix::Sky;

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

/// Rows of unequal length, by the nodes that are written into each; sorted and joined to a graph.
class RowLists {
 public:
  explicit RowLists(Size rows) : offsets_(at(rows + 1), 0) {}
  void count(Size row) { ++offsets_[at(row + 1)]; }
  void allocate() {
    for (std::size_t i = 1; i < offsets_.size(); ++i) offsets_[i] += offsets_[i - 1];
    nodes_.resize(at(offsets_.back()));
    next_ = offsets_;
  }
  void add(Size row, Size node) { nodes_[at(next_[at(row)]++)] = static_cast<NodeId>(node); }
  /// Sorts the rows and leaves out what occurs twice in one.
  [[nodiscard]] Graph graph() {
    std::vector<Size> kept(offsets_.size(), 0);
    for_blocks(static_cast<Size>(offsets_.size()) - 1, 1024, [&](Size begin, Size end) {
      for (Size row = begin; row < end; ++row) {
        const auto first = nodes_.begin() + offsets_[at(row)], last = nodes_.begin() + offsets_[at(row + 1)];
        std::sort(first, last);
        kept[at(row + 1)] = std::unique(first, last) - first;
      }
    });
    for (std::size_t i = 1; i < kept.size(); ++i) kept[i] += kept[i - 1];
    std::vector<NodeId> nodes(at(kept.back()));
    for (std::size_t row = 0; row + 1 < kept.size(); ++row)
      std::copy_n(nodes_.begin() + offsets_[row], kept[row + 1] - kept[row], nodes.begin() + kept[row]);
    return Graph::from_symmetric_csr(std::move(kept), std::move(nodes));
  }

 private:
  std::vector<Size> offsets_, next_;
  std::vector<NodeId> nodes_;
};

Graph adjacent_graph(const Sky& sky) {
  std::vector<Size> found(at(8 * sky.size()));
  for_blocks(sky.size(), 1024, [&](Size begin, Size end) {
    for (Size row = begin; row < end; ++row) {
      const auto around = healpix::neighbours(sky.grid(), sky.pixel(row), sky.ordering());
      for (std::size_t k = 0; k < 8; ++k)
        found[at(8 * row) + k] = around[k] == healpix::absent ? -1 : sky.row(around[k]);
    }
  });
  RowLists lists(sky.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] >= 0) lists.count(static_cast<Size>(i / 8));
  }
  lists.allocate();
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] >= 0) lists.add(static_cast<Size>(i / 8), found[i]);
  }
  return lists.graph();
}

/// Every edge in both directions.
Graph nearest_graph(const Sky& sky, Size k) {
  const std::vector<NodeId> nearest = healpix::nearest_pixels(sky, k);
  const auto for_edges = [&](auto f) {
    for (std::size_t i = 0; i < nearest.size(); ++i) f(static_cast<Size>(i) / k, Size{nearest[i]});
  };
  RowLists lists(sky.size());
  for_edges([&](Size row, Size other) {
    lists.count(row);
    lists.count(other);
  });
  lists.allocate();
  for_edges([&](Size row, Size other) {
    lists.add(row, other);
    lists.add(other, row);
  });
  return lists.graph();
}

/// Squares of the chords along the edges.
std::vector<double> square_chords(const Sky& sky, const Graph& graph) {
  std::vector<healpix::Vector> centres(at(sky.size()));
  for_blocks(sky.size(), 4096, [&](Size begin, Size end) {
    for (Size row = begin; row < end; ++row)
      centres[at(row)] = sky.grid().vector(sky.pixel(row), sky.ordering());
  });
  std::vector<double> result(at(graph.num_edges()));
  const Adjacency rows = graph.incoming();
  for_nodes(rows, [&](Size i) {
    const Rows run = rows.positions(i);
    for (Size e = run.begin; e < run.end; ++e) {
      const healpix::Vector &a = centres[at(i)], &b = centres[at(rows.nodes[at(e)])];
      const double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
      result[at(e)] = x * x + y * y + z * z;
    }
  });
  return result;
}

double mean_of(const std::vector<double>& v) {
  const double sum = sum_blocks(static_cast<Size>(v.size()), 65536, [&](Size begin, Size end) {
    double part = 0;
    for (Size i = begin; i < end; ++i) part += v[at(i)];
    return part;
  });
  return v.empty() ? 1 : sum / static_cast<double>(v.size());
}

/// What the squares of chords are multiplied by in the exponent.
double exponent(const SphereGraphOptions& o, SphereWeights weights, const std::vector<double>& squares,
                std::string_view where) {
  if (weights == SphereWeights::gaussian_mean) return -1 / (2 * mean_of(squares));
  const Size k = o.neighbourhood == Neighbourhood::knn ? o.k : 8;
  const std::optional<double> width = o.kernel_width ? o.kernel_width : kernel_width(k, o.nside);
  if (!width) {
    throw ValueError(
        fmt::format("{}.kernel_width: not set, and no entry for k = {} at nside {}; expected a "
                    "number (known: k = 8, 20, 40, 60 up to nside 2048)",
                    where, k, o.nside));
  }
  return -std::log(2.0) / (*width * *width);
}

Graph joined_pixels(const SphereGraphOptions& o, const Sky& sky, std::string_view where) {
  if (sky.size() > std::numeric_limits<NodeId>::max()) {
    throw ValueError(
        fmt::format("{}: nside {} has {} pixels; expected fewer than 2^31", where, o.nside, sky.size()));
  }
  if (o.neighbourhood == Neighbourhood::adjacent) return adjacent_graph(sky);
  if (o.k >= sky.size()) {
    throw ValueError(fmt::format("{}.k: got {}; expected a number from 1 to {}, one less than the pixels",
                                 where, o.k, sky.size() - 1));
  }
  return nearest_graph(sky, o.k);
}

}  // namespace

void SphereGraphOptions::fields(Fields& f) {
  SkyOptions::fields(f);
  f("neighbourhood", neighbourhood, "which pixels are joined");
  f("k", k, at_least(1), "how many nearest pixels knn joins");
  f("weights", weights, "weight of an edge by its length");
  f("kernel_width", kernel_width, above(0), "length at which gaussian-half gives 1/2; null: by k and nside");
  f("laplacian", laplacian, "the matrix whose polynomials filter");
}

std::optional<double> kernel_width(Size k, Size nside) {
  struct Row {
    Size k;
    std::array<double, 6> widths;  ///< at nside 32, 64, ... 1024
  };
  static constexpr std::array<Row, 4> table{
      {{8, {0.02500, 0.01228, 0.00614, 0.00307, 0.00154, 0.00077}},
       {20, {0.03185, 0.01564, 0.00782, 0.00391, 0.00196, 0.00098}},
       {40, {0.042432, 0.021354, 0.010595, 0.005551, 0.005551 / 2, 0.005551 / 4}},
       {60, {0.051720, 0.025403, 0.012695, 0.006351, 0.006351 / 2, 0.006351 / 4}}}};
  const auto row = std::find_if(table.begin(), table.end(), [&](const Row& r) { return r.k == k; });
  if (row == table.end() || nside < 1 || nside > 2048) return std::nullopt;
  if (nside < 32) return row->widths[0] * 32 / static_cast<double>(nside);
  if (nside == 2048) return row->widths[5] / 2;
  std::size_t column = 0;
  while (Size{32} << column < nside) ++column;
  return row->widths[column];
}

SphereGraph sphere_graph(const SphereGraphOptions& options, std::string_view where) {
  check_options(options, where);
  const Sky sky = options.sky(where);
  const Graph graph = joined_pixels(options, sky, where);
  SphereWeights weights = options.weights;
  if (weights == SphereWeights::by_neighbourhood) {
    weights = options.neighbourhood == Neighbourhood::knn ? SphereWeights::gaussian_half
                                                          : SphereWeights::gaussian_mean;
  }
  if (weights == SphereWeights::none) return {graph, std::vector<double>(at(graph.num_edges()), 1.0)};
  std::vector<double> values = square_chords(sky, graph);
  const double factor = exponent(options, weights, values, where);
  for_blocks(static_cast<Size>(values.size()), 65536, [&](Size begin, Size end) {
    for (Size e = begin; e < end; ++e) values[at(e)] = std::exp(factor * values[at(e)]);
  });
  return {graph, std::move(values)};
}

}  // namespace tarn
