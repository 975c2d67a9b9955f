#pragma once

#include <memory>
#include <string>

namespace tarn {

/// The file that `--log FILE` names: each line with its time. Without a file nothing is kept. Any
/// thread may write.
class Log {
 public:
  Log();
  /// Appends to the file. Throws IoError if it cannot be opened.
  explicit Log(const std::string& path);
  ~Log();
  Log(Log&&) noexcept;
  Log& operator=(Log&&) noexcept;

  void info(const std::string& text);
  void warning(const std::string& text);
  void error(const std::string& text);

 private:
  void write(int level, const std::string& text);
  struct Sink;
  std::unique_ptr<Sink> sink_;
};

}  // namespace tarn
