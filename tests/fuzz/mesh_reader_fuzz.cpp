#include "tarn/core/errors.hpp"
#include "tarn/datasets/mesh/mesh_file.hpp"
#include "tarn/graph/mesh/mesh_clean.hpp"
#include "tarn/graph/mesh/mesh_features.hpp"
#include "tarn/graph/mesh/mesh_report.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace tarn;

// One target per format, chosen by TARN_FUZZ_FORMAT (obj, off, ply, stl). What a reader takes must survive
// writing and reading, and the functions that every mesh passes through next.

namespace {

constexpr MeshFormat format = MeshFormat::TARN_FUZZ_FORMAT;

void check_round_trip(const PolygonSoup& soup) {
  const PolygonSoup back = parse_mesh(write_mesh_text(soup, MeshFormat::ply), MeshFormat::ply, "written");
  if (!(back == soup)) std::abort();
}

void use(const PolygonSoup& soup) {
  const TriangleMesh mesh = triangulate(soup, "fuzz").mesh;
  static_cast<void>(report_mesh(mesh));
  const CleanMesh clean = clean_mesh(mesh);
  if (clean.counts.dropped_faces() + clean.mesh.num_faces() != mesh.num_faces()) std::abort();
  static_cast<void>(primal_dual_mesh(clean.mesh));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const PolygonSoup soup = parse_mesh({reinterpret_cast<const char*>(data), size}, format, "fuzz");
    check_round_trip(soup);
    use(soup);
  } catch (const DataError&) {
    // Refused, with a message: what an untrusted file may come to.
  }
  return 0;
}
