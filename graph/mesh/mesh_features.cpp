#include "tarn/graph/mesh/mesh_features.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/mesh/shape_features.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace tarn {

namespace {

constexpr Size items_per_block = 2048;

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// What face i sees of an edge to its neighbour.
struct OneSided {
  double k, before, after;
};

struct PairFeatures {
  double alpha;
  OneSided ij, ji;
};

class Extractor {
 public:
  Extractor(const TriangleMesh& mesh, const PrimalDualOptions& options)
      : mesh_(mesh), options_(options), half_edges_(mesh) {
    if (!options.allow_nonmanifold) require_manifold_edges("mesh-primal-dual", half_edges_);
    for (Size f = 0; f < mesh.num_faces(); ++f) {
      areas_.push_back(face_area(mesh, f));
      if (areas_.back() > 0) continue;
      throw DataError(
          fmt::format("mesh-primal-dual: face {} has area {}; expected a positive one (clean the mesh first)",
                      f, areas_.back()));
    }
    pairs_ = face_pairs(half_edges_);
    compute_pairs();
  }

  PrimalDualMesh result() {
    PrimalDualMesh out;
    out.num_faces = mesh_.num_faces();
    for (const FacePair& pair : pairs_) out.pairs.push_back(pair.faces);
    out.x = primal_features();
    out.x_dual = options_.configuration == DualConfiguration::A ? pair_rows() : direction_rows();
    out.areas = std::move(areas_);
    return out;
  }

 private:
  void compute_pairs() {
    const std::vector<Vec3> normals = face_normals(mesh_);
    features_.resize(pairs_.size());
    for_blocks(static_cast<Size>(pairs_.size()), items_per_block, [&](Size begin, Size end) {
      for (Size p = begin; p < end; ++p) {
        const FacePair& pair = pairs_[idx(p)];
        const auto [i, j] = pair.faces;
        const auto [h, g] = pair.half_edges;
        // In i the edge runs from start to end of h; j reads it from end to start, whichever way g runs.
        const NodeId a = half_edges_.start(h), b = half_edges_.end(h);
        features_[idx(p)] = {dihedral_angle(mesh_, half_edges_, pair, normals), one_sided(a, b, h, i),
                             one_sided(b, a, g, j)};
      }
    });
  }

  [[nodiscard]] OneSided one_sided(NodeId a, NodeId b, Size half_edge, NodeId face) const {
    const Vec3& from = mesh_.vertices[idx(a)];
    const Vec3& to = mesh_.vertices[idx(b)];
    const Vec3& third = mesh_.vertices[idx(half_edges_.start(HalfEdges::previous(half_edge)))];
    const Vec3 edge = to - from;
    const double length = norm(edge);
    return {dot(edge, edge) / (2 * areas_[idx(face)]), length / norm(from - third),
            length / norm(third - to)};
  }

  [[nodiscard]] Tensor primal_features() const {
    switch (options_.primal_features) {
      case PrimalFeatures::area:
        return area_shares();
      case PrimalFeatures::dual_mean:
        return means_around();
      case PrimalFeatures::shape:
        break;
    }
    return places_in_shape();
  }

  [[nodiscard]] Tensor places_in_shape() const {
    const double total = std::accumulate(areas_.begin(), areas_.end(), 0.0);
    const std::vector<std::array<double, 5>> places = shape_features(mesh_, areas_);
    Tensor x({mesh_.num_faces(), 6});
    for (Size f = 0; f < mesh_.num_faces(); ++f) {
      const auto& [radius, facing, first, second, third] = places[idx(f)];
      put(x, f, std::array{areas_[idx(f)] / total, radius, facing, first, second, third});
    }
    return x;
  }

  [[nodiscard]] Tensor area_shares() const {
    const double total = std::accumulate(areas_.begin(), areas_.end(), 0.0);
    Tensor x({mesh_.num_faces(), 1});
    for (std::size_t f = 0; f < areas_.size(); ++f) x.flat()[f] = static_cast<Real>(areas_[f] / total);
    return x;
  }

  [[nodiscard]] Tensor means_around() const {
    std::vector<std::array<double, 4>> sums(areas_.size(), {0, 0, 0, 0});
    std::vector<Size> counts(areas_.size(), 0);
    const auto add = [&](NodeId face, double alpha, const OneSided& own) {
      std::array<double, 4>& sum = sums[idx(face)];
      sum[0] += alpha;
      sum[1] += own.k;
      sum[2] += own.before;
      sum[3] += own.after;
      ++counts[idx(face)];
    };
    for (std::size_t p = 0; p < pairs_.size(); ++p) {
      add(pairs_[p].faces[0], features_[p].alpha, features_[p].ij);
      add(pairs_[p].faces[1], features_[p].alpha, features_[p].ji);
    }
    Tensor x({mesh_.num_faces(), 4});
    for (Size f = 0; f < mesh_.num_faces(); ++f) {
      const auto count = static_cast<double>(std::max<Size>(counts[idx(f)], 1));
      for (Size c = 0; c < 4; ++c) x.matrix()(f, c) = static_cast<Real>(sums[idx(f)][idx(c)] / count);
    }
    return x;
  }

  [[nodiscard]] Tensor pair_rows() const {
    Tensor x({static_cast<Size>(pairs_.size()), 7});
    for (std::size_t p = 0; p < pairs_.size(); ++p) {
      const PairFeatures& f = features_[p];
      const auto& [first, second] = f.ij.k < f.ji.k ? std::tie(f.ij, f.ji) : std::tie(f.ji, f.ij);
      const std::array<double, 7> row{f.alpha,       first.k,     second.k,    first.before,
                                      second.before, first.after, second.after};
      put(x, static_cast<Size>(p), row);
    }
    return x;
  }

  [[nodiscard]] Tensor direction_rows() const {
    const auto count = static_cast<Size>(pairs_.size());
    Tensor x({2 * count, 4});
    for (Size p = 0; p < count; ++p) {
      const PairFeatures& f = features_[idx(p)];
      put(x, p, std::array{f.alpha, f.ij.k, f.ij.before, f.ij.after});
      put(x, count + p, std::array{f.alpha, f.ji.k, f.ji.before, f.ji.after});
    }
    return x;
  }

  template <std::size_t N>
  static void put(Tensor& x, Size row, const std::array<double, N>& values) {
    for (std::size_t c = 0; c < N; ++c) x.matrix()(row, static_cast<Size>(c)) = static_cast<Real>(values[c]);
  }

  const TriangleMesh& mesh_;
  const PrimalDualOptions& options_;
  HalfEdges half_edges_;
  std::vector<double> areas_;
  std::vector<FacePair> pairs_;
  std::vector<PairFeatures> features_;
};

}  // namespace

inline namespace TARN_PRECISION {

PrimalDualMesh primal_dual_mesh(const TriangleMesh& mesh, const PrimalDualOptions& options) {
  require_valid_mesh("mesh-primal-dual", mesh);
  return Extractor(mesh, options).result();
}

}  // namespace TARN_PRECISION
}  // namespace tarn
