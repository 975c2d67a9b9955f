#pragma once

#include "tarn/datasets/mesh/mesh_set_generators.hpp"
#include "tarn/experiments/mesh/mesh_network.hpp"
#include "tarn/experiments/mesh/mesh_trainer.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace tarn {

/// Options of a run over a set of meshes that are no tables.
struct MeshRunOptions : MeshTrainingOptions {
  std::vector<std::string> readouts;
  std::vector<Size> seeds{0};
  std::string split = "auto";
  std::optional<std::vector<Size>> partitions;
  Size folds = 5;
  Size split_seed = 0;
  Size pictures = 2;
  std::string clusters;
  void fields(Fields& f);
};

/// The table `data`.
struct MeshDataOptions {
  std::string path;
  std::string root;
  std::vector<std::string> classes;
  std::optional<Size> train;
  void fields(Fields& f);
};

enum class ProceduralMeshes { shapes, cubes };
inline std::span<const std::string_view> enum_names(ProceduralMeshes) {
  static constexpr std::array<std::string_view, 2> names{"shapes", "cubes"};
  return names;
}

/// The table `generate` of the embedded set.
struct ProceduralOptions : ShapesOptions {
  ProceduralMeshes kind = ProceduralMeshes::shapes;
  Size squares = 8;
  double depth = 0.05;
  void fields(Fields& f);
};

/// The table `graph`: graphs, features and how these are scaled.
struct MeshGraphOptions : PrimalDualOptions {
  RatioScale ratios = RatioScale::plain;
  void fields(Fields& f);
};

/// The table `augment`.
struct MeshAugmentOptions : AugmentOptions {
  bool redraw = true;
  Size test_copies = 0;
  void fields(Fields& f);
};

/// What a name of `tarn run` stands for.
struct MeshPreset {
  std::string name;  ///< of the experiment: "mesh-shapes"
  MeshTask task = MeshTask::classification;
  bool embedded = false;  ///< generated, no file
  Value defaults{Value::Table{}};
};

/// Baselines that train no network: a random forest on statistics of the features, and the part that most
/// training faces belong to.
inline constexpr const char* forest_baseline = "forest";
inline constexpr const char* majority_baseline = "majority";

/// A method of a run: its name, the network behind it (none: a baseline) and the table of its options.
struct MeshMethod {
  std::string name;
  std::string network;
  std::string table;
};
/// What `readouts` may name in a task: dual, primal, both and forest; or unet, superpixel and majority.
[[nodiscard]] const std::vector<MeshMethod>& mesh_methods(MeshTask task);

/// A resolved configuration, read.
struct MeshPlan {
  MeshRunOptions run;
  MeshDataOptions data;
  ProceduralOptions generate;
  MeshGraphOptions graph;
  MeshAugmentOptions augment;
  Value networks;  ///< options by table: model, unet, superpixel

  [[nodiscard]] static MeshPlan read(const Value& resolved);
  /// The network of a method for so many classes, nothing for a baseline.
  [[nodiscard]] std::unique_ptr<MeshNetwork> make_network(const MeshMethod& method, Size num_classes) const;
  /// What a user must be told of a method's network before it is trained: norms that leave nothing.
  [[nodiscard]] std::vector<std::string> warnings(const MeshMethod& method) const;
};

/// Every option filled in. Tables: `data`, `generate` (of the embedded set), `graph`, `augment` and those of
/// the networks: `model` for classification, `unet` and `superpixel` for segmentation. `readout = "both"` is
/// short for a list of one. Reads no data. Throws ConfigError or ValueError.
[[nodiscard]] Value resolve_mesh_run(const Value& given, const MeshPreset& preset);

[[nodiscard]] std::vector<FieldDescription> describe_mesh_run(const MeshPreset& preset);

}  // namespace tarn
