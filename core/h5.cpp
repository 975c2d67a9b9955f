#include "tarn/core/h5.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/h5_detail.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace tarn::h5 {

using detail::check;
using detail::Session;

std::string_view type_name(Type type) {
  constexpr std::string_view names[] = {"int8",
                                        "uint8",
                                        "int16",
                                        "uint16",
                                        "int32",
                                        "uint32",
                                        "int64",
                                        "uint64",
                                        "float16",
                                        "float32",
                                        "float64",
                                        "string",
                                        "a type of another kind"};
  return names[static_cast<std::size_t>(type)];
}

Size type_bytes(Type type) {
  constexpr Size bytes[] = {1, 1, 2, 2, 4, 4, 8, 8, 2, 4, 8, 0, 0};
  return bytes[static_cast<std::size_t>(type)];
}

Shape origin(int rank) {
  constexpr std::array<Size, 4> zeros{};
  return Shape(std::span<const Size>(zeros.data(), static_cast<std::size_t>(rank)));
}

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this != &other) {
    reset();
    id_ = std::exchange(other.id_, -1);
    close_ = other.close_;
    state_ = std::move(other.state_);
  }
  return *this;
}

namespace {

/// Where the last writes of a file go that can no longer be written: HDF5 can close nothing that it cannot
/// flush, and loses the memory of what it fails to close. The descriptor is pointed at memory. A limit on
/// file sizes holds there too, so it is raised meanwhile as far as allowed; where that is not enough, HDF5
/// keeps its memory.
class Sink {
 public:
  explicit Sink(hid_t object) {
    ::getrlimit(RLIMIT_FSIZE, &limit_);
    const rlimit raised{limit_.rlim_max, limit_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &raised);
    const Handle file(H5Iget_file_id(object), H5Idec_ref);
    void* descriptor = nullptr;
    if (H5Fget_vfd_handle(file.get(), H5P_DEFAULT, &descriptor) < 0 || descriptor == nullptr) return;
    const int memory = ::memfd_create("abandoned", MFD_CLOEXEC);
    if (memory < 0) return;
    ::dup2(memory, *static_cast<int*>(descriptor));
    ::close(memory);
  }
  ~Sink() { ::setrlimit(RLIMIT_FSIZE, &limit_); }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

 private:
  rlimit limit_{};
};

}  // namespace

void Handle::reset() noexcept {
  if (id_ < 0) return;
  const Session session;
  const bool holds_data = state_ != nullptr && state_->writable && H5Iget_type(id_) == H5I_DATASET;
  if (holds_data && H5Dflush(id_) < 0) {
    if (state_->failure.empty()) state_->failure = detail::last_failure().text();
    const Sink sink(id_);
    close();
  } else {
    close();
  }
}

void Handle::close() noexcept {
  const bool closed = close_(std::exchange(id_, -1)) >= 0;
  if (!closed && state_ != nullptr && state_->failure.empty())
    state_->failure = detail::last_failure().text();
  state_.reset();
}

// === Groups

