#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/core/h5.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/datasets/mesh/mesh_store.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {
inline namespace TARN_PRECISION {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// "graphs/A-area-f32": everything that the numbers depend on.
std::string group_of(const PrimalDualOptions& o) {
  return fmt::format(
      "graphs/{}-{}{}-{}", enum_names(o.configuration)[idx(static_cast<Size>(o.configuration))],
      enum_names(o.primal_features)[idx(static_cast<Size>(o.primal_features))],
      o.allow_nonmanifold ? "-nonmanifold" : "", sizeof(Real) == sizeof(double) ? "f64" : "f32");
}

void write_features(h5::Group& group, const char* name, std::span<const PrimalDualMesh> graphs,
                    const Tensor PrimalDualMesh::*part) {
  std::vector<Real> all;
  Size rows = 0, width = 0;
  for (const PrimalDualMesh& graph : graphs) {
    const Tensor& x = graph.*part;
    all.insert(all.end(), x.flat().begin(), x.flat().end());
    rows += x.shape()[0];
    width = x.shape()[1];
  }
  group.write(name, {rows, width}, std::span<const Real>(all));
}

/// A data set of all meshes, with the rows of each.
class StoredRows {
 public:
  StoredRows(const h5::Group& group, const char* name, Size rows, Size width) : width_(width) {
    const h5::Dataset data = group.dataset(name);
    if (data.shape() != Shape{rows, width}) {
      throw DataError(
          fmt::format("{}: shape {}; expected [{}, {}]", data.where(), data.shape().text(), rows, width));
    }
    values_ = data.read<Real>();
  }
  [[nodiscard]] Tensor take(Size rows) {
    Tensor part({rows, width_}, std::span<const Real>(values_).subspan(done_, idx(rows * width_)));
    done_ += idx(rows * width_);
    return part;
  }

 private:
  Size width_;
  std::vector<Real> values_;
  std::size_t done_ = 0;
};

std::vector<NodePair> read_pairs(const h5::Dataset& data, std::span<const NodeId> ends, Size first, Size last,
                                 Size num_faces) {
  std::vector<NodePair> pairs;
  for (Size p = first; p < last; ++p) {
    const NodePair pair{ends[idx(2 * p)], ends[idx(2 * p + 1)]};
    const bool ascends = pairs.empty() || pairs.back() < pair;
    if (pair[0] < 0 || pair[0] >= pair[1] || pair[1] >= num_faces || !ascends) {
      throw DataError(fmt::format("{}: row {} is ({}, {}); expected ascending pairs of faces from 0 to {}",
                                  data.where(), p, pair[0], pair[1], num_faces - 1));
    }
    pairs.push_back(pair);
  }
  return pairs;
}

}  // namespace

std::vector<PrimalDualMesh> build_mesh_graphs(const MeshSet& set, const PrimalDualOptions& options) {
  std::vector<PrimalDualMesh> graphs(set.meshes.size());
  for_blocks(set.num_meshes(), 1, [&](Size i, Size) {
    const LabelledMesh& mesh = set.meshes[idx(i)];
    try {
      graphs[idx(i)] = primal_dual_mesh(mesh.mesh, options);
    } catch (const DataError& error) {
      throw DataError(fmt::format("{}: mesh {}: {}", set.name, mesh.name, error.what()));
    }
  });
  return graphs;
}

std::optional<std::vector<PrimalDualMesh>> read_mesh_graphs(const fs::path& path, const MeshSet& set,
                                                            const PrimalDualOptions& options) {
  const h5::File file = h5::File::open(path);
  if (!file.has(group_of(options))) return {};
  const h5::Group group = file.group(group_of(options));
  const h5::Dataset offset_data = group.dataset("pair_offsets"), pair_data = group.dataset("pairs");
  const std::vector<Size> offsets = offset_data.read<Size>();
  const std::vector<NodeId> ends = pair_data.read<NodeId>();
  if (offsets.size() != set.meshes.size() + 1 || offsets.front() != 0 ||
      !std::is_sorted(offsets.begin(), offsets.end()) ||
      static_cast<Size>(ends.size()) != 2 * offsets.back()) {
    throw DataError(
        fmt::format("{}: offsets that do not fit {} meshes and {} numbers; expected those of the pairs",
                    offset_data.where(), set.num_meshes(), ends.size()));
  }
  Size faces = 0;
  for (const LabelledMesh& mesh : set.meshes) faces += mesh.mesh.num_faces();
  const Size duals_per_pair = options.configuration == DualConfiguration::A ? 1 : 2;
  StoredRows x(group, "x", faces, primal_width(options)),
      x_dual(group, "x_dual", duals_per_pair * offsets.back(), dual_width(options));
  const std::vector<double> areas = group.dataset("areas").read<double>();
  if (static_cast<Size>(areas.size()) != faces) {
    throw DataError(
        fmt::format("{}: {} areas for {} faces; expected one each", group.where(), areas.size(), faces));
  }
  std::vector<PrimalDualMesh> graphs(set.meshes.size());
  auto next_area = areas.begin();
  for (std::size_t s = 0; s < graphs.size(); ++s) {
    PrimalDualMesh& graph = graphs[s];
    graph.num_faces = set.meshes[s].mesh.num_faces();
    graph.pairs = read_pairs(pair_data, ends, offsets[s], offsets[s + 1], graph.num_faces);
    graph.x = x.take(graph.num_faces);
    graph.x_dual = x_dual.take(duals_per_pair * static_cast<Size>(graph.pairs.size()));
    graph.areas.assign(next_area, next_area + graph.num_faces);
    next_area += graph.num_faces;
  }
  return graphs;
}

void write_mesh_graphs(const fs::path& path, std::span<const PrimalDualMesh> graphs,
                       const PrimalDualOptions& options) {
  replace_file(path, [&](const fs::path& temporary) {
    fs::copy_file(path, temporary, fs::copy_options::overwrite_existing);
    h5::File file = h5::File::open(temporary, h5::Access::update);
    if (file.has(group_of(options))) file.remove(group_of(options));
    h5::Group group = file.create_group(group_of(options));
    std::vector<NodeId> ends;
    std::vector<Size> offsets{0};
    std::vector<double> areas;
    for (const PrimalDualMesh& graph : graphs) {
      for (const NodePair& pair : graph.pairs) ends.insert(ends.end(), pair.begin(), pair.end());
      offsets.push_back(static_cast<Size>(ends.size()) / 2);
      areas.insert(areas.end(), graph.areas.begin(), graph.areas.end());
    }
    group.write("pairs", {offsets.back(), 2}, std::span<const NodeId>(ends));
    group.write("pair_offsets", offsets);
    group.write("areas", areas);
    write_features(group, "x", graphs, &PrimalDualMesh::x);
    write_features(group, "x_dual", graphs, &PrimalDualMesh::x_dual);
    file.close();
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
