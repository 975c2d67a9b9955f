#include "tarn/datasets/graphs/file_collection.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"

#include <fmt/format.h>
#include <zip.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>

namespace tarn::detail {

namespace fs = std::filesystem;

class FileCollection::Source {
 public:
  virtual ~Source() = default;
  [[nodiscard]] virtual bool has(const std::string& file) const = 0;
  [[nodiscard]] virtual std::vector<std::string> names(const std::string& folder) const = 0;
  [[nodiscard]] virtual std::vector<std::string> paths() const = 0;
  [[nodiscard]] virtual std::string read(const std::string& file) const = 0;
};

class FileCollection::Folder final : public Source {
 public:
  explicit Folder(fs::path path) : path_(std::move(path)) {}

  bool has(const std::string& file) const override { return fs::is_regular_file(path_ / file); }

  std::vector<std::string> names(const std::string& folder) const override {
    std::vector<std::string> result;
    std::error_code none;
    for (const fs::directory_entry& entry : fs::directory_iterator(path_ / folder, none)) {
      if (entry.is_regular_file(none)) result.push_back(entry.path().filename().string());
    }
    std::sort(result.begin(), result.end());
    return result;
  }

  std::vector<std::string> paths() const override {
    std::vector<std::string> result;
    std::error_code none;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path_, none)) {
      if (entry.is_regular_file(none))
        result.push_back(entry.path().lexically_relative(path_).generic_string());
    }
    std::sort(result.begin(), result.end());
    return result;
  }

  std::string read(const std::string& file) const override { return read_file(path_ / file); }

 private:
  fs::path path_;
};

/// libzip's archives serve one thread at a time.
class FileCollection::Zip final : public Source {
 public:
  explicit Zip(const fs::path& path) : path_(path) {
    int code = 0;
    archive_.reset(zip_open(path.c_str(), ZIP_RDONLY, &code));
    if (!archive_) {
      zip_error_t error;
      zip_error_init_with_code(&error, code);
      const std::string message = zip_error_strerror(&error);
      zip_error_fini(&error);
      throw DataError(fmt::format("{}: {}; expected a folder or a zip archive", path.string(), message));
    }
    const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
    for (zip_int64_t i = 0; i < count; ++i) {
      const char* name = zip_get_name(archive_.get(), static_cast<zip_uint64_t>(i), 0);
      if (name != nullptr && *name != '\0') entries_.emplace(name, static_cast<zip_uint64_t>(i));
    }
  }

  bool has(const std::string& file) const override { return entries_.count(file) != 0; }

  std::vector<std::string> names(const std::string& folder) const override {
    const std::string prefix = folder.empty() ? "" : folder + "/";
    std::vector<std::string> result;
    for (const auto& entry : entries_) {
      const std::string& name = entry.first;
      if (name.starts_with(prefix) && name.find('/', prefix.size()) == std::string::npos) {
        result.push_back(name.substr(prefix.size()));
      }
    }
    return result;
  }

  std::vector<std::string> paths() const override {
    std::vector<std::string> result;
    for (const auto& entry : entries_) {
      if (!entry.first.ends_with('/')) result.push_back(entry.first);
    }
    return result;
  }

  std::string read(const std::string& file) const override {
    const auto entry = entries_.find(file);
    if (entry == entries_.end()) fail(file, "is not in the archive");
    const std::scoped_lock lock(mutex_);
    zip_stat_t about;
    if (zip_stat_index(archive_.get(), entry->second, 0, &about) != 0) fail(file, message());
    // Deflate packs at most a thousandfold: a larger claim is damage, and no reason to reserve memory.
    if (about.size / 1100 > about.comp_size + 1) fail(file, "claims an impossible size");
    std::string text(static_cast<std::size_t>(about.size), '\0');
    const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> open(
        zip_fopen_index(archive_.get(), entry->second, 0), zip_fclose);
    if (!open) fail(file, message());
    std::size_t done = 0;
    while (done < text.size()) {
      const zip_int64_t got = zip_fread(open.get(), text.data() + done, text.size() - done);
      if (got <= 0) fail(file, got == 0 ? "ends early" : zip_file_strerror(open.get()));
      done += static_cast<std::size_t>(got);
    }
    return text;
  }

