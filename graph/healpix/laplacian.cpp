#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/sphere_graph.hpp"
#include "tarn/graph/ops/for_nodes.hpp"

#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

constexpr Size dense_rows = 256;
constexpr Size most_steps = 4000;
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

/// The largest eigenvalue of the tridiagonal matrix of an iteration, and the last number of its eigenvector.
struct Ritz {
  double value;
  double last;
};
Ritz largest_ritz(const std::vector<double>& diagonal, const std::vector<double>& beside) {
  const auto n = static_cast<Eigen::Index>(diagonal.size());
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
  solver.computeFromTridiagonal(Eigen::Map<const Eigen::VectorXd>(diagonal.data(), n),
                                Eigen::Map<const Eigen::VectorXd>(beside.data(), n - 1));
  return {solver.eigenvalues()[n - 1], solver.eigenvectors()(n - 1, n - 1)};
}

/// Lanczos' iteration on three vectors. Rounding makes it find the largest eigenvalue again and again, which
/// does no harm to its value (Paige 1980), where keeping hundreds of vectors orthogonal would take most of
/// the time and all of the memory.
double iterated_eigenvalue(const SymmetricMatrix& m) {
  Eigen::VectorXd before = Eigen::VectorXd::Zero(m.graph.num_nodes()), here(m.graph.num_nodes());
  for (Size i = 0; i < here.size(); ++i) here[i] = 1 + 1e-3 * static_cast<double>(i % 7);
  here /= std::sqrt(dot(here, here));
  std::vector<double> diagonal, beside;
  Ritz best{};
  for (std::size_t check = 16; static_cast<Size>(diagonal.size()) < most_steps;) {
    Eigen::VectorXd next = product(m, here);
    diagonal.push_back(dot(next, here));
    add_scaled(-diagonal.back(), here, next);
    if (!beside.empty()) add_scaled(-beside.back(), before, next);
    const double rest = std::sqrt(dot(next, next));
    if (diagonal.size() == check || !(rest > 0)) {
      best = largest_ritz(diagonal, beside);
      if (rest * std::abs(best.last) <= residual_tolerance * std::abs(best.value)) break;
      check += check / 4;
    }
    beside.push_back(rest);
    before.swap(here);
    here = next / rest;
  }
  return best.value;
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
  return iterated_eigenvalue(matrix);
}

}  // namespace tarn
