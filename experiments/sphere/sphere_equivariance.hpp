#pragma once

#include "tarn/experiments/experiment.hpp"
#include "tarn/experiments/sphere/equivariance.hpp"
#include "tarn/graph/healpix/cheb_conv.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tarn {

/// Options of `tarn run sphere-equivariance`.
struct SphereEquivarianceOptions {
  std::vector<std::string> filters{"healpix-conv", "adjacent", "knn-8", "knn-20", "knn-40", "knn-60"};
  std::vector<Size> nside{8, 16, 32};
  std::vector<Size> seeds{0, 1, 2};
  Size channels = 8;
  Size kernel_size = 5;
  SphereWeights weights = SphereWeights::by_neighbourhood;
  std::optional<double> kernel_width;
  std::optional<Size> lmax;
  Size fields_per_seed = 5;
  Turning turning = Turning::harmonics;
  Size iterations = 10;

  void fields(Fields& f);
};

/// How far filters on the sphere are from turning their output with their input: the nine-point stencil, and
/// polynomials of the Laplacians of graphs, with random weights. Nothing is trained.
class SphereEquivariance final : public Experiment {
 public:
  std::string name() const override { return "sphere-equivariance"; }
  std::string summary() const override { return "how well filters on the sphere commute with rotations"; }
  std::string help() const override;
  std::vector<FieldDescription> options() const override;
  Value resolve(const Value& given) const override;
  void run(ExperimentContext& context) const override;
};

}  // namespace tarn
