#include "tarn/experiments/mesh/mesh_baselines.hpp"

#include "tarn/core/parallel.hpp"
#include "tarn/experiments/mesh/random_forest.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace tarn {

namespace {

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

constexpr std::array<double, 5> quantiles = {0.05, 0.25, 0.5, 0.75, 0.95};

/// Mean, deviation (divisor n) and quantiles of a column.
void add_statistics(ConstMatrixView x, Size column, std::vector<double>& out) {
  std::vector<double> values;
  for (Size i = 0; i < x.rows; ++i) values.push_back(static_cast<double>(x(i, column)));
  if (values.empty()) {
    out.insert(out.end(), 2 + quantiles.size(), 0.0);
    return;
  }
  std::sort(values.begin(), values.end());
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const double v : values) squares += (v - mean) * (v - mean);
  out.push_back(mean);
  out.push_back(std::sqrt(squares / count));
  for (const double q : quantiles) {
    const double place = q * (count - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    out.push_back(values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]));
  }
}

/// Statistics of some meshes, row by row.
std::vector<double> statistics_of(const MeshSet& set, const std::vector<Size>& meshes, Size& dim) {
  std::vector<std::vector<double>> rows(meshes.size());
  for_blocks(static_cast<Size>(meshes.size()), 1,
             [&](Size i, Size) { rows[idx(i)] = mesh_statistics(set.meshes[idx(meshes[idx(i)])].mesh); });
  std::vector<double> x;
  for (const std::vector<double>& row : rows) x.insert(x.end(), row.begin(), row.end());
  dim = static_cast<Size>(rows.front().size());
  return x;
}

}  // namespace

std::vector<double> mesh_statistics(const TriangleMesh& mesh) {
  const PrimalDualMesh graph = primal_dual_mesh(mesh);
  std::vector<double> statistics;
  add_statistics(graph.x.matrix(), 0, statistics);
  for (Size c = 0; c < graph.x_dual.shape()[1]; ++c) add_statistics(graph.x_dual.matrix(), c, statistics);
  return statistics;
}

std::vector<Size> forest_predictions(const MeshSet& set, const MeshProblem& problem, const Fold& fold,
                                     std::uint64_t seed) {
  std::vector<Size> labels;
  for (const Size mesh : fold.train) labels.push_back(set.meshes[idx(mesh)].label);
  Size dim = 0;
  const std::vector<double> train = statistics_of(set, fold.train, dim);
  const RandomForest forest(train, dim, labels, problem.num_classes, {}, Rng(seed).split("forest"));
  return forest.predict(statistics_of(set, fold.test, dim));
}

std::vector<Size> majority_predictions(const MeshSet& set, const MeshProblem& problem, const Fold& fold) {
  std::vector<Size> counts(idx(problem.num_classes), 0);
  for (const Size mesh : fold.train) {
    for (const Size part : set.meshes[idx(mesh)].face_labels) ++counts[idx(part)];
  }
  const Size part = std::max_element(counts.begin(), counts.end()) - counts.begin();
  Size faces = 0;
  for (const Size mesh : fold.test) faces += set.meshes[idx(mesh)].mesh.num_faces();
  return std::vector<Size>(idx(faces), part);
}

}  // namespace tarn
