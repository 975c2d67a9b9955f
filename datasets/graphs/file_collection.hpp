#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::detail {

/// The files of a data set by their paths inside it, "raw/edge.csv.gz": a folder, or a zip archive whose
/// files are read in place.
class FileCollection {
 public:
  /// Throws IoError if there is nothing at `path`, DataError if it is neither a folder nor a zip archive.
  [[nodiscard]] static FileCollection open(const std::filesystem::path& path);
  FileCollection(FileCollection&&) noexcept;
  FileCollection& operator=(FileCollection&&) noexcept;
  ~FileCollection();

  /// Last part of the path, without ".zip".
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool has(const std::string& file) const;
  /// Names of the files directly inside a folder of the collection, in order; "" is the collection itself.
  [[nodiscard]] std::vector<std::string> names(const std::string& folder) const;
  /// All files, at any depth, by their paths in order.
  [[nodiscard]] std::vector<std::string> paths() const;
  /// The whole file. Throws IoError, or DataError for a damaged archive.
  [[nodiscard]] std::string read(const std::string& file) const;
  /// The whole file, uncompressed where its name ends in ".gz". Throws DataError for damaged data.
  [[nodiscard]] std::string read_plain(const std::string& file) const;
  /// How messages call a file.
  [[nodiscard]] std::string where(const std::string& file) const;

 private:
  class Source;
  class Folder;
  class Zip;
  FileCollection(std::filesystem::path path, std::unique_ptr<Source> source);

  std::filesystem::path path_;
  std::string name_;
  std::unique_ptr<Source> source_;
};

/// What gzip packed. Throws DataError, naming `where`.
[[nodiscard]] std::string gunzip(std::string_view packed, const std::string& where);

}  // namespace tarn::detail
