#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/datasets/graphs/graph_set.hpp"
#include "tarn/datasets/graphs/graph_store.hpp"
#include "tarn/datasets/graphs/ogb_files.hpp"
#include "tarn/datasets/graphs/tu_files.hpp"
#include "tarn/datasets/mesh/mesh_store.hpp"
#include "tarn/datasets/sphere/sky_maps.hpp"
#include "tarn/datasets/token_store_tools.hpp"
#include "tarn/experiments/graphs/graph_source.hpp"
#include "tarn/experiments/graphs/splits.hpp"
#include "tarn/experiments/verbs/verbs.hpp"

#include <fmt/format.h>

#include <array>
#include <filesystem>

namespace tarn::verbs {

namespace {

namespace fs = std::filesystem;

/// A set of graphs to a store; what is odd about it is said.
void convert_graphs(const GraphRecords& records, const ConvertArguments& arguments, Console& console) {
  const GraphSet set = GraphSet::make(records, {.use_node_attributes = true});
  for (const std::string& warning : set.findings().warnings) console.warning(warning);
  write_graph_store(arguments.out, records);
  console.note(fmt::format("{}: {} graphs written", arguments.out, records.num_graphs()));
}

/// Meshes with labels and splits to a store; graphs are put there by the first run that needs them.
void convert_meshes(const ConvertArguments& arguments, Console& console) {
  const MeshSet set = read_mesh_set(arguments.in);
  write_mesh_store(arguments.out, set);
  Size dropped = 0;
  for (const LabelledMesh& mesh : set.meshes) dropped += mesh.dropped_faces;
  console.note(fmt::format("{}: {} meshes of {} classes written, {} splits; cleaning dropped {} faces",
                           arguments.out, set.num_meshes(), set.class_names.size(), set.splits.size(),
                           dropped));
}

/// Maps of a FITS file to a store, or that back to a FITS file.
void convert_maps(const ConvertArguments& arguments, Console& console) {
  const bool stored = is_sky_store(arguments.in);
  const SkyMaps maps = stored ? read_sky_store(arguments.in) : read_fits_maps(arguments.in);
  if (stored) {
    write_fits_maps(arguments.out, maps);
  } else {
    write_sky_store(arguments.out, maps);
  }
  console.note(
      fmt::format("{}: {} maps of {} pixels written", arguments.out, maps.num_maps(), maps.sky.size()));
}

/// A store back to TU text: the folder OUTPUT if it is called as the set, else OUTPUT/NAME; splits beside it.
void restore_tu(const ConvertArguments& arguments, Console& console) {
  const GraphRecords records = read_graph_store(arguments.in);
  fs::path folder = fs::path(arguments.out).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  if (folder.filename() != records.name) folder /= records.name;
  write_tu(records, folder);
  if (!records.splits.empty()) {
    write_file_atomically(splits_beside(folder),
                          write_split_json(records.name, records.num_graphs(), records.splits));
  }
  console.note(fmt::format("{}: {} graphs written", folder.string(), records.num_graphs()));
}

}  // namespace

int convert(const ConvertArguments& arguments, Console& console) {
  static const std::array<std::string, 5> kinds = {"store", "tu", "ogb", "mesh", "fits"};
  if (arguments.kind == "store") {
    convert_store(arguments.in, arguments.out);
    console.note(fmt::format("{}: written", arguments.out));
  } else if (arguments.kind == "tu") {
    if (is_graph_store(arguments.in)) {
      restore_tu(arguments, console);
    } else {
      convert_graphs(read_graphs(arguments.in), arguments, console);
    }
  } else if (arguments.kind == "ogb") {
    convert_graphs(read_ogb(arguments.in), arguments, console);
  } else if (arguments.kind == "mesh") {
    convert_meshes(arguments, console);
  } else if (arguments.kind == "fits") {
    convert_maps(arguments, console);
  } else {
    throw ConfigError(
        fmt::format("convert: unknown kind '{}'{}", arguments.kind, suggestion(arguments.kind, kinds)));
  }
  return 0;
}

}  // namespace tarn::verbs
