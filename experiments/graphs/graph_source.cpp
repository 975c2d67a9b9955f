#include "tarn/experiments/graphs/graph_source.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/datasets/graphs/graph_store.hpp"
#include "tarn/datasets/graphs/ogb_files.hpp"
#include "tarn/datasets/graphs/tu_files.hpp"
#include "tarn/experiments/graphs/splits.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>

namespace tarn {

namespace {

namespace fs = std::filesystem;

fs::path without_trailing_slash(const fs::path& path) {
  const fs::path plain = fs::absolute(path).lexically_normal();
  return plain.has_filename() ? plain : plain.parent_path();
}

}  // namespace

fs::path splits_beside(const fs::path& path) {
  const fs::path set = without_trailing_slash(path);
  const std::string name = set.extension() == ".zip" ? set.stem().string() : set.filename().string();
  return set.parent_path() / (name + "-splits.json");
}

GraphRecords read_graphs(const fs::path& path) {
  if (is_graph_store(path)) return read_graph_store(path);
  if (is_ogb_folder(path)) return read_ogb(path);
  GraphRecords records = read_tu(path);
  if (const fs::path file = splits_beside(path); fs::exists(file)) {
    records.splits = read_split_json(file, records.num_graphs());
  }
  return records;
}

fs::path find_tu_set(const std::string& name, const std::string& root) {
  std::vector<fs::path> folders;
  const char* const variable = std::getenv("TARN_DATA");
  if (!root.empty()) {
    folders.emplace_back(root);
  } else {
    if (variable != nullptr && *variable != '\0') folders.emplace_back(variable);
    folders.push_back(fs::path("..") / "shared" / "data" / "tu");
  }
  std::vector<std::string> looked;
  for (const fs::path& folder : folders) {
    for (const fs::path& candidate : {folder / (name + ".zip"), folder / name}) {
      if (fs::exists(candidate)) return candidate;
    }
    looked.push_back(folder.string());
  }
  throw IoError(
      fmt::format("{0}: not in {1}; expected {0}.zip or a folder {0} there (it can be had from "
                  "https://www.chrsmrrs.com/graphkerneldatasets/{0}.zip; data.root=DIR or TARN_DATA "
                  "names its folder, data.path=FILE the set itself)",
                  name, fmt::join(looked, ", ")));
}

}  // namespace tarn
