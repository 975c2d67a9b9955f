#pragma once

#include "tarn/core/h5.hpp"

#include <hdf5.h>

#include <mutex>
#include <string>
#include <vector>

/// What the HDF5 sources share; nobody else includes this.
namespace tarn::h5::detail {

static_assert(std::is_same_v<hid_t, Handle::Id>);

/// Held during every call into HDF5: one thread at a time, no messages printed.
class Session {
 public:
  Session();

 private:
  std::unique_lock<std::recursive_mutex> lock_;
};

/// What HDF5 says about the call that just failed.
struct Failure {
  std::string message;  ///< innermost message of the error stack
  std::string system;   ///< the system's part of it ("No space left on device"); empty if it has none
  /// The system's part if there is one.
  [[nodiscard]] const std::string& text() const { return system.empty() ? message : system; }
};
[[nodiscard]] Failure last_failure();

/// Throws for a failed call: IoError if the system refused, DataError otherwise.
/// "WHERE: cannot be DONE: MESSAGE; expected EXPECTED".
[[noreturn]] void fail(const std::string& where, std::string_view done, std::string_view expected);

/// `result` unless it is negative.
template <class R>
R check(R result, const std::string& where, std::string_view done,
        std::string_view expected = "a HDF5 file with room to write or intact to read") {
  if (result < 0) fail(where, done, expected);
  return result;
}

/// Memory type of an element.
[[nodiscard]] Handle memory_type(Type type);
/// What a stored type is, by class and width.
[[nodiscard]] Type classify(hid_t type);
/// UTF-8 of variable length.
[[nodiscard]] Handle text_type();
[[nodiscard]] Handle space_of(const Shape& shape);
/// Shape of a dataspace; a null space has no elements.
[[nodiscard]] Shape shape_of(hid_t space, const std::string& where);

/// Reads `count` strings of stored type `stored`: calls read(memory type, buffer).
[[nodiscard]] std::vector<std::string> read_strings(hid_t stored, hid_t memory_space, Size count,
                                                    FunctionRef<herr_t(hid_t, void*)> read,
                                                    const std::string& where);
/// The pointers HDF5 wants for strings of variable length.
[[nodiscard]] std::vector<const char*> string_pointers(std::span<const std::string> values);

}  // namespace tarn::h5::detail
