#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tarn {

/// Base of every error a user can meet. The message is one line: where: what was given; what was expected.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  /// Exit code of the program when this error ends it: 1 the run failed, 2 wrong usage or configuration.
  [[nodiscard]] virtual int exit_code() const noexcept { return 1; }
};

/// Shapes or offsets that do not fit together.
class ShapeError final : public Error {
 public:
  using Error::Error;
};

/// An argument or option outside its range.
class ValueError final : public Error {
 public:
  using Error::Error;
  [[nodiscard]] int exit_code() const noexcept override { return 2; }
};

/// A configuration file, key or command line that cannot be used; names file, line and column where there are
/// any.
class ConfigError final : public Error {
 public:
  using Error::Error;
  [[nodiscard]] int exit_code() const noexcept override { return 2; }
};

/// The contents of a data file break its format.
class DataError final : public Error {
 public:
  using Error::Error;
};

/// The operating system refused: missing file, no space, no permission.
class IoError final : public Error {
 public:
  using Error::Error;
};

/// Work stopped by the user after everything was saved; the program exits 130.
class Interrupted final : public Error {
 public:
  using Error::Error;
  [[nodiscard]] int exit_code() const noexcept override { return 130; }
};

/// The known name nearest to `given` by edit distance, or "" if none is near enough to suggest.
[[nodiscard]] std::string nearest_name(std::string_view given, std::span<const std::string> known);

/// "; did you mean 'x'? (known: a, b, c)" for an unknown name, "; known: a, b, c" where none is near.
[[nodiscard]] std::string suggestion(std::string_view given, std::span<const std::string> known);

}  // namespace tarn
