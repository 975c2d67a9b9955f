#include "tarn/experiments/run_pictures.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/experiments/json.hpp"
#include "tarn/experiments/plot/image.hpp"
#include "tarn/experiments/table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

namespace {

namespace fs = std::filesystem;

const std::string& text_of(const Value& entry, const char* key, const std::string& where) {
  const Value* value = entry.find(key);
  if (value == nullptr || value->string() == nullptr) {
    throw DataError(fmt::format("{}: '{}' is {}; expected text", where, key,
                                value == nullptr ? "missing" : value->text()));
  }
  return *value->string();
}

RunPicture picture_of(const Value& entry, const std::string& where) {
  RunPicture picture{text_of(entry, "file", where), text_of(entry, "caption", where), {}};
  if (fs::path(picture.file).filename() != picture.file)
    throw DataError(fmt::format("{}: 'file' is {}; expected a name without folder", where, picture.file));
  const Value* columns = entry.find("columns");
  if (columns == nullptr || columns->list() == nullptr)
    throw DataError(fmt::format("{}: 'columns' is no list; expected titles", where));
  for (const Value& title : *columns->list())
    picture.columns.push_back(title.string() ? *title.string() : "");
  return picture;
}

}  // namespace

void write_picture_list(const fs::path& folder, const std::string& trial,
                        const std::vector<RunPicture>& pictures) {
  Value::List list;
  for (const RunPicture& picture : pictures) {
    Value entry;
    entry.set("file", picture.file);
    entry.set("caption", picture.caption);
    entry.set("columns", Value::List(picture.columns.begin(), picture.columns.end()));
    list.push_back(std::move(entry));
  }
  write_file_atomically(folder / (trial + ".json"), to_json(Value(std::move(list))) + "\n");
}

std::vector<RunPicture> read_pictures(const fs::path& run) {
  std::vector<fs::path> lists;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(run / "pictures", none)) {
    if (entry.path().extension() == ".json") lists.push_back(entry.path());
  }
  std::sort(lists.begin(), lists.end());
  std::vector<RunPicture> pictures;
  for (const fs::path& path : lists) {
    const Value list = parse_json(read_file(path), path.string());
    if (list.list() == nullptr) throw DataError(path.string() + ": not a list; expected pictures");
    for (const Value& entry : *list.list()) pictures.push_back(picture_of(entry, path.string()));
  }
  return pictures;
}

std::string picture_svg(const fs::path& run, const RunPicture& picture) {
  const fs::path path = run / "pictures" / picture.file;
  std::string bytes = read_file(path);
  if (path.extension() == ".svg") return bytes;
  const plot::ImageSize size = plot::png_size(bytes, path.string());
  constexpr Size head = 26;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"Helvetica, Arial, sans-serif\" font-size=\"14\">\n",
      size.width, size.height + head);
  const double width =
      static_cast<double>(size.width) / static_cast<double>(std::max<std::size_t>(picture.columns.size(), 1));
  for (std::size_t i = 0; i < picture.columns.size(); ++i) {
    svg += fmt::format("<text x=\"{:.1f}\" y=\"18\" text-anchor=\"middle\">{}</text>\n",
                       (static_cast<double>(i) + 0.5) * width, escape_markup(picture.columns[i]));
  }
  return svg + fmt::format(
                   "<image x=\"0\" y=\"{}\" width=\"{}\" height=\"{}\" "
                   "href=\"data:image/png;base64,{}\"/>\n</svg>\n",
                   head, size.width, size.height, plot::base64(bytes));
}

}  // namespace tarn
