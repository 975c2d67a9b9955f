#include "tarn/core/errors.hpp"
#include "tarn/datasets/mesh/mesh_file.hpp"
#include "tarn/datasets/mesh/mesh_folder.hpp"
#include "tarn/datasets/mesh/text_lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <set>

namespace tarn::detail {

namespace {

using Fields = std::vector<std::string>;

Fields split_at(std::string_view text, char separator) {
  Fields parts;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find(separator, begin)) != text.npos; begin = end + 1) {
    parts.emplace_back(text.substr(begin, end - begin));
  }
  parts.emplace_back(text.substr(begin));
  return parts;
}

bool is_mesh_file(const std::string& path) {
  return mesh_format_of(path).has_value();
}

std::string stem_of(const std::string& path) {
  return std::filesystem::path(path).stem().string();
}

/// f(lines, fields) for the rows of a table after its header, which must name `columns` fields.
template <class F>
void for_rows(const MeshFiles& files, const std::string& path, std::size_t columns, F f) {
  const std::string text = files.read(path), where = files.where(path);
  TextLines lines(text, where);
  for (bool header = true; lines.next(); header = false) {
    if (lines.line().empty()) continue;
    const Fields fields = split_at(lines.line(), ',');
    if (fields.size() < columns) lines.fail(fmt::format("{} fields; expected {}", fields.size(), columns));
    if (!header) f(lines, fields);
  }
}

/// Numbers of names in order of first sight.
Size number_of(std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return found - names.begin();
  names.push_back(name);
  return static_cast<Size>(names.size()) - 1;
}

// === An index with tables

void read_parts(const MeshFiles& files, MeshListing& listing) {
  listing.part_names.resize(listing.class_names.size());
  if (!files.has("parts.csv")) return;
  for_rows(files, "parts.csv", 3, [&](const TextLines& lines, const Fields& fields) {
    const auto known = std::find(listing.class_names.begin(), listing.class_names.end(), fields[0]);
    if (known == listing.class_names.end())
      lines.fail(fmt::format("class {} is not in index.csv; expected one that is", shown(fields[0])));
    auto& names = listing.part_names[static_cast<std::size_t>(known - listing.class_names.begin())];
    const Size part = lines.whole(fields[1], "the number of a part");
    if (part < 0 || part > 9999) lines.fail(fmt::format("part {}; expected a number from 0 to 9999", part));
    names.resize(std::max(names.size(), static_cast<std::size_t>(part) + 1));
    names[static_cast<std::size_t>(part)] = fields[2];
  });
}

std::vector<Size> read_split_list(const MeshFiles& files, const std::string& path,
                                  const std::map<std::string, Size>& numbers) {
  const std::string text = files.read(path), where = files.where(path);
  std::vector<Size> list;
  TextLines lines(text, where);
  while (lines.next()) {
    const std::string name(Words(lines.line()).next());
    if (name.empty()) continue;
    const auto found = numbers.find(name);
    if (found == numbers.end())
      lines.fail(fmt::format("no mesh {}; expected CLASS/ID of one in index.csv", shown(name)));
    list.push_back(found->second);
  }
  return list;
}

/// splits/NAME_train.txt is a split of one fold, splits/NAME_K_train.txt one of several.
void read_splits(const MeshFiles& files, MeshListing& listing) {
  std::map<std::string, Size> numbers;
  for (const MeshEntry& entry : listing.entries)
    numbers.emplace(entry.name, static_cast<Size>(numbers.size()));
  static const std::regex pattern("splits/(.+?)(?:_([0-9]{1,3}))?_(train|test)\\.txt");
  std::map<std::string, std::map<int, Fold>> splits;
  for (const std::string& path : files.paths()) {
    std::smatch match;
    if (!std::regex_match(path, match, pattern)) continue;
    Fold& fold = splits[match[1]][match[2].matched ? std::stoi(match[2]) : 1];
    (match[3] == "train" ? fold.train : fold.test) = read_split_list(files, path, numbers);
  }
  for (const auto& [name, folds] : splits) {
    SplitLists split{.name = name, .about = "lists that came with the set", .folds = {}};
    for (const auto& [number, fold] : folds) split.folds.push_back(fold);
    listing.splits.push_back(std::move(split));
  }
}

MeshListing list_by_index(const MeshFiles& files) {
  MeshListing listing;
  for_rows(files, "index.csv", 3, [&](const TextLines& lines, const Fields& fields) {
    const std::string name = fields[1] + "/" + fields[2], file = name + ".off";
    if (!files.has(file))
      lines.fail(fmt::format("there is no file {}; expected the mesh of this line", shown(file)));
    const Size label = number_of(listing.class_names, fields[1]);
    const std::string seg = name + ".seg";
    listing.entries.push_back({name, file, label, files.has(seg) ? seg : "", ""});
  });
  read_parts(files, listing);
  read_splits(files, listing);
  return listing;
}

