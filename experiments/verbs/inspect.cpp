#include "tarn/core/checkpoint.hpp"
#include "tarn/core/errors.hpp"
#include "tarn/core/h5.hpp"
#include "tarn/datasets/graphs/graph_set.hpp"
#include "tarn/datasets/graphs/graph_store.hpp"
#include "tarn/datasets/history/history_store.hpp"
#include "tarn/datasets/mesh/mesh_file.hpp"
#include "tarn/datasets/mesh/mesh_store.hpp"
#include "tarn/datasets/sphere/sky_maps.hpp"
#include "tarn/datasets/token_store_tools.hpp"
#include "tarn/experiments/config.hpp"
#include "tarn/experiments/run_record.hpp"
#include "tarn/experiments/verbs/verbs.hpp"
#include "tarn/graph/mesh/mesh_clean.hpp"
#include "tarn/graph/mesh/mesh_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace tarn::verbs {

namespace {

namespace fs = std::filesystem;

/// What was found, and what is broken.
struct Findings {
  std::string text;
  std::vector<std::string> broken;
};

void inspect_tensors(const h5::Group& group, Findings& findings) {
  Size numbers = 0;
  for (const std::string& name : group.children()) {
    const h5::Dataset data = group.dataset(name);
    const std::vector<double> values = data.read<double>();
    numbers += static_cast<Size>(values.size());
    findings.text += fmt::format("    {:<40} {}\n", name, data.shape().text());
    const auto bad = std::find_if(values.begin(), values.end(), [](double v) { return !std::isfinite(v); });
    if (bad != values.end()) {
      findings.broken.push_back(fmt::format("{}: number {} is {}; expected finite numbers", data.where(),
                                            bad - values.begin(), *bad));
    }
  }
  findings.text += fmt::format("    {} numbers\n", numbers);
}

Findings inspect_checkpoint(const fs::path& path) {
  Findings findings{fmt::format("{}: checkpoint\n  meta  {}\n", path.string(), read_checkpoint_meta(path)),
                    {}};
  const h5::File file = h5::File::open(path);
  for (const char* group : {"parameters", "optimiser"}) {
    if (!file.has(group)) continue;
    findings.text += fmt::format("  {}\n", group);
    inspect_tensors(file.group(group), findings);
  }
  return findings;
}

/// Notes what `check` throws as broken.
template <class Check>
void verify(Findings& findings, Check check) {
  try {
    check();
  } catch (const Error& error) {
    findings.broken.emplace_back(error.what());
  }
}

/// Every column of a table in results.h5 has the same length.
void verify_columns(const h5::Group& table) {
  Size rows = -1;
  for (const std::string& name : table.children()) {
    const h5::Dataset column = table.dataset(name);
    const Size own = column.shape().rank() == 1 ? column.shape()[0] : -1;
    if (rows < 0) rows = own;
    if (own < 0 || own != rows) {
      throw DataError(
          fmt::format("{}: has shape {}; expected [{}]", column.where(), column.shape().text(), rows));
    }
  }
}

void inspect_checkpoints(const fs::path& path, Findings& findings) {
  Size count = 0;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path / "checkpoints", none)) {
    if (entry.path().extension() != ".h5") continue;
    ++count;
    verify(findings, [&] {
      const Findings own = inspect_checkpoint(entry.path());
      findings.broken.insert(findings.broken.end(), own.broken.begin(), own.broken.end());
    });
  }
  findings.text += fmt::format("  checkpoints  {}\n", count);
}

Findings inspect_run(const fs::path& path) {
  Findings findings{fmt::format("{}: run directory\n", path.string()), {}};
  verify(findings, [&] {
    const Value config = read_toml(path / "config.toml");
    const Value* experiment = config.find("experiment");
    if (experiment != nullptr) findings.text += fmt::format("  experiment   {}\n", experiment->text());
  });
  verify(findings, [&] {
    const RunRecord run = read_run(path);
    findings.text += fmt::format("  trials       {}\n  epochs       {}\n", run.trials.trials.size(),
                                 run.epochs.trials.size());
    if (!run.metric.empty()) findings.text += fmt::format("  metric       {}\n", run.metric);
    for (const std::string& warning : run.warnings)
      findings.text += fmt::format("  warning      {}\n", warning);
  });
  if (fs::exists(path / "results.h5")) {
    verify(findings, [&] {
      const h5::File file = h5::File::open(path / "results.h5");
      for (const char* table : {"trials", "epochs"}) verify_columns(file.group(table));
    });
  }
  inspect_checkpoints(path, findings);
  return findings;
}