namespace {

/// "/" + "train/a" and "/train" + "a" are both "/train/a".
std::string join(const std::string& parent, const std::string& name) {
  return parent == "/" ? "/" + name : parent + "/" + name;
}

herr_t collect_name(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

Handle making_intermediate_groups() {
  Handle list(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  H5Pset_create_intermediate_group(list.get(), 1);
  H5Pset_char_encoding(list.get(), H5T_CSET_UTF8);
  return list;
}

std::string_view kind_name(Kind kind) {
  return kind == Kind::group ? "a group" : kind == Kind::dataset ? "a data set" : "missing";
}

}  // namespace

std::vector<std::string> Group::children() const {
  const Session session;
  std::vector<std::string> names;
  hsize_t position = 0;
  check(H5Literate(handle_.get(), H5_INDEX_NAME, H5_ITER_INC, &position, collect_name, &names), where(),
        "listed");
  std::sort(names.begin(), names.end());
  return names;
}

Kind Group::kind(const std::string& name) const {
  const Session session;
  // Every link on the way must be asked for: H5Lexists fails where an earlier one is missing.
  for (std::size_t slash = name.find('/');; slash = name.find('/', slash + 1)) {
    if (H5Lexists(handle_.get(), name.substr(0, slash).c_str(), H5P_DEFAULT) <= 0) return Kind::none;
    if (slash == std::string::npos) break;
  }
  H5O_info_t info;
  if (H5Oget_info_by_name2(handle_.get(), name.c_str(), &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0) {
    return Kind::none;
  }
  return info.type == H5O_TYPE_GROUP     ? Kind::group
         : info.type == H5O_TYPE_DATASET ? Kind::dataset
                                         : Kind::none;
}

void Group::require(const std::string& name, Kind wanted) const {
  const Kind found = kind(name);
  if (found == wanted) return;
  throw DataError(fmt::format("{}:{}: is {}; expected {}", file_->name, join(path_, name), kind_name(found),
                              kind_name(wanted)));
}

Group Group::group(const std::string& name) const {
  const Session session;
  require(name, Kind::group);
  const std::string path = join(path_, name);
  return Group(
      Handle(check(H5Gopen2(handle_.get(), name.c_str(), H5P_DEFAULT), file_->name + ":" + path, "opened"),
             H5Gclose),
      file_, path);
}

Dataset Group::dataset(const std::string& name) const {
  return dataset(name, ChunkCache{});
}

Dataset Group::dataset(const std::string& name, const ChunkCache& cache) const {
  const Session session;
  require(name, Kind::dataset);
  const std::string path = join(path_, name);
  const Handle access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
  H5Pset_chunk_cache(access.get(), static_cast<std::size_t>(cache.slots),
                     static_cast<std::size_t>(cache.bytes), cache.preemption);
  return Dataset(
      Handle(check(H5Dopen2(handle_.get(), name.c_str(), access.get()), file_->name + ":" + path, "opened"),
             H5Dclose, file_),
      file_, path);
}

Group Group::create_group(const std::string& name) {
  const Session session;
  const std::string path = join(path_, name);
  const Handle links = making_intermediate_groups();
  return Group(
      Handle(check(H5Gcreate2(handle_.get(), name.c_str(), links.get(), H5P_DEFAULT, H5P_DEFAULT),
                   file_->name + ":" + path, "created", "a name that is free in a file open for writing"),
             H5Gclose),
      file_, path);
}

Dataset Group::create_dataset(const std::string& name, Type type, const Shape& shape, const Layout& layout) {
  const Session session;
  const std::string path = join(path_, name);
  const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  Handle space = detail::space_of(shape);
  if (!layout.chunk.empty()) {
    const std::vector<hsize_t> chunk(layout.chunk.begin(), layout.chunk.end());
    const std::vector<hsize_t> extents(shape.extents().begin(), shape.extents().end());
    std::vector<hsize_t> limits = extents;
    limits[0] = H5S_UNLIMITED;
    space = Handle(H5Screate_simple(shape.rank(), extents.data(), limits.data()), H5Sclose);
    H5Pset_chunk(creation.get(), shape.rank(), chunk.data());
    if (layout.deflate > 0) {
      H5Pset_shuffle(creation.get());
      H5Pset_deflate(creation.get(), static_cast<unsigned>(layout.deflate));
    }
  }
  const Handle links = making_intermediate_groups();
  const Handle stored = detail::memory_type(type);
  return Dataset(
      Handle(check(H5Dcreate2(handle_.get(), name.c_str(), stored.get(), space.get(), links.get(),
                              creation.get(), H5P_DEFAULT),
                   file_->name + ":" + path, "created", "a name that is free in a file open for writing"),
             H5Dclose, file_),
      file_, path);
}

Dataset Group::write(const std::string& name, const Shape& shape, std::span<const std::string> values) {
  Dataset data = create_dataset(name, Type::text, shape);
  data.write(origin(shape.rank()), shape, values);
  return data;
}

void Group::remove(const std::string& name) {
  const Session session;
  check(H5Ldelete(handle_.get(), name.c_str(), H5P_DEFAULT), file_->name + ":" + join(path_, name), "removed",
        "the name of a child in a file open for writing");
}

// === Files

namespace {

Handle file_access() {
  Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
  return access;
}

}  // namespace

File File::open(const std::filesystem::path& path, Access access) {
  const Session session;
  const std::string name = path.string();
  // Asked of the system first: HDF5 reports a missing file and a broken one much alike.
  const int descriptor = ::open(path.c_str(), (access == Access::read ? O_RDONLY : O_RDWR) | O_CLOEXEC);
  if (descriptor < 0) {
    throw IoError(fmt::format("{}: cannot be opened: {}; expected a HDF5 file", name, system_message()));
  }
  ::close(descriptor);
  if (std::filesystem::is_directory(path)) {
    throw IoError(
        fmt::format("{}: cannot be opened: {}; expected a HDF5 file", name, system_message(EISDIR)));
  }
  const Handle list = file_access();
  const hid_t id = H5Fopen(path.c_str(), access == Access::read ? H5F_ACC_RDONLY : H5F_ACC_RDWR, list.get());
  if (id < 0) detail::fail(name, "opened", "a HDF5 file, whole");
  const auto state =
      std::make_shared<FileState>(FileState{.name = name, .writable = access == Access::update});
  return File(Handle(id, H5Fclose, state), state, "/");
}

File File::create(const std::filesystem::path& path, const std::string& shown) {
  const Session session;
  const std::string name = shown.empty() ? path.string() : shown;
  const Handle list = file_access();
  const hid_t id = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, list.get());
  if (id < 0) throw_write_error(name, detail::last_failure().text());
  const auto state = std::make_shared<FileState>(FileState{.name = name, .writable = true});
  return File(Handle(id, H5Fclose, state), state, "/");
}

File::~File() {
  if (handle_.get() < 0) return;
  const Session session;
  if (!file_->failure.empty() || H5Fflush(handle_.get(), H5F_SCOPE_GLOBAL) < 0) abandon();
}

void File::flush() {
  const Session session;
  if (!file_->failure.empty()) throw_write_error(file_->name, file_->failure);
  if (H5Fflush(handle_.get(), H5F_SCOPE_GLOBAL) < 0)
    throw_write_error(file_->name, detail::last_failure().text());
}

void File::close() {
  flush();
  handle_.reset();
  if (!file_->failure.empty()) throw_write_error(file_->name, file_->failure);
}

void File::abandon() noexcept {
  const Session session;
  const Sink sink(handle_.get());
  handle_.reset();
}

bool File::starts_at_zero() const {
  const Session session;
  const Handle list(H5Fget_create_plist(handle_.get()), H5Pclose);
  hsize_t user_block = 0;
  return H5Pget_userblock(list.get(), &user_block) >= 0 && user_block == 0;
}

void refuse(const Object& place, std::string_view what, std::string_view expected) {
  throw DataError(fmt::format("{}: {}; expected {}", place.where(), what, expected));
}

std::string format_of(const File& file) {
  return file.has_attribute("format") ? file.attribute<std::string>("format") : "";
}

bool is_file_of(const std::filesystem::path& path, std::string_view format) {
  try {
    return format_of(File::open(path)) == format;
  } catch (const Error&) {
    return false;
  }
}

void write_atomically(const std::filesystem::path& path, FunctionRef<void(File&)> write) {
  replace_file(path, [&](const std::filesystem::path& temporary) {
    File file = File::create(temporary, path.string());
    write(file);
    file.close();
  });
}

}  // namespace tarn::h5
