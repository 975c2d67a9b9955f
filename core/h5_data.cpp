#include "tarn/core/errors.hpp"
#include "tarn/core/h5_detail.hpp"

#include <fmt/format.h>

#include <array>
#include <cassert>

namespace tarn::h5 {

using detail::check;
using detail::Session;

// === Attributes

namespace {

/// An open attribute with what is needed to read it.
struct OpenAttribute {
  Handle handle, type, space;
  Size count = 0;
  std::string where;
};

OpenAttribute open_attribute(hid_t object, const std::string& where, const std::string& name) {
  OpenAttribute a;
  a.where = fmt::format("{}: attribute '{}'", where, name);
  if (H5Aexists(object, name.c_str()) <= 0) {
    throw DataError(fmt::format("{} is missing; expected it to be there", a.where));
  }
  a.handle = Handle(check(H5Aopen(object, name.c_str(), H5P_DEFAULT), a.where, "opened"), H5Aclose);
  a.type = Handle(check(H5Aget_type(a.handle.get()), a.where, "read"), H5Tclose);
  a.space = Handle(check(H5Aget_space(a.handle.get()), a.where, "read"), H5Sclose);
  a.count = detail::shape_of(a.space.get(), a.where).count();
  return a;
}

void require_kind(const std::string& where, Type stored, bool want_text) {
  if (stored != Type::other && (stored == Type::text) == want_text) return;
  throw DataError(
      fmt::format("{}: holds {}; expected {}", where, type_name(stored), want_text ? "text" : "numbers"));
}

void write_attribute(hid_t object, const std::string& where, const std::string& name, Type type,
                     const Shape& shape, const void* values) {
  const Session session;
  const std::string place = fmt::format("{}: attribute '{}'", where, name);
  if (H5Aexists(object, name.c_str()) > 0) check(H5Adelete(object, name.c_str()), place, "replaced");
  const Handle stored = detail::memory_type(type);
  const Handle space = detail::space_of(shape);
  const Handle attribute(
      check(H5Acreate2(object, name.c_str(), stored.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), place,
            "created", "a file open for writing"),
      H5Aclose);
  if (shape.count() > 0) check(H5Awrite(attribute.get(), stored.get(), values), place, "written");
}

}  // namespace

std::string Object::where() const {
  return fmt::format("{}:{}", file_->name, path_);
}

bool Object::has_attribute(const std::string& name) const {
  const Session session;
  return H5Aexists(handle_.get(), name.c_str()) > 0;
}

std::vector<std::string> Object::attribute_names() const {
  const Session session;
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* name, const H5A_info_t*, void* out) -> herr_t {
    static_cast<std::vector<std::string>*>(out)->emplace_back(name);
    return 0;
  };
  hsize_t position = 0;
  check(H5Aiterate2(handle_.get(), H5_INDEX_NAME, H5_ITER_INC, &position, collect, &names), where(),
        "listed");
  return names;
}

Type Object::attribute_type(const std::string& name) const {
  const Session session;
  return detail::classify(open_attribute(handle_.get(), where(), name).type.get());
}

template <class T>
std::vector<T> Object::attribute_list(const std::string& name) const {
  const Session session;
  const OpenAttribute a = open_attribute(handle_.get(), where(), name);
  constexpr bool want_text = std::is_same_v<T, std::string>;
  require_kind(a.where, detail::classify(a.type.get()), want_text);
  if constexpr (want_text) {
    return detail::read_strings(
        a.type.get(), a.space.get(), a.count,
        [&](hid_t memory, void* out) { return H5Aread(a.handle.get(), memory, out); }, a.where);
  } else {
    std::vector<T> values(static_cast<std::size_t>(a.count));
    const Handle memory = detail::memory_type(TypeOf<T>::value);
    if (a.count > 0) check(H5Aread(a.handle.get(), memory.get(), values.data()), a.where, "read");
    return values;
  }
}

template <class T>
T Object::attribute(const std::string& name) const {
  std::vector<T> values = attribute_list<T>(name);
  if (values.size() != 1) {
    throw DataError(
        fmt::format("{}: attribute '{}': holds {} values; expected one", where(), name, values.size()));
  }
  return std::move(values.front());
}

template <Number T>
void Object::set_attribute(const std::string& name, T value) {
  write_attribute(handle_.get(), where(), name, TypeOf<T>::value, Shape{}, &value);
}

void Object::set_attribute(const std::string& name, std::string_view value) {
  const std::string text(value);
  const char* pointer = text.c_str();
  write_attribute(handle_.get(), where(), name, Type::text, Shape{}, &pointer);
}

