#include "tarn/experiments/mesh/mesh_pictures.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/datasets/mesh/mesh_file.hpp"
#include "tarn/datasets/mesh/part_colours.hpp"
#include "tarn/experiments/plot/mesh_view.hpp"
#include "tarn/experiments/run_pictures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace tarn {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

constexpr Colour single_face{225, 225, 225};
constexpr std::array<plot::MeshView, 2> views_of_pictures = {
    plot::MeshView{.azimuth = 0.6, .elevation = 0.35},
    plot::MeshView{.azimuth = 0.6 + 3.14159265358979, .elevation = -0.2}};

/// "Human/12" as part of a file name.
std::string as_file(const std::string& name) {
  std::string file;
  for (const char c : name)
    file += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_' ? c : '-';
  return file;
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw IoError(fmt::format("{}: cannot be created: {}", folder.string(), error.message()));
}

std::vector<Colour> part_colours(std::span<const Size> parts) {
  std::vector<Colour> colours;
  for (const Size part : parts) colours.push_back(part_colour(part));
  return colours;
}

/// Clusters of several faces in colours of their own, faces that were merged with no other in grey.
std::vector<Colour> cluster_colours(const RowClusters& clusters) {
  std::vector<Colour> colours;
  for (const NodeId c : clusters.group_of)
    colours.push_back(clusters.groups.members(c).size() > 1 ? part_colour(c) : single_face);
  return colours;
}

/// A mesh coloured in one way.
struct Panel {
  std::string file;   // part of the file's name
  std::string title;  // over the column
  std::vector<Colour> colours;
};

}  // namespace

