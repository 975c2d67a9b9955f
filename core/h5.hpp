#pragma once

#include "tarn/core/files.hpp"
#include "tarn/core/tensor.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// HDF5 files through objects that own their identifiers.
///
/// HDF5 runs one call at a time: every call here takes one lock for the whole process, so objects may be used
/// from any thread, but parallel reads only queue up. An object must not outlive the File it came from.
/// Errors name the file and the path inside it (`states.h5:/train/labels`) with HDF5's innermost message:
/// IoError where the system refused, DataError where the contents do.
namespace tarn::h5 {

/// How one element stands in a file or in memory.
enum class Type { i8, u8, i16, u16, i32, u32, i64, u64, f16, f32, f64, text, other };
/// "int64", "float16", "string", ...
[[nodiscard]] std::string_view type_name(Type type);
/// Bytes of one element in memory; 0 for text and other.
[[nodiscard]] Size type_bytes(Type type);

template <class T>
struct TypeOf;
template <class T>
requires std::integral<T>
struct TypeOf<T> {
  static constexpr Type value = []() {
    constexpr Type kinds[] = {Type::i8, Type::i16, Type::i32, Type::i64};
    constexpr Type unsigned_kinds[] = {Type::u8, Type::u16, Type::u32, Type::u64};
    constexpr int width = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
    return std::signed_integral<T> ? kinds[width] : unsigned_kinds[width];
  }();
};
template <>
struct TypeOf<float> {
  static constexpr Type value = Type::f32;
};
template <>
struct TypeOf<double> {
  static constexpr Type value = Type::f64;
};
/// A number that a data set can be read into or written from.
template <class T>
concept Number = (std::integral<T> || std::same_as<T, float> ||
                  std::same_as<T, double>)&&!std::same_as<T, bool>;

/// All zeros: where a block begins that begins at the beginning.
[[nodiscard]] Shape origin(int rank);

/// A data set read whole; a scalar has rank 0 and one value.
template <class T>
struct Array {
  Shape shape;
  std::vector<T> values;
};

/// How a new data set is laid out. No chunk means contiguous; chunks let the first extent grow.
struct Layout {
  std::vector<Size> chunk;
  int deflate = 0;  ///< 1 to 9: shuffle, then deflate; needs chunks
};

/// How a chunked data set is cached when it is opened.
struct ChunkCache {
  Size bytes = Size{1} << 20;
  Size slots = 521;
  double preemption = 0.75;  ///< 1 drops fully read chunks first, which suits one sequential pass
};

/// What the objects of an open file share.
struct FileState {
  std::string name;  ///< as messages call it
  bool writable = false;
  std::string failure;  ///< first error of an object that could not be closed: what it held back is lost
};

/// Owns one HDF5 identifier. Move only. HDF5 writes cached chunks as late as when a data set is closed; an
/// error then goes to `state`, where the file finds it.
class Handle {
 public:
  using Id = std::int64_t;
  Handle() = default;
  Handle(Id id, int (*closer)(Id), std::shared_ptr<FileState> state = nullptr)
      : id_(id), close_(closer), state_(std::move(state)) {}
  Handle(Handle&& other) noexcept
      : id_(std::exchange(other.id_, -1)), close_(other.close_), state_(std::move(other.state_)) {}
  Handle& operator=(Handle&& other) noexcept;
  ~Handle() { reset(); }
  [[nodiscard]] Id get() const { return id_; }
  void reset() noexcept;

 private:
  void close() noexcept;

  Id id_ = -1;
  int (*close_)(Id) = nullptr;
  std::shared_ptr<FileState> state_;
};

/// What files, groups and data sets share: a place and attributes.
class Object {
 public:
  /// "FILE:/path", for messages.
  [[nodiscard]] std::string where() const;
  /// Path inside the file: "/train/a".
  [[nodiscard]] const std::string& path() const { return path_; }

  [[nodiscard]] bool has_attribute(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> attribute_names() const;
  [[nodiscard]] Type attribute_type(const std::string& name) const;
  /// A scalar (or one element) of type T: a Number or std::string. DataError if missing or of another kind.
  template <class T>
  [[nodiscard]] T attribute(const std::string& name) const;
  /// All elements of an attribute; none for an empty one.
  template <class T>
  [[nodiscard]] std::vector<T> attribute_list(const std::string& name) const;
  /// Replaces an attribute of that name. Text is written as h5py does: UTF-8 of variable length.
  template <Number T>
  void set_attribute(const std::string& name, T value);
  void set_attribute(const std::string& name, std::string_view value);
  void set_attribute(const std::string& name, const char* value) {
    set_attribute(name, std::string_view(value));
  }
  void set_attribute(const std::string& name, std::span<const std::int64_t> values);
  void set_attribute(const std::string& name, std::span<const std::string> values);
  void remove_attribute(const std::string& name);

 protected:
  Object() = default;
  Object(Handle handle, std::shared_ptr<FileState> file, std::string path)
      : handle_(std::move(handle)), file_(std::move(file)), path_(std::move(path)) {}

  Handle handle_;
  std::shared_ptr<FileState> file_;
  std::string path_;
};

class Dataset final : public Object {
 public:
  Dataset() = default;

  [[nodiscard]] Shape shape() const;
  [[nodiscard]] Type type() const;
  /// The stored bytes of an element are what this machine would use in memory.
  [[nodiscard]] bool native_order() const;