void Object::set_attribute(const std::string& name, std::span<const std::int64_t> values) {
  write_attribute(handle_.get(), where(), name, Type::i64, Shape{static_cast<Size>(values.size())},
                  values.data());
}

void Object::set_attribute(const std::string& name, std::span<const std::string> values) {
  write_attribute(handle_.get(), where(), name, Type::text, Shape{static_cast<Size>(values.size())},
                  detail::string_pointers(values).data());
}

void Object::remove_attribute(const std::string& name) {
  const Session session;
  check(H5Adelete(handle_.get(), name.c_str()), fmt::format("{}: attribute '{}'", where(), name), "removed",
        "an attribute that is there, in a file open for writing");
}

// === Data sets

namespace {

using Extents = std::array<hsize_t, 4>;

Extents extents_of(const Shape& shape) {
  Extents extents{};
  std::copy(shape.extents().begin(), shape.extents().end(), extents.begin());
  return extents;
}

/// The file's space with the block selected. A scalar has one element and nothing to select.
Handle select(hid_t dataset, const Shape& start, const Shape& count, const std::string& where) {
  Handle space(check(H5Dget_space(dataset), where, "read"), H5Sclose);
  const Shape shape = detail::shape_of(space.get(), where);
  bool inside = start.rank() == shape.rank() && count.rank() == shape.rank();
  for (int i = 0; inside && i < shape.rank(); ++i) {
    inside = start[i] >= 0 && count[i] >= 0 && start[i] + count[i] <= shape[i];
  }
  if (!inside) {
    throw ShapeError(fmt::format("{}: asked for {} from {}; expected a block inside {}", where, count.text(),
                                 start.text(), shape.text()));
  }
  if (shape.rank() > 0 && count.count() > 0) {
    check(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, extents_of(start).data(), nullptr,
                              extents_of(count).data(), nullptr),
          where, "read");
  }
  return space;
}

Handle creation_list(hid_t dataset) {
  return Handle(H5Dget_create_plist(dataset), H5Pclose);
}

}  // namespace

Shape Dataset::shape() const {
  const Session session;
  const Handle space(check(H5Dget_space(handle_.get()), where(), "read"), H5Sclose);
  return detail::shape_of(space.get(), where());
}

Type Dataset::type() const {
  const Session session;
  const Handle stored(check(H5Dget_type(handle_.get()), where(), "read"), H5Tclose);
  return detail::classify(stored.get());
}

bool Dataset::native_order() const {
  const Session session;
  const Handle stored(check(H5Dget_type(handle_.get()), where(), "read"), H5Tclose);
  const Type kind = detail::classify(stored.get());
  const Handle memory = detail::memory_type(kind);
  return H5Tget_size(stored.get()) == 1 || H5Tget_order(stored.get()) == H5Tget_order(memory.get());
}

template <class T>
std::vector<T> Dataset::read() const {
  const Shape whole = shape();
  return read<T>(origin(whole.rank()), whole);
}

template <class T>
std::vector<T> Dataset::read(const Shape& start, const Shape& count) const {
  const Session session;
  if constexpr (std::is_same_v<T, std::string>) {
    require_kind(where(), type(), true);
    const Handle file_space = select(handle_.get(), start, count, where());
    const Handle memory_space = detail::space_of(count);
    const Handle stored(check(H5Dget_type(handle_.get()), where(), "read"), H5Tclose);
    const auto read_into = [&](hid_t memory, void* out) {
      return H5Dread(handle_.get(), memory, memory_space.get(), file_space.get(), H5P_DEFAULT, out);
    };
    return detail::read_strings(stored.get(), memory_space.get(), count.count(), read_into, where());
  } else {
    std::vector<T> values(static_cast<std::size_t>(count.count()));
    read_block(TypeOf<T>::value, start, count, std::as_writable_bytes(std::span<T>(values)));
    return values;
  }
}

void Dataset::read_block(Type memory, const Shape& start, const Shape& count,
                         std::span<std::byte> out) const {
  const Session session;
  assert(static_cast<Size>(out.size()) == count.count() * type_bytes(memory));
  require_kind(where(), type(), false);
  const Handle file_space = select(handle_.get(), start, count, where());
  if (count.count() == 0) return;
  const Handle memory_space = detail::space_of(count);
  const Handle memory_type = detail::memory_type(memory);
  check(H5Dread(handle_.get(), memory_type.get(), memory_space.get(), file_space.get(), H5P_DEFAULT,
                out.data()),
        where(), "read", "a file that is whole");
}

