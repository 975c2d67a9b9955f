#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/sphere_graph.hpp"
#include "tarn/graph/ops/for_nodes.hpp"

#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

constexpr Size dense_rows = 256;
/// Vectors that an iteration keeps before it starts again from the best one.
constexpr Size most_vectors = 96;
constexpr int most_restarts = 40;
constexpr double residual_tolerance = 1e-6;

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

std::vector<double> row_sums(const SphereGraph& g) {
  const Adjacency rows = g.graph.incoming();
  std::vector<double> sums(at(g.graph.num_nodes()));
  for_nodes(rows, [&](Size i) {
    const Rows run = rows.positions(i);
    for (Size e = run.begin; e < run.end; ++e) sums[at(i)] += g.weights[at(e)];
  });
  return sums;
}

using Vectors = std::vector<Eigen::VectorXd>;

double dot(const Eigen::VectorXd& a, const Eigen::VectorXd& b) {
  return sum_blocks(a.size(), 65536, [&](Size begin, Size end) {
    return a.segment(begin, end - begin).dot(b.segment(begin, end - begin));
  });
}

void add_scaled(double factor, const Eigen::VectorXd& x, Eigen::VectorXd& y) {
  for_blocks(y.size(), 65536, [&](Size begin, Size end) {
    y.segment(begin, end - begin) += factor * x.segment(begin, end - begin);
  });
}

Eigen::VectorXd product(const SymmetricMatrix& m, const Eigen::VectorXd& x) {
  Eigen::VectorXd y(x.size());
  const Adjacency rows = m.graph.incoming();
  for_nodes(rows, [&](Size i) {
    const Rows run = rows.positions(i);
    double sum = 0;
    for (Size e = run.begin; e < run.end; ++e) sum += m.values[at(e)] * x[rows.nodes[at(e)]];
    y[i] = sum;
  });
  return y;
}

double dense_eigenvalue(const SymmetricMatrix& m) {
  const Size n = m.graph.num_nodes();
  Eigen::MatrixXd full = Eigen::MatrixXd::Zero(n, n);
  const Adjacency rows = m.graph.incoming();
  for (Size i = 0; i < n; ++i) {
    const Rows run = rows.positions(i);
    for (Size e = run.begin; e < run.end; ++e) full(i, rows.nodes[at(e)]) = m.values[at(e)];
  }
  return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(full, Eigen::EigenvaluesOnly).eigenvalues()[n - 1];
}

/// The largest eigenvalue of the tridiagonal matrix of an iteration, with its eigenvector.
struct Ritz {
  double value;
  Eigen::VectorXd vector;
};
Ritz largest_ritz(const std::vector<double>& diagonal, const std::vector<double>& beside) {
  const auto n = static_cast<Eigen::Index>(diagonal.size());
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
  solver.computeFromTridiagonal(Eigen::Map<const Eigen::VectorXd>(diagonal.data(), n),
                                Eigen::Map<const Eigen::VectorXd>(beside.data(), n - 1));
  return {solver.eigenvalues()[n - 1], solver.eigenvectors().col(n - 1)};
}

/// One run of Lanczos' iteration from a start vector, which it replaces by the best vector found.
/// Returns the eigenvalue and whether its residual is small enough.
std::pair<double, bool> iterate(const SymmetricMatrix& m, Eigen::VectorXd& start) {
  Vectors basis;
  std::vector<double> diagonal, beside;
  Eigen::VectorXd next = start / std::sqrt(dot(start, start));
  Ritz best{};
  bool converged = false;
  while (!converged && static_cast<Size>(basis.size()) < std::min<Size>(most_vectors, start.size())) {
    basis.push_back(next);
    next = product(m, basis.back());
    diagonal.push_back(dot(next, basis.back()));
    // Twice, so that rounding does not bring back what was found already.
    for (int pass = 0; pass < 2; ++pass) {
      for (const Eigen::VectorXd& v : basis) add_scaled(-dot(next, v), v, next);
    }
    const double rest = std::sqrt(dot(next, next));
    best = largest_ritz(diagonal, beside);
    const double residual = rest * std::abs(best.vector[best.vector.size() - 1]);
    converged = residual <= residual_tolerance * std::abs(best.value);
    if (!(rest > 0)) break;  // the basis spans an invariant space
    beside.push_back(rest);
    next /= rest;
  }
  start.setZero();
  for (std::size_t i = 0; i < basis.size(); ++i)
    add_scaled(best.vector[static_cast<Eigen::Index>(i)], basis[i], start);
  return {best.value, converged};
}

}  // namespace

SymmetricMatrix laplacian_matrix(const SphereGraph& g, Laplacian kind) {
  if (kind == Laplacian::none) return {g.graph, g.weights};
  const Size n = g.graph.num_nodes();
  const std::vector<double> sums = row_sums(g);
  const auto root = [&](Size i) { return sums[at(i)] > 0 ? 1 / std::sqrt(sums[at(i)]) : 0; };
  const Adjacency rows = g.graph.incoming();
  std::vector<Size> offsets(at(n + 1), 0);
  for (Size i = 0; i < n; ++i) {
    const Size edges = rows.positions(i).size();
    offsets[at(i + 1)] = offsets[at(i)] + edges + (edges > 0 ? 1 : 0);
  }
  std::vector<NodeId> nodes(at(offsets.back()));
  std::vector<double> values(nodes.size());
  for_nodes(rows, [&](Size i) {
    const Rows run = rows.positions(i);
    Size place = offsets[at(i)];
    bool diagonal_done = run.size() == 0;
    const auto put = [&](Size node, double value) {
      nodes[at(place)] = static_cast<NodeId>(node);
      values[at(place++)] = value;
    };
    const auto put_diagonal = [&] {
      diagonal_done = true;
      put(i, kind == Laplacian::normalized ? 1 : sums[at(i)]);
    };
    for (Size e = run.begin; e < run.end; ++e) {
      const Size j = rows.nodes[at(e)];
      if (!diagonal_done && j > i) put_diagonal();
      put(j, -g.weights[at(e)] * (kind == Laplacian::normalized ? root(i) * root(j) : 1));
    }
    if (!diagonal_done) put_diagonal();
  });
  return {Graph::from_symmetric_csr(std::move(offsets), std::move(nodes)), std::move(values)};
}

double largest_eigenvalue(const SymmetricMatrix& matrix) {
  const Size n = matrix.graph.num_nodes();
  if (n == 0 || matrix.graph.num_edges() == 0) return 0;
  if (n <= dense_rows) return dense_eigenvalue(matrix);
  Eigen::VectorXd start(n);
  for (Size i = 0; i < n; ++i) start[i] = 1 + 1e-3 * static_cast<double>(i % 7);
  std::pair<double, bool> result{0, false};
  for (int run = 0; run < most_restarts && !result.second; ++run) result = iterate(matrix, start);
  return result.first;
}

}  // namespace tarn