 private:
  struct Discard {
    void operator()(zip_t* archive) const { zip_discard(archive); }
  };
  [[nodiscard]] std::string message() const { return zip_strerror(archive_.get()); }
  [[noreturn]] void fail(const std::string& file, const std::string& what) const {
    throw DataError(
        fmt::format("{}:{}: {}; expected a file that can be unpacked", path_.string(), file, what));
  }

  fs::path path_;
  std::unique_ptr<zip_t, Discard> archive_;
  std::map<std::string, zip_uint64_t> entries_;
  mutable std::mutex mutex_;
};

FileCollection::FileCollection(fs::path path, std::unique_ptr<Source> source)
    : path_(std::move(path)), source_(std::move(source)) {
  fs::path last = fs::absolute(path_).lexically_normal();
  if (!last.has_filename()) last = last.parent_path();
  name_ = last.extension() == ".zip" ? last.stem().string() : last.filename().string();
}

FileCollection::FileCollection(FileCollection&&) noexcept = default;
FileCollection& FileCollection::operator=(FileCollection&&) noexcept = default;
FileCollection::~FileCollection() = default;

FileCollection FileCollection::open(const fs::path& path) {
  if (fs::is_directory(path)) return {path, std::make_unique<Folder>(path)};
  if (!fs::exists(path)) {
    throw IoError(
        fmt::format("{}: no such file or folder; expected a folder or a zip archive", path.string()));
  }
  return {path, std::make_unique<Zip>(path)};
}

bool FileCollection::has(const std::string& file) const {
  return source_->has(file);
}

std::vector<std::string> FileCollection::names(const std::string& folder) const {
  return source_->names(folder);
}

std::vector<std::string> FileCollection::paths() const {
  return source_->paths();
}

std::string FileCollection::read(const std::string& file) const {
  return source_->read(file);
}

std::string FileCollection::read_plain(const std::string& file) const {
  std::string bytes = read(file);
  return file.ends_with(".gz") ? gunzip(bytes, where(file)) : bytes;
}

std::string FileCollection::where(const std::string& file) const {
  return path_.extension() == ".zip" ? fmt::format("{}:{}", path_.string(), file) : (path_ / file).string();
}

std::string gunzip(std::string_view packed, const std::string& where) {
  constexpr std::size_t step = std::size_t{1} << 20;
  if (packed.size() > std::numeric_limits<uInt>::max()) {
    throw DataError(fmt::format("{}: has {} bytes; expected less than 4 GiB", where, packed.size()));
  }
  z_stream stream{};
  // 15 bits of window; 16 more ask for gzip's frame.
  if (inflateInit2(&stream, 15 + 16) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, int (*)(z_stream*)> open(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string text;
  int state = Z_OK;
  while (state != Z_STREAM_END) {
    const std::size_t done = text.size();
    text.resize(done + step);
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + done);
    stream.avail_out = static_cast<uInt>(step);
    state = inflate(&stream, Z_NO_FLUSH);
    text.resize(done + step - stream.avail_out);
    if (state == Z_STREAM_END && stream.avail_in > 0)
      state = inflateReset(&stream);  // another member follows
    const bool stuck =
        state == Z_BUF_ERROR || (state == Z_OK && stream.avail_in == 0 && stream.avail_out > 0);
    if ((state != Z_OK && state != Z_STREAM_END) || stuck) {
      throw DataError(fmt::format("{}: {}; expected gzip data", where,
                                  stuck                   ? "ends early"
                                  : stream.msg != nullptr ? stream.msg
                                                          : "is damaged"));
    }
  }
  return text;
}

}  // namespace tarn::detail