inline namespace TARN_PRECISION {

namespace {

/// One test mesh, what is predicted for it and its clusters after each pool.
struct ViewedMesh {
  const LabelledMesh& mesh;
  std::span<const Size> prediction;  // one class, or one part per face
  std::vector<RowClusters> clusters;
};

class Viewer {
 public:
  Viewer(MeshNetwork& network, const MeshSamples& samples, const MeshViews& views)
      : network_(network), samples_(samples), views_(views) {
    offsets_.push_back(0);
    for (const Size mesh : views.fold.test) {
      offsets_.push_back(offsets_.back() + (views.task == MeshTask::classification
                                                ? 1
                                                : views.data.set.meshes[idx(mesh)].mesh.num_faces()));
    }
  }

  [[nodiscard]] Size count() const { return static_cast<Size>(views_.fold.test.size()); }

  /// Test mesh `t`, run through the network alone.
  [[nodiscard]] ViewedMesh view(Size t) {
    const MeshSample* const sample = &samples_.test()[idx(t)];
    const LabelledBatch batch = join_samples({&sample, 1}, views_.configuration);
    Tape tape;
    static_cast<void>(
        network_.forward({tape.input(batch.meshes.x), tape.input(batch.meshes.x_dual), batch.meshes.graph}));
    ViewedMesh viewed{.mesh = views_.data.set.meshes[idx(views_.fold.test[idx(t)])],
                      .prediction = views_.predictions.subspan(idx(offsets_[idx(t)]),
                                                               idx(offsets_[idx(t) + 1] - offsets_[idx(t)])),
                      .clusters = {}};
    for (std::size_t pool = 1; pool <= network_.pools().size(); ++pool) {
      viewed.clusters.push_back(
          compose_pools(std::span(network_.pools()).first(pool), viewed.mesh.mesh.num_faces()));
    }
    return viewed;
  }

 private:
  MeshNetwork& network_;
  const MeshSamples& samples_;
  const MeshViews& views_;
  std::vector<Size> offsets_;
};

std::vector<Panel> panels_of(const ViewedMesh& viewed, MeshTask task) {
  std::vector<Panel> panels;
  if (task == MeshTask::segmentation) {
    panels.push_back({"parts", "parts", part_colours(viewed.mesh.face_labels)});
    panels.push_back({"predicted", "predicted", part_colours(viewed.prediction)});
  }
  for (std::size_t pool = 0; pool < viewed.clusters.size(); ++pool) {
    const RowClusters& clusters = viewed.clusters[pool];
    panels.push_back({fmt::format("clusters-{}", pool + 1),
                      fmt::format("after pool {}: {} clusters", pool + 1, clusters.groups.count()),
                      cluster_colours(clusters)});
  }
  return panels;
}

std::string caption_of(const ViewedMesh& viewed, const MeshViews& views, const std::string& trial) {
  std::string text =
      fmt::format("{} ({} faces), {}: ", viewed.mesh.name, viewed.mesh.mesh.num_faces(), trial);
  if (views.task == MeshTask::classification) {
    const auto& names = views.problem.class_names;
    return text + fmt::format("a {}, taken for a {}. Faces of one colour were merged, grey ones with none.",
                              names[idx(viewed.mesh.label)], names[idx(viewed.prediction.front())]);
  }
  Size right = 0;
  for (std::size_t f = 0; f < viewed.prediction.size(); ++f)
    right += viewed.prediction[f] == viewed.mesh.face_labels[f];
  return text + fmt::format(
                    "{:.1f} % of the faces right. Clusters: faces of one colour were merged, grey ones "
                    "with none.",
                    100.0 * static_cast<double>(right) / static_cast<double>(viewed.prediction.size()));
}

plot::Image side_by_side(const TriangleMesh& mesh, const std::vector<Panel>& panels) {
  const Size size = views_of_pictures[0].size;
  plot::Image whole(size * static_cast<Size>(panels.size()),
                    size * static_cast<Size>(views_of_pictures.size()));
  for (std::size_t column = 0; column < panels.size(); ++column) {
    for (std::size_t row = 0; row < views_of_pictures.size(); ++row) {
      plot::paste(whole, plot::draw_mesh(mesh, panels[column].colours, views_of_pictures[row]),
                  size * static_cast<Size>(column), size * static_cast<Size>(row));
    }
  }
  return whole;
}

void write_coloured(const TriangleMesh& mesh, const std::vector<Colour>& colours, const fs::path& path) {
  PolygonSoup soup = polygon_soup(mesh);
  soup.face_colours = colours;
  write_mesh(soup, path);
}

/// face,cluster_1,...,part,predicted
std::string cluster_rows(const ViewedMesh& viewed, MeshTask task) {
  std::string csv = "face";
  for (std::size_t pool = 1; pool <= viewed.clusters.size(); ++pool) csv += fmt::format(",cluster_{}", pool);
  const bool parts = task == MeshTask::segmentation;
  csv += parts ? ",part,predicted\n" : "\n";
  for (std::size_t f = 0; f < viewed.mesh.mesh.faces.size(); ++f) {
    csv += fmt::format("{}", f);
    for (const RowClusters& clusters : viewed.clusters) csv += fmt::format(",{}", clusters.group_of[f]);
    if (parts) csv += fmt::format(",{},{}", viewed.mesh.face_labels[f], viewed.prediction[f]);
    csv += '\n';
  }
  return csv;
}

}  // namespace

void draw_pictures(MeshNetwork& network, const MeshSamples& samples, const MeshViews& views, Size count,
                   const fs::path& folder, const std::string& trial) {
  make_folder(folder);
  Viewer viewer(network, samples, views);
  const Size drawn = std::min(count, viewer.count());
  std::vector<RunPicture> pictures;
  for (Size i = 0; i < drawn; ++i) {
    const ViewedMesh viewed = viewer.view(i * viewer.count() / drawn);
    const std::vector<Panel> panels = panels_of(viewed, views.task);
    if (panels.empty()) continue;
    const std::string stem = fmt::format("{}-{}", trial, as_file(viewed.mesh.name));
    RunPicture picture{stem + ".png", caption_of(viewed, views, trial), {}};
    for (const Panel& panel : panels) {
      picture.columns.push_back(panel.title);
      write_coloured(viewed.mesh.mesh, panel.colours, folder / fmt::format("{}-{}.ply", stem, panel.file));
    }
    write_file_atomically(folder / picture.file, plot::png_bytes(side_by_side(viewed.mesh.mesh, panels)));
    pictures.push_back(std::move(picture));
  }
  write_picture_list(folder, trial, pictures);
}

void write_clusters(MeshNetwork& network, const MeshSamples& samples, const MeshViews& views,
                    const fs::path& folder) {
  make_folder(folder);
  Viewer viewer(network, samples, views);
  for (Size t = 0; t < viewer.count(); ++t) {
    const ViewedMesh viewed = viewer.view(t);
    const std::string stem = as_file(viewed.mesh.name);
    if (!viewed.clusters.empty())
      write_coloured(viewed.mesh.mesh, cluster_colours(viewed.clusters.back()), folder / (stem + ".ply"));
    write_file_atomically(folder / (stem + ".csv"), cluster_rows(viewed, views.task));
  }
}

}  // namespace TARN_PRECISION
}  // namespace tarn
