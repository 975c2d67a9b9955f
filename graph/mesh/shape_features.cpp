#include "tarn/graph/mesh/shape_features.hpp"

#include "tarn/graph/mesh/mesh_features.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tarn {

namespace {

using Matrix3 = std::array<std::array<double, 3>, 3>;

/// Makes m[p][q] zero by a turn in the plane of p and q, and turns the columns of `axes` along.
void rotate(Matrix3& m, Matrix3& axes, std::size_t p, std::size_t q) {
  if (m[p][q] == 0) return;
  const double slope = (m[q][q] - m[p][p]) / (2 * m[p][q]);
  const double t = (slope >= 0 ? 1 : -1) / (std::abs(slope) + std::sqrt(slope * slope + 1));
  const double c = 1 / std::sqrt(t * t + 1), s = t * c;
  for (std::size_t k = 0; k < 3; ++k) {
    const double kp = m[k][p], kq = m[k][q];
    m[k][p] = c * kp - s * kq;
    m[k][q] = s * kp + c * kq;
  }
  for (std::size_t k = 0; k < 3; ++k) {
    const double pk = m[p][k], qk = m[q][k];
    m[p][k] = c * pk - s * qk;
    m[q][k] = s * pk + c * qk;
    const double ap = axes[k][p], aq = axes[k][q];
    axes[k][p] = c * ap - s * aq;
    axes[k][q] = s * ap + c * aq;
  }
}

std::vector<Vec3> face_centres(const TriangleMesh& mesh) {
  std::vector<Vec3> centres;
  for (Size f = 0; f < mesh.num_faces(); ++f) {
    centres.push_back((1.0 / 3) * (mesh.corner(f, 0) + mesh.corner(f, 1) + mesh.corner(f, 2)));
  }
  return centres;
}

}  // namespace

PrincipalAxes principal_axes(const std::array<double, 6>& moments) {
  const auto [xx, yy, zz, xy, xz, yz] = moments;
  Matrix3 m{{{xx, xy, xz}, {xy, yy, yz}, {xz, yz, zz}}};
  Matrix3 axes{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  // Cyclic sweeps converge quadratically; ten are far more than double precision needs.
  for (int sweep = 0; sweep < 10; ++sweep) {
    rotate(m, axes, 0, 1);
    rotate(m, axes, 0, 2);
    rotate(m, axes, 1, 2);
  }
  std::array<std::size_t, 3> order{0, 1, 2};
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return m[a][a] > m[b][b]; });
  PrincipalAxes result;
  for (std::size_t k = 0; k < 3; ++k) {
    result.variance[k] = m[order[k]][order[k]];
    result.axis[k] = {axes[0][order[k]], axes[1][order[k]], axes[2][order[k]]};
  }
  return result;
}

std::vector<std::array<double, 5>> shape_features(const TriangleMesh& mesh, std::span<const double> areas) {
  std::vector<Vec3> from_centre = face_centres(mesh);
  const double total = std::accumulate(areas.begin(), areas.end(), 0.0);
  Vec3 centre;
  for (std::size_t f = 0; f < areas.size(); ++f) centre = centre + (areas[f] / total) * from_centre[f];
  std::array<double, 6> moments{};
  for (std::size_t f = 0; f < areas.size(); ++f) {
    Vec3& d = from_centre[f];
    d = d - centre;
    const std::array<double, 6> products{d.x * d.x, d.y * d.y, d.z * d.z, d.x * d.y, d.x * d.z, d.y * d.z};
    for (std::size_t k = 0; k < 6; ++k) moments[k] += areas[f] / total * products[k];
  }
  // A mesh of one face has all its centres in one place.
  const double squared = moments[0] + moments[1] + moments[2];
  const double size = squared > 0 ? std::sqrt(squared) : 1;
  const PrincipalAxes axes = principal_axes(moments);
  const std::vector<Vec3> normals = face_normals(mesh);
  std::vector<std::array<double, 5>> features;
  for (std::size_t f = 0; f < areas.size(); ++f) {
    const Vec3& d = from_centre[f];
    const double distance = norm(d);
    std::array<double, 5> row{distance / size, distance > 0 ? dot(normals[f], d) / distance : 0};
    for (std::size_t k = 0; k < 3; ++k) row[2 + k] = std::abs(dot(axes.axis[k], d)) / size;
    features.push_back(row);
  }
  return features;
}

}  // namespace tarn
