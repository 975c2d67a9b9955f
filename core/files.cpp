#include "tarn/core/files.hpp"

#include "tarn/core/errors.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace tarn {

namespace fs = std::filesystem;

namespace {

/// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  /// Some file systems report a failed write only here.
  [[nodiscard]] bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

void write_all(const fs::path& temporary, std::string_view text, const fs::path& path) {
  Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.get() < 0) throw_write_error(path, system_message());
  while (!text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_write_error(path, system_message());
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (!file.close()) throw_write_error(path, system_message());
}

}  // namespace

std::string system_message() {
  return system_message(errno);
}

std::string system_message(int error_number) {
  return std::generic_category().message(error_number);
}

void throw_write_error(const fs::path& path, std::string_view message) {
  throw IoError(
      fmt::format("{}: cannot be written: {}; expected a writable folder with room", path.string(), message));
}

std::string read_file(const fs::path& path) {
  const auto fail = [&path]() {
    throw IoError(
        fmt::format("{}: cannot be read: {}; expected a readable file", path.string(), system_message()));
  };
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) fail();
  std::string text;
  std::string block(std::size_t{1} << 16, '\0');
  for (;;) {
    const ssize_t got = ::read(file.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail();
    if (got == 0) return text;
    text.append(block, 0, static_cast<std::size_t>(got));
  }
}

fs::path temporary_path(const fs::path& path) {
  return fs::path(path.string() + ".part");
}

void commit_file(const fs::path& temporary, const fs::path& path) {
  const Descriptor file(::open(temporary.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0 || ::fsync(file.get()) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
    throw_write_error(path, system_message());
  }
  // The rename itself lies in the folder; a file system that cannot flush folders says so, which is no
  // failure.
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const Descriptor parent(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.get() >= 0) ::fsync(parent.get());
}

void replace_file(const fs::path& path, FunctionRef<void(const fs::path&)> write) {
  const fs::path temporary = temporary_path(path);
  try {
    write(temporary);
    commit_file(temporary, path);
  } catch (...) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
}

void write_file_atomically(const fs::path& path, std::string_view text) {
  replace_file(path, [&](const fs::path& temporary) { write_all(temporary, text, path); });
}

}  // namespace tarn
