#include "tarn/experiments/mesh/mesh_pictures.hpp"
namespace tarn {
inline namespace TARN_PRECISION {
void draw_pictures(MeshNetwork&, const MeshSamples&, const MeshViews&, Size, const std::filesystem::path&, const std::string&) {}
void write_clusters(MeshNetwork&, const MeshSamples&, const MeshViews&, const std::filesystem::path&) {}
}
}