  /// Everything, converted by HDF5 to T: a Number or std::string. Works for rank 0 and zero-sized data.
  template <class T>
  [[nodiscard]] std::vector<T> read() const;
  /// The block of extents `count` that begins at `start`, row major.
  template <class T>
  [[nodiscard]] std::vector<T> read(const Shape& start, const Shape& count) const;
  /// The same block as elements of `memory` type into bytes the caller owns; no conversion where that is the
  /// stored type in native order.
  void read_block(Type memory, const Shape& start, const Shape& count, std::span<std::byte> out) const;

  template <Number T>
  void write(const Shape& start, const Shape& count, std::span<const T> values) {
    write_block(TypeOf<T>::value, start, count, std::as_bytes(values));
  }
  void write(const Shape& start, const Shape& count, std::span<const std::string> values);
  void write_block(Type memory, const Shape& start, const Shape& count, std::span<const std::byte> values);
  /// Sets the first extent of a chunked data set.
  void resize(Size rows);

  /// Extents of a chunk; empty if contiguous or compact.
  [[nodiscard]] std::vector<Size> chunk() const;
  [[nodiscard]] bool filtered() const;
  /// Place in the file of the first byte of a contiguous data set; nothing if it has no such place.
  [[nodiscard]] std::optional<Size> contiguous_offset() const;
  /// Place in the file of the chunk that holds element `at`, for unfiltered data; nothing if never written.
  [[nodiscard]] std::optional<Size> chunk_offset(const Shape& at) const;
  /// Bytes in the file.
  [[nodiscard]] Size stored_bytes() const;
  /// The cache in use. HDF5 ignores the one asked for while the same data set is open elsewhere.
  [[nodiscard]] ChunkCache chunk_cache() const;

 private:
  friend class Group;
  using Object::Object;
};

enum class Kind { none, group, dataset };

class Group : public Object {
 public:
  Group() = default;

  /// Names of the children in alphabetical order.
  [[nodiscard]] std::vector<std::string> children() const;
  /// What stands at a path relative to this group; none if nothing does.
  [[nodiscard]] Kind kind(const std::string& name) const;
  [[nodiscard]] bool has(const std::string& name) const { return kind(name) != Kind::none; }

  /// Opens a child. DataError, naming it, if it is missing or of another kind.
  [[nodiscard]] Group group(const std::string& name) const;
  [[nodiscard]] Dataset dataset(const std::string& name) const;
  [[nodiscard]] Dataset dataset(const std::string& name, const ChunkCache& cache) const;

  /// Creates a child and the groups on the way to it.
  Group create_group(const std::string& name);
  Dataset create_dataset(const std::string& name, Type type, const Shape& shape, const Layout& layout = {});
  /// Creates a data set and writes all of it.
  template <Number T>
  Dataset write(const std::string& name, const Shape& shape, std::span<const T> values) {
    Dataset data = create_dataset(name, TypeOf<T>::value, shape);
    data.write(origin(shape.rank()), shape, values);
    return data;
  }
  Dataset write(const std::string& name, const Shape& shape, std::span<const std::string> values);
  template <class T>
  Dataset write(const std::string& name, const std::vector<T>& values) {
    return write(name, Shape{static_cast<Size>(values.size())}, std::span<const T>(values));
  }
  /// Unlinks a child; its space is used again by later writes while the file stays open.
  void remove(const std::string& name);

  /// A whole data set with its shape.
  template <class T>
  [[nodiscard]] Array<T> array(const std::string& name) const {
    const Dataset data = dataset(name);
    return {data.shape(), data.read<T>()};
  }

 protected:
  using Object::Object;

 private:
  void require(const std::string& name, Kind wanted) const;
};

enum class Access { read, update };

class File final : public Group {
 public:
  /// Throws IoError if the file cannot be opened, DataError if it is not HDF5 or cut short.
  [[nodiscard]] static File open(const std::filesystem::path& path, Access access = Access::read);
  /// A new file; replaces what stands there. `shown` is how messages call it, path if empty.
  [[nodiscard]] static File create(const std::filesystem::path& path, const std::string& shown = {});
  File() = default;
  File(File&&) noexcept = default;
  File& operator=(File&&) noexcept = default;
  ~File();

  /// Hands everything written so far to the system. IoError if that fails, or if an object closed before lost
  /// what it held back.
  void flush();
  /// Flushes and closes with all objects from this file; IoError if that fails (no space). The destructor
  /// closes too, but keeps failures to itself.
  void close();
  /// Offsets of data sets count from the start of the file (no user block before the contents).
  [[nodiscard]] bool starts_at_zero() const;

 private:
  using Group::Group;
  /// Lets go of a file whose contents can no longer be written.
  void abandon() noexcept;
};

/// Throws DataError: "FILE:/path: WHAT; expected EXPECTED".
[[noreturn]] void refuse(const Object& place, std::string_view what, std::string_view expected);

/// The root attribute `format`, by which files of tarn tell what they are; "" without one.
[[nodiscard]] std::string format_of(const File& file);
/// True for an HDF5 file whose `format` is this one; false for any other file, and where none can be read.
[[nodiscard]] bool is_file_of(const std::filesystem::path& path, std::string_view format);

/// Replaces a file by what `write` puts into a new one; see `tarn::replace_file`. Nothing half-written stays.
void write_atomically(const std::filesystem::path& path, FunctionRef<void(File&)> write);

inline namespace TARN_PRECISION {
/// A whole data set as a tensor of rank 0 to 4.
[[nodiscard]] Tensor read_tensor(const Dataset& data);
Dataset write_tensor(Group& group, const std::string& name, const Tensor& tensor);
}  // namespace TARN_PRECISION

}  // namespace tarn::h5
