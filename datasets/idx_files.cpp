#include "tarn/datasets/idx_files.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/datasets/graphs/file_collection.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>

namespace tarn {

namespace {

namespace fs = std::filesystem;

constexpr unsigned unsigned_bytes = 0x08;

unsigned byte_at(const std::string& text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

bool is_packed(const std::string& text) {
  return text.size() >= 2 && byte_at(text, 0) == 0x1f && byte_at(text, 1) == 0x8b;
}

Size word_at(const std::string& text, std::size_t i) {
  Size word = 0;
  for (std::size_t k = 0; k < 4; ++k) word = word << 8 | static_cast<Size>(byte_at(text, i + k));
  return word;
}

/// The file as it is or with .gz behind its name.
fs::path find_file(const fs::path& folder, const std::string& name) {
  for (const fs::path& candidate : {folder / (name + ".gz"), folder / name}) {
    if (fs::is_regular_file(candidate)) return candidate;
  }
  throw IoError(fmt::format("{}: no file {} there; expected it, with or without .gz", folder.string(), name));
}

void require_rank(const IdxBytes& bytes, std::size_t rank, const fs::path& path, const char* what) {
  if (bytes.shape.size() == rank) return;
  throw DataError(fmt::format("{}: holds {} dimensions; expected {} for {}", path.string(),
                              bytes.shape.size(), rank, what));
}

}  // namespace

IdxBytes read_idx(const fs::path& path) {
  std::string text = read_file(path);
  if (is_packed(text)) text = detail::gunzip(text, path.string());
  if (text.size() < 4 || byte_at(text, 0) != 0 || byte_at(text, 1) != 0) {
    throw DataError(
        fmt::format("{}: does not begin as an IDX file does; expected two zero bytes, a type and "
                    "a rank",
                    path.string()));
  }
  if (byte_at(text, 2) != unsigned_bytes) {
    throw DataError(fmt::format("{}: numbers of type 0x{:02x}; expected unsigned bytes, 0x08", path.string(),
                                byte_at(text, 2)));
  }
  const std::size_t rank = byte_at(text, 3), header = 4 + 4 * rank;
  if (rank == 0 || text.size() < header) {
    throw DataError(
        fmt::format("{}: {} bytes for a header of rank {}; expected a rank of at least 1 and a "
                    "word for each dimension",
                    path.string(), text.size(), rank));
  }
  IdxBytes result;
  const auto given = static_cast<Size>(text.size() - header);
  Size count = 1;
  for (std::size_t d = 0; d < rank; ++d) {
    result.shape.push_back(word_at(text, 4 + 4 * d));
    // Extents beyond the file need not be multiplied out, which might overflow.
    const Size extent = result.shape.back();
    count = extent == 0 ? 0 : count > given ? count : count * extent;
  }
  if (count != given) {
    throw DataError(fmt::format("{}: {} bytes behind the header; expected as many as [{}] says",
                                path.string(), given, fmt::join(result.shape, ", ")));
  }
  result.values.assign(text.begin() + static_cast<std::ptrdiff_t>(header), text.end());
  return result;
}

LabelledImages read_labelled_images(const fs::path& folder, const std::string& part) {
  const fs::path image_file = find_file(folder, part + "-images-idx3-ubyte"),
                 label_file = find_file(folder, part + "-labels-idx1-ubyte");
  IdxBytes images = read_idx(image_file), labels = read_idx(label_file);
  require_rank(images, 3, image_file, "images");
  require_rank(labels, 1, label_file, "labels");
  if (images.shape[0] != labels.shape[0]) {
    throw DataError(fmt::format("{}: {} images with {} labels; expected a label for each", folder.string(),
                                images.shape[0], labels.shape[0]));
  }
  return {images.shape[1], images.shape[2], std::move(images.values), std::move(labels.values)};
}

}  // namespace tarn
