#pragma once

#include "tarn/core/parallel.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace tarn {

/// "No such file or directory" for the current errno.
[[nodiscard]] std::string system_message();
/// The same for a given error number.
[[nodiscard]] std::string system_message(int error_number);

/// The whole file as bytes. Throws IoError, naming path and system message.
[[nodiscard]] std::string read_file(const std::filesystem::path& path);

/// Replaces a file by `text` so that a reader sees the old file or the new one and nothing between, also
/// after a crash: written beside it as PATH.part, flushed to the disk, renamed. Throws IoError with path and
/// system message; then the old file is unchanged and nothing else stays behind.
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

/// The same for any writer: calls write(temporary path), then `commit_file`. Whatever write throws passes
/// through after the temporary file is removed.
void replace_file(const std::filesystem::path& path,
                  FunctionRef<void(const std::filesystem::path& temporary)> write);

/// Where `replace_file` writes first: PATH.part, in the same folder.
[[nodiscard]] std::filesystem::path temporary_path(const std::filesystem::path& path);

/// Flushes a finished temporary file to the disk and renames it to `path`. Throws IoError.
void commit_file(const std::filesystem::path& temporary, const std::filesystem::path& path);

/// An error for a write that the system refused: "PATH: cannot be written: MESSAGE; ...".
[[noreturn]] void throw_write_error(const std::filesystem::path& path, std::string_view message);

}  // namespace tarn