// === Folders that say everything by their names

/// The two lists of a split from folders called train and test.
class TrainTestSplit {
 public:
  void add(const std::string& folder, Size mesh) {
    (folder == "train" ? fold_.train : fold_.test).push_back(mesh);
  }
  void add_to(MeshListing& listing) const {
    if (fold_.train.empty() && fold_.test.empty()) return;
    listing.splits.push_back({.name = "folders", .about = "the folders train and test", .folds = {fold_}});
  }

 private:
  Fold fold_;
};

bool is_split_folder(const std::string& folder) {
  return folder == "train" || folder == "test";
}

/// The smallest number in classes.txt, 1 without the file.
Size first_part(const MeshFiles& files) {
  if (!files.has("classes.txt")) return 1;
  const std::vector<Size> numbers = read_label_lines(files.read("classes.txt"), files.where("classes.txt"));
  return numbers.empty() ? 1 : *std::min_element(numbers.begin(), numbers.end());
}

MeshListing list_for_segmentation(const MeshFiles& files) {
  MeshListing listing;
  listing.class_names = {"all"};
  listing.first_part = first_part(files);
  TrainTestSplit split;
  for (const std::string& path : files.paths()) {
    const Fields parts = split_at(path, '/');
    if (parts.size() != 2 || !is_split_folder(parts[0]) || !is_mesh_file(path)) continue;
    const std::string name = stem_of(path), hard = "seg/" + name + ".eseg", soft = "sseg/" + name + ".seseg";
    split.add(parts[0], static_cast<Size>(listing.entries.size()));
    listing.entries.push_back(
        {parts[0] + "/" + name, path, 0, files.has(hard) ? hard : "", files.has(soft) ? soft : ""});
  }
  split.add_to(listing);
  return listing;
}

MeshListing list_by_class(const MeshFiles& files) {
  MeshListing listing;
  TrainTestSplit split;
  for (const std::string& path : files.paths()) {
    const Fields parts = split_at(path, '/');
    const bool with_split = parts.size() == 3 && is_split_folder(parts[1]);
    if ((parts.size() != 2 && !with_split) || !is_mesh_file(path)) continue;
    if (with_split) split.add(parts[1], static_cast<Size>(listing.entries.size()));
    const std::string name = path.substr(0, path.rfind('.'));
    listing.entries.push_back({name, path, number_of(listing.class_names, parts[0]), "", ""});
  }
  split.add_to(listing);
  return listing;
}

bool has_split_folders(const MeshFiles& files) {
  return std::any_of(files.paths().begin(), files.paths().end(), [](const std::string& path) {
    const Fields parts = split_at(path, '/');
    return parts.size() == 2 && is_split_folder(parts[0]) && is_mesh_file(path);
  });
}

}  // namespace

MeshFiles::MeshFiles(const FileCollection& files) : files_(files), paths_(files.paths()) {
  // An archive often holds one folder with everything in it.
  const std::size_t slash = paths_.empty() ? std::string::npos : paths_.front().find('/');
  const std::string folder = slash == std::string::npos ? "" : paths_.front().substr(0, slash + 1);
  const bool shared =
      !folder.empty() && !is_split_folder(folder.substr(0, folder.size() - 1)) &&
      std::all_of(paths_.begin(), paths_.end(), [&](const std::string& p) { return p.starts_with(folder); });
  // A folder whose files lie right in it is a class, not a wrapping.
  const bool wraps = shared && std::none_of(paths_.begin(), paths_.end(), [&](const std::string& p) {
                       return is_mesh_file(p) && p.find('/', folder.size()) == std::string::npos;
                     });
  if (!wraps) return;
  prefix_ = folder;
  for (std::string& path : paths_) path.erase(0, folder.size());
}

bool MeshFiles::has(const std::string& path) const {
  return std::binary_search(paths_.begin(), paths_.end(), path);
}

MeshListing list_meshes(const MeshFiles& files) {
  MeshListing listing = files.has("index.csv")     ? list_by_index(files)
                        : has_split_folders(files) ? list_for_segmentation(files)
                                                   : list_by_class(files);
  if (listing.entries.empty()) {
    throw DataError(
        fmt::format("{}: holds no meshes; expected index.csv, folders train and test, or a folder per class, "
                    "with .obj, .off, .ply or .stl files",
                    files.where("")));
  }
  listing.part_names.resize(listing.class_names.size());
  return listing;
}

}  // namespace tarn::detail
