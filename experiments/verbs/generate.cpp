#include "tarn/core/errors.hpp"
#include "tarn/datasets/graphs/chord_graphs.hpp"
#include "tarn/datasets/graphs/graph_store.hpp"
#include "tarn/datasets/mesh/mesh_set_generators.hpp"
#include "tarn/datasets/mesh/mesh_store.hpp"
#include "tarn/datasets/stress_texts.hpp"
#include "tarn/experiments/config.hpp"
#include "tarn/experiments/sphere/field_sets.hpp"
#include "tarn/experiments/verbs/catalogue.hpp"
#include "tarn/experiments/verbs/verbs.hpp"

#include <fmt/format.h>

#include <array>

namespace tarn::verbs {

namespace {

/// A store where the output is called .h5, else a folder of PLY files.
void write_meshes(const MeshSet& set, const std::filesystem::path& out, Console& console) {
  if (out.extension() == ".h5") {
    write_mesh_store(out, set);
  } else {
    write_mesh_folder(out, set);
  }
  console.note(fmt::format("{}: {} meshes written", out.string(), set.num_meshes()));
}

/// A store where the output is called .h5, else a FITS file.
void write_fields(const SkyMaps& maps, const std::filesystem::path& out, Console& console) {
  if (out.extension() == ".h5") {
    write_sky_store(out, maps);
  } else {
    write_fits_maps(out, maps);
  }
  console.note(
      fmt::format("{}: {} maps of {} pixels written", out.string(), maps.num_maps(), maps.sky.size()));
}

}  // namespace

int generate(const GenerateArguments& arguments, Console& console) {
  static const std::array<std::string, 5> kinds = {"stress", "graphs", "shapes", "cube-engraving", "fields"};
  Value given{Value::Table{}};
  apply_overrides(given, arguments.overrides);
  if (arguments.kind == "stress") {
    const std::vector<StressText> texts =
        generate_stress_texts(read_options<StressOptions>(given, "generate stress"));
    write_stress_texts(texts, std::filesystem::path(arguments.out));
    console.note(fmt::format("{}: {} texts written", arguments.out, texts.size()));
  } else if (arguments.kind == "graphs") {
    const GraphRecords records =
        generate_chord_graphs(read_options<ChordGraphOptions>(given, "generate graphs"));
    write_graph_store(arguments.out, records);
    console.note(fmt::format("{}: {} graphs written", arguments.out, records.num_graphs()));
  } else if (arguments.kind == "shapes") {
    write_meshes(generate_shapes(read_options<ShapesOptions>(given, "generate shapes")), arguments.out,
                 console);
  } else if (arguments.kind == "cube-engraving") {
    write_meshes(
        generate_cube_engraving(read_options<CubeEngravingOptions>(given, "generate cube-engraving")),
        arguments.out, console);
  } else if (arguments.kind == "fields") {
    write_fields(generate_fields(read_options<FieldSetOptions>(given, "generate fields")), arguments.out,
                 console);
  } else {
    throw ConfigError(
        fmt::format("generate: unknown kind '{}'{}", arguments.kind, suggestion(arguments.kind, kinds)));
  }
  return 0;
}

std::string generate_keys() {
  return "stress, " + key_lines(describe_options<StressOptions>()) + "graphs, " +
         key_lines(describe_options<ChordGraphOptions>()) + "shapes, " +
         key_lines(describe_options<ShapesOptions>()) + "cube-engraving, " +
         key_lines(describe_options<CubeEngravingOptions>()) + "fields, " +
         key_lines(describe_options<FieldSetOptions>());
}

}  // namespace tarn::verbs
