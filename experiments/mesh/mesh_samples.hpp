#pragma once

#include "tarn/datasets/mesh/mesh_set.hpp"
#include "tarn/graph/mesh/augment.hpp"
#include "tarn/graph/mesh/feature_stats.hpp"
#include "tarn/graph/mesh/mesh_batch.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace tarn {

/// How areas and ratios of lengths enter: as they are, or by their logarithm, which a sliver does not blow
/// up.
enum class RatioScale { plain, log };
inline std::span<const std::string_view> enum_names(RatioScale) {
  static constexpr std::array<std::string_view, 2> names{"plain", "log"};
  return names;
}

/// Mean and deviation of the features that a network was trained on, both graphs.
struct MeshFeatureStats {
  ChannelStats primal;
  ChannelStats dual;
};

inline namespace TARN_PRECISION {

/// A mesh as a network sees it: standardised features and labels that belong to them.
struct MeshSample {
  PrimalDualMesh graph;
  Size label = 0;
  std::vector<Size> face_labels;
};

/// The samples of a fold: training meshes with their augmented copies, and test meshes, standardised by the
/// training meshes alone.
class MeshSamples {
 public:
  struct Options {
    PrimalDualOptions graph{};
    AugmentOptions augment{};
    RatioScale ratios = RatioScale::plain;
    bool redraw = false;  ///< augment anew in every epoch; the statistics are those of the meshes as they are
    Size test_copies = 0;  ///< augmented copies of each test mesh
    std::uint64_t seed = 0;
  };

  /// `graphs` belong to the meshes of the set, which must outlive the samples. Throws ValueError for features
  /// without spread.
  MeshSamples(const MeshSet& set, std::span<const PrimalDualMesh> graphs, std::span<const Size> train,
              std::span<const Size> test, const Options& options);

  [[nodiscard]] Size num_train() const { return static_cast<Size>(train_.size()) * copies_; }
  [[nodiscard]] const std::vector<MeshSample>& test() const { return test_; }
  /// Samples of each test mesh in `copied_test`: itself and its augmented copies.
  [[nodiscard]] Size test_copies() const { return options_.augment.any() ? 1 + options_.test_copies : 1; }
  /// Every test mesh with its augmented copies behind it.
  [[nodiscard]] std::vector<MeshSample> copied_test() const;
  [[nodiscard]] const MeshFeatureStats& stats() const { return stats_; }
  /// Training samples of an epoch; the same ones every time unless they are drawn anew.
  [[nodiscard]] const std::vector<MeshSample>& train(Size epoch);

 private:
  [[nodiscard]] MeshSample draw(Size mesh, const Rng& rng) const;
  [[nodiscard]] std::vector<MeshSample> draw_copies(Size epoch) const;
  void scale_ratios(std::vector<MeshSample>& samples) const;
  void standardise_all(std::vector<MeshSample>& samples) const;

  const MeshSet& set_;
  Options options_;
  std::vector<Size> train_;
  std::vector<Size> test_meshes_;
  Size copies_;
  MeshFeatureStats stats_;
  std::vector<MeshSample> test_;
  std::vector<MeshSample> current_;
  Size drawn_epoch_ = -1;
};

/// A batch with what its loss and metrics need.
struct LabelledBatch {
  MeshBatch meshes;
  std::vector<Size> labels;       ///< [B]
  std::vector<Size> face_labels;  ///< [N]
};
[[nodiscard]] LabelledBatch join_samples(std::span<const MeshSample* const> samples,
                                         DualConfiguration configuration);

}  // namespace TARN_PRECISION
}  // namespace tarn
