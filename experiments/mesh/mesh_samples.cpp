#include "tarn/experiments/mesh/mesh_samples.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"

#include <fmt/format.h>

#include <cmath>

namespace tarn {
inline namespace TARN_PRECISION {

namespace {

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

PrimalDualMesh copy_of(const PrimalDualMesh& graph) {
  return {graph.num_faces, graph.pairs, graph.x.clone(), graph.x_dual.clone(), graph.areas};
}

MeshSample sample_of(const MeshSet& set, std::span<const PrimalDualMesh> graphs, Size mesh) {
  const LabelledMesh& labelled = set.meshes[idx(mesh)];
  return {copy_of(graphs[idx(mesh)]), labelled.label, labelled.face_labels};
}

/// Channels first .. last-1 become logarithms, natural for ratios. Zeros, the features of faces without
/// neighbours, stay.
void to_logarithms(MatrixView x, Size first, Size last) {
  for (Size i = 0; i < x.rows; ++i) {
    for (Size j = first; j < last; ++j) {
      if (x(i, j) > 0) x(i, j) = static_cast<Real>(std::log(static_cast<double>(x(i, j))));
    }
  }
}

MeshFeatureStats stats_of(const std::vector<MeshSample>& samples) {
  std::vector<ConstMatrixView> primal, dual;
  for (const MeshSample& sample : samples) {
    primal.push_back(sample.graph.x.matrix());
    dual.push_back(sample.graph.x_dual.matrix());
  }
  return {channel_stats("primal features", primal), channel_stats("dual features", dual)};
}

}  // namespace

MeshSamples::MeshSamples(const MeshSet& set, std::span<const PrimalDualMesh> graphs,
                         std::span<const Size> train, std::span<const Size> test, const Options& options)
    : set_(set),
      options_(options),
      train_(train.begin(), train.end()),
      test_meshes_(test.begin(), test.end()),
      copies_(options.augment.any() ? options.augment.num_augmentations : 1) {
  if (!options.augment.any()) {
    for (const Size mesh : train) current_.push_back(sample_of(set, graphs, mesh));
    scale_ratios(current_);
    stats_ = stats_of(current_);
    standardise_all(current_);
  } else if (options.redraw) {
    std::vector<MeshSample> plain;
    for (const Size mesh : train) plain.push_back(sample_of(set, graphs, mesh));
    scale_ratios(plain);
    stats_ = stats_of(plain);
  } else {
    current_ = draw_copies(0);
    stats_ = stats_of(current_);
    standardise_all(current_);
  }
  for (const Size mesh : test) test_.push_back(sample_of(set, graphs, mesh));
  scale_ratios(test_);
  standardise_all(test_);
}

const std::vector<MeshSample>& MeshSamples::train(Size epoch) {
  if (options_.augment.any() && options_.redraw && drawn_epoch_ != epoch) {
    current_ = draw_copies(epoch);
    standardise_all(current_);
    drawn_epoch_ = epoch;
  }
  return current_;
}

MeshSample MeshSamples::draw(Size mesh, const Rng& rng) const {
  const LabelledMesh& labelled = set_.meshes[idx(mesh)];
  const TriangleMesh drawn = augment_mesh(labelled.mesh, options_.augment, rng);
  try {
    return {primal_dual_mesh(drawn, options_.graph), labelled.label, labelled.face_labels};
  } catch (const DataError& error) {
    throw DataError(fmt::format("augmentation of mesh {}: {}", labelled.name, error.what()));
  }
}

std::vector<MeshSample> MeshSamples::draw_copies(Size epoch) const {
  std::vector<MeshSample> samples(idx(num_train()));
  const Rng rng = Rng(options_.seed).split("augment").split(static_cast<std::uint64_t>(epoch));
  for_blocks(num_train(), 1, [&](Size i, Size) {
    const Size mesh = train_[idx(i / copies_)];
    samples[idx(i)] = draw(
        mesh, rng.split(static_cast<std::uint64_t>(mesh)).split(static_cast<std::uint64_t>(i % copies_)));
  });
  scale_ratios(samples);
  return samples;
}

std::vector<MeshSample> MeshSamples::copied_test() const {
  const Size copies = test_copies();
  std::vector<MeshSample> samples(test_.size() * idx(copies));
  const Rng rng = Rng(options_.seed).split("test copies");
  std::vector<MeshSample> drawn(test_.size() * idx(copies - 1));
  for_blocks(static_cast<Size>(drawn.size()), 1, [&](Size i, Size) {
    const Size mesh = test_meshes_[idx(i / (copies - 1))];
    drawn[idx(i)] =
        draw(mesh,
             rng.split(static_cast<std::uint64_t>(mesh)).split(static_cast<std::uint64_t>(i % (copies - 1))));
  });
  scale_ratios(drawn);
  standardise_all(drawn);
  for (std::size_t t = 0; t < test_.size(); ++t) {
    const MeshSample& plain = test_[t];
    samples[t * idx(copies)] = {copy_of(plain.graph), plain.label, plain.face_labels};
    for (Size c = 1; c < copies; ++c)
      samples[t * idx(copies) + idx(c)] = std::move(drawn[t * idx(copies - 1) + idx(c - 1)]);
  }
  return samples;
}

void MeshSamples::scale_ratios(std::vector<MeshSample>& samples) const {
  if (options_.ratios == RatioScale::plain) return;
  for (MeshSample& sample : samples) {
    const MatrixView x = sample.graph.x.matrix(), x_dual = sample.graph.x_dual.matrix();
    // Angles stay as they are, and so do places in the shape.
    const bool means = options_.graph.primal_features == PrimalFeatures::dual_mean;
    to_logarithms(x, means ? 1 : 0, means ? x.cols : 1);
    to_logarithms(x_dual, 1, x_dual.cols);
  }
}

void MeshSamples::standardise_all(std::vector<MeshSample>& samples) const {
  for_blocks(static_cast<Size>(samples.size()), 8, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) {
      standardise("primal features", samples[idx(i)].graph.x.matrix(), stats_.primal);
      standardise("dual features", samples[idx(i)].graph.x_dual.matrix(), stats_.dual);
    }
  });
}

LabelledBatch join_samples(std::span<const MeshSample* const> samples, DualConfiguration configuration) {
  LabelledBatch batch;
  std::vector<const PrimalDualMesh*> graphs;
  for (const MeshSample* sample : samples) {
    graphs.push_back(&sample->graph);
    batch.labels.push_back(sample->label);
    batch.face_labels.insert(batch.face_labels.end(), sample->face_labels.begin(), sample->face_labels.end());
  }
  batch.meshes = join_meshes(graphs, configuration);
  return batch;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