void Dataset::write_block(Type memory, const Shape& start, const Shape& count,
                          std::span<const std::byte> values) {
  const Session session;
  assert(memory == Type::text || static_cast<Size>(values.size()) == count.count() * type_bytes(memory));
  const Handle file_space = select(handle_.get(), start, count, where());
  if (count.count() == 0) return;
  const Handle memory_space = detail::space_of(count);
  const Handle memory_type = detail::memory_type(memory);
  check(H5Dwrite(handle_.get(), memory_type.get(), memory_space.get(), file_space.get(), H5P_DEFAULT,
                 values.data()),
        where(), "written", "a disk with room and a file open for writing");
}

void Dataset::write(const Shape& start, const Shape& count, std::span<const std::string> values) {
  assert(static_cast<Size>(values.size()) == count.count());
  const std::vector<const char*> pointers = detail::string_pointers(values);
  write_block(Type::text, start, count, std::as_bytes(std::span(pointers)));
}

void Dataset::resize(Size rows) {
  const Session session;
  Extents extents = extents_of(shape());
  extents[0] = static_cast<hsize_t>(rows);
  check(H5Dset_extent(handle_.get(), extents.data()), where(), "resized",
        "a chunked data set in a file open for writing");
}

std::vector<Size> Dataset::chunk() const {
  const Session session;
  const Handle list = creation_list(handle_.get());
  if (H5Pget_layout(list.get()) != H5D_CHUNKED) return {};
  Extents extents{};
  const int rank = check(H5Pget_chunk(list.get(), 4, extents.data()), where(), "read");
  return {extents.begin(), extents.begin() + rank};
}

bool Dataset::filtered() const {
  const Session session;
  return H5Pget_nfilters(creation_list(handle_.get()).get()) > 0;
}

std::optional<Size> Dataset::contiguous_offset() const {
  const Session session;
  const haddr_t offset = H5Dget_offset(handle_.get());
  if (offset == HADDR_UNDEF) return std::nullopt;
  return static_cast<Size>(offset);
}

std::optional<Size> Dataset::chunk_offset(const Shape& at) const {
  const Session session;
  haddr_t address = HADDR_UNDEF;
  hsize_t bytes = 0;
  unsigned filters = 0;
  check(H5Dget_chunk_info_by_coord(handle_.get(), extents_of(at).data(), &filters, &address, &bytes), where(),
        "read");
  if (address == HADDR_UNDEF) return std::nullopt;
  return static_cast<Size>(address);
}

Size Dataset::stored_bytes() const {
  const Session session;
  return static_cast<Size>(H5Dget_storage_size(handle_.get()));
}

ChunkCache Dataset::chunk_cache() const {
  const Session session;
  const Handle access(H5Dget_access_plist(handle_.get()), H5Pclose);
  std::size_t slots = 0, bytes = 0;
  ChunkCache cache;
  check(H5Pget_chunk_cache(access.get(), &slots, &bytes, &cache.preemption), where(), "read");
  cache.slots = static_cast<Size>(slots);
  cache.bytes = static_cast<Size>(bytes);
  return cache;
}

#define TARN_H5_INSTANTIATE_READ(T)                                            \
  template T Object::attribute<T>(const std::string&) const;                   \
  template std::vector<T> Object::attribute_list<T>(const std::string&) const; \
  template std::vector<T> Dataset::read<T>() const;                            \
  template std::vector<T> Dataset::read<T>(const Shape&, const Shape&) const;
#define TARN_H5_INSTANTIATE(T) \
  TARN_H5_INSTANTIATE_READ(T)  \
  template void Object::set_attribute<T>(const std::string&, T);
TARN_H5_INSTANTIATE(std::int8_t)
TARN_H5_INSTANTIATE(std::uint8_t)
TARN_H5_INSTANTIATE(std::int16_t)
TARN_H5_INSTANTIATE(std::uint16_t)
TARN_H5_INSTANTIATE(std::int32_t)
TARN_H5_INSTANTIATE(std::uint32_t)
TARN_H5_INSTANTIATE(std::int64_t)
TARN_H5_INSTANTIATE(std::uint64_t)
TARN_H5_INSTANTIATE(float)
TARN_H5_INSTANTIATE(double)
TARN_H5_INSTANTIATE_READ(std::string)
#undef TARN_H5_INSTANTIATE
#undef TARN_H5_INSTANTIATE_READ

inline namespace TARN_PRECISION {

Tensor read_tensor(const Dataset& data) {
  Tensor tensor(data.shape());
  data.read_block(TypeOf<Real>::value, origin(tensor.shape().rank()), tensor.shape(),
                  std::as_writable_bytes(tensor.flat()));
  return tensor;
}

Dataset write_tensor(Group& group, const std::string& name, const Tensor& tensor) {
  return group.write<Real>(name, tensor.shape(), tensor.flat());
}

}  // namespace TARN_PRECISION
}  // namespace tarn::h5
