#include "tarn/core/h5_detail.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace tarn::h5::detail {

namespace {

std::recursive_mutex& library_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

/// "..., error message = 'No space left on device', ..." -> "No space left on device".
std::string system_part(const std::string& message) {
  constexpr std::string_view key = "error message = '";
  const auto begin = message.find(key);
  if (begin == std::string::npos) return {};
  const auto end = message.find('\'', begin + key.size());
  return message.substr(begin + key.size(), end - begin - key.size());
}

Handle half_type() {
  // As h5py and numpy define it: IEEE 754 binary16.
  Handle type(H5Tcopy(H5T_NATIVE_FLOAT), H5Tclose);
  H5Tset_fields(type.get(), 15, 10, 5, 0, 10);
  H5Tset_size(type.get(), 2);
  H5Tset_ebias(type.get(), 15);
  return type;
}

hid_t native_type(Type type) {
  switch (type) {
    case Type::i8:
      return H5T_NATIVE_INT8;
    case Type::u8:
      return H5T_NATIVE_UINT8;
    case Type::i16:
      return H5T_NATIVE_INT16;
    case Type::u16:
      return H5T_NATIVE_UINT16;
    case Type::i32:
      return H5T_NATIVE_INT32;
    case Type::u32:
      return H5T_NATIVE_UINT32;
    case Type::i64:
      return H5T_NATIVE_INT64;
    case Type::u64:
      return H5T_NATIVE_UINT64;
    case Type::f32:
      return H5T_NATIVE_FLOAT;
    default:
      return H5T_NATIVE_DOUBLE;
  }
}

Type integer_type(hid_t type) {
  const bool is_signed = H5Tget_sign(type) == H5T_SGN_2;
  switch (H5Tget_size(type)) {
    case 1:
      return is_signed ? Type::i8 : Type::u8;
    case 2:
      return is_signed ? Type::i16 : Type::u16;
    case 4:
      return is_signed ? Type::i32 : Type::u32;
    case 8:
      return is_signed ? Type::i64 : Type::u64;
    default:
      return Type::other;
  }
}

std::vector<std::string> read_variable_strings(hid_t stored, hid_t memory_space, std::size_t count,
                                               FunctionRef<herr_t(hid_t, void*)> read,
                                               const std::string& where) {
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), H5Tget_cset(stored));  // HDF5 does not convert between character sets
  std::vector<char*> pointers(count, nullptr);
  check(read(type.get(), pointers.data()), where, "read");
  std::vector<std::string> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = pointers[i] != nullptr ? pointers[i] : "";
  H5Dvlen_reclaim(type.get(), memory_space, H5P_DEFAULT, pointers.data());
  return values;
}

std::vector<std::string> read_fixed_strings(hid_t stored, std::size_t count,
                                            FunctionRef<herr_t(hid_t, void*)> read,
                                            const std::string& where) {
  const std::size_t width = H5Tget_size(stored);
  const bool space_padded = H5Tget_strpad(stored) == H5T_STR_SPACEPAD;
  std::string bytes(width * count, '\0');
  check(read(stored, bytes.data()), where, "read");
  std::vector<std::string> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    const char* text = bytes.data() + i * width;
    values[i].assign(text, ::strnlen(text, width));
    if (space_padded) values[i].erase(values[i].find_last_not_of(' ') + 1);
  }
  return values;
}

}  // namespace

Session::Session() : lock_(library_mutex()) {
  // A file that could not be flushed (disk full) stays half open inside HDF5, and its clean-up at exit
  // crashes on it; every owner here closes what it opened, so there is nothing left for that clean-up to do.
  static const bool no_exit_handler = H5dont_atexit() >= 0;
  static_cast<void>(no_exit_handler);
  // Each thread has an error stack of its own, with its own printing.
  thread_local const bool silent = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
  static_cast<void>(silent);
}

Failure last_failure() {
  Failure failure;
  const auto visit = [](unsigned, const H5E_error2_t* error, void* out) -> herr_t {
    auto& result = *static_cast<Failure*>(out);
    const std::string text = error->desc != nullptr ? error->desc : "";
    if (result.message.empty()) result.message = text;
    if (result.system.empty()) result.system = system_part(text);
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, visit, &failure);
  if (failure.message.empty()) failure.message = "HDF5 gives no reason";
  return failure;
}

void fail(const std::string& where, std::string_view done, std::string_view expected) {
  const Failure failure = last_failure();
  if (!failure.system.empty()) {
    throw IoError(fmt::format("{}: cannot be {}: {}; expected {}", where, done, failure.system, expected));
  }
  throw DataError(fmt::format("{}: cannot be {}: {}; expected {}", where, done, failure.message, expected));
}

Handle memory_type(Type type) {
  if (type == Type::f16) return half_type();
  if (type == Type::text) return text_type();
  return Handle(H5Tcopy(native_type(type)), H5Tclose);
}

Type classify(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      return integer_type(type);
    case H5T_STRING:
      return Type::text;
    case H5T_ENUM: {  // h5py stores booleans so
      const Handle base(H5Tget_super(type), H5Tclose);
      return integer_type(base.get());
    }
    case H5T_FLOAT: {
      const std::size_t size = H5Tget_size(type);
      if (size == 2 && H5Tget_ebias(type) == 15) return Type::f16;
      return size == 4 ? Type::f32 : size == 8 ? Type::f64 : Type::other;
    }
    default:
      return Type::other;
  }
}

Handle text_type() {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(type.get(), H5T_VARIABLE);
  H5Tset_cset(type.get(), H5T_CSET_UTF8);
  return type;
}

Handle space_of(const Shape& shape) {
  if (shape.rank() == 0) return Handle(H5Screate(H5S_SCALAR), H5Sclose);
  std::array<hsize_t, 4> extents{};
  std::copy(shape.extents().begin(), shape.extents().end(), extents.begin());
  return Handle(H5Screate_simple(shape.rank(), extents.data(), nullptr), H5Sclose);
}

Shape shape_of(hid_t space, const std::string& where) {
  if (H5Sget_simple_extent_type(space) == H5S_NULL) return Shape{0};
  std::array<hsize_t, H5S_MAX_RANK> extents{};
  const int rank = check(H5Sget_simple_extent_dims(space, extents.data(), nullptr), where, "read");
  if (rank > 4) {
    throw DataError(fmt::format("{}: has {} dimensions; expected at most 4", where, rank));
  }
  std::array<Size, 4> sizes{};
  std::copy_n(extents.begin(), rank, sizes.begin());
  return Shape(std::span<const Size>(sizes.data(), static_cast<std::size_t>(rank)));
}

std::vector<std::string> read_strings(hid_t stored, hid_t memory_space, Size count,
                                      FunctionRef<herr_t(hid_t, void*)> read, const std::string& where) {
  if (count == 0) return {};
  const auto n = static_cast<std::size_t>(count);
  return H5Tis_variable_str(stored) > 0 ? read_variable_strings(stored, memory_space, n, read, where)
                                        : read_fixed_strings(stored, n, read, where);
}

std::vector<const char*> string_pointers(std::span<const std::string> values) {
  std::vector<const char*> pointers(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) pointers[i] = values[i].c_str();
  return pointers;
}

}  // namespace tarn::h5::detail