Findings inspect_mesh(const fs::path& path) {
  const PolygonSoup soup = read_mesh(path);
  const TriangleMesh mesh = triangulate(soup, path.string()).mesh;
  const MeshReport r = report_mesh(mesh);
  Findings findings{fmt::format("{}: mesh\n", path.string()), {}};
  const auto line = [&findings](std::string_view name, const auto& value) {
    findings.text += fmt::format("  {:<24}{}\n", name, value);
  };
  line("vertices", fmt::format("{} ({} distinct, {} without a face)", r.vertices, r.distinct_vertices,
                               r.unused_vertices));
  line("polygons", soup.num_polygons());
  line("triangles", r.faces);
  line("edges", r.edges);
  line("components", r.components);
  line("boundary loops", fmt::format("{} (of {} edges)", r.boundary_loops, r.boundary_edges));
  line("Euler number", r.euler_number);
  line("genus", r.genus ? fmt::format("{}", *r.genus) : "none: not closed, connected and without defects");
  line("non-manifold edges", r.nonmanifold_edges);
  line("non-manifold vertices", r.nonmanifold_vertices);
  line("degenerate faces", r.degenerate_faces);
  line("duplicate faces", r.duplicate_faces);
  line("misoriented edges", r.misoriented_edges);
  line("cleaning drops", clean_mesh(mesh).counts.text());
  return findings;
}

Findings inspect_graphs(const fs::path& path) {
  Findings findings{fmt::format("{}: graph store\n", path.string()), {}};
  verify(findings, [&] {
    const GraphRecords records = read_graph_store(path);
    findings.text += describe_graphs(records);
    const GraphSet set = GraphSet::make(records, {.use_node_attributes = true});
    findings.text += fmt::format("  merged      {} edges\n", set.num_edges());
    for (const std::string& warning : set.findings().warnings)
      findings.text += fmt::format("  warning     {}\n", warning);
  });
  return findings;
}

Findings inspect_meshes(const fs::path& path) {
  Findings findings{fmt::format("{}: mesh store\n", path.string()), {}};
  verify(findings, [&] {
    const MeshSet set = read_mesh_store(path);
    findings.text += describe_mesh_set(set);
    const h5::File file = h5::File::open(path);
    if (!file.has("graphs")) return;
    for (const std::string& key : file.group("graphs").children())
      findings.text += fmt::format("  graphs         {}\n", key);
  });
  return findings;
}

template <class Read>
Findings inspect_maps(const fs::path& path, const char* what, Read read) {
  Findings findings{fmt::format("{}: {}\n", path.string(), what), {}};
  verify(findings, [&] { findings.text += describe_sky_maps(read(path)); });
  return findings;
}

Findings inspect_history(const fs::path& path) {
  Findings findings{fmt::format("{}: layer history\n", path.string()), {}};
  verify(findings, [&] {
    const HistoryStore store = HistoryStore::open(path, 0);
    const HistoryInfo& info = store.info();
    findings.text += fmt::format("  source      {}\n  graphs      {}\n  nodes       {}\n  widths      [{}]\n",
                                 info.source, info.graphs, info.nodes, fmt::join(info.widths, ", "));
    for (Size g = 0; g < info.graphs; ++g) static_cast<void>(store.read({&g, 1}));
  });
  return findings;
}

Findings inspect_file(const fs::path& path, Size rows) {
  if (mesh_format_of(path)) return inspect_mesh(path);
  if (is_fits_file(path)) return inspect_maps(path, "FITS file", read_fits_maps);
  const h5::File file = h5::File::open(path);
  const std::string format = h5::format_of(file);
  if (format == "tarn-checkpoint") return inspect_checkpoint(path);
  if (format == "tarn-graph-store") return inspect_graphs(path);
  if (format == "tarn-mesh-store") return inspect_meshes(path);
  if (format == "tarn-sky-store") return inspect_maps(path, "store of maps", read_sky_store);
  if (format == history_format) return inspect_history(path);
  if (format != "tarn-token-store") {
    throw DataError(
        fmt::format("{}: has format '{}'; expected a token store, a graph store, a mesh store, a store "
                    "of maps, a layer history, a checkpoint, a mesh, a FITS file or a run directory",
                    path.string(), format));
  }
  StoreReport report = inspect_store(path, rows);
  return {std::move(report.text), std::move(report.violations)};
}

}  // namespace

int inspect(const InspectArguments& arguments, Console& console) {
  const fs::path path = arguments.path;
  const Findings findings = fs::is_directory(path) ? inspect_run(path) : inspect_file(path, arguments.rows);
  console.result(findings.text);
  for (const std::string& line : findings.broken) console.result("broken: " + line);
  return findings.broken.empty() ? 0 : 1;
}

}  // namespace tarn::verbs
