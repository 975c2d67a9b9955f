#include "tarn/datasets/token_source.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tarn::detail {

namespace {

constexpr Size mebibyte = Size{1} << 20;
constexpr Size block_bytes = 4 * mebibyte;

int open_for_reading(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    throw IoError(
        fmt::format("{}: cannot be opened: {}; expected a readable file", path.string(), system_message()));
  }
  return descriptor;
}

bool is_prime(Size n) {
  for (Size d = 2; d * d <= n; ++d) {
    if (n % d == 0) return false;
  }
  return true;
}

}  // namespace

FileMap::FileMap(const std::filesystem::path& path) {
  const int descriptor = open_for_reading(path);
  struct stat status {};
  ::fstat(descriptor, &status);
  size_ = status.st_size;
  void* data = ::mmap(nullptr, static_cast<std::size_t>(size_), PROT_READ, MAP_SHARED, descriptor, 0);
  const int error = errno;
  ::close(descriptor);
  if (data == MAP_FAILED) {
    throw IoError(fmt::format("{}: cannot be mapped: {}; expected a file on a local disk", path.string(),
                              system_message(error)));
  }
  data_ = static_cast<const std::byte*>(data);
}

FileMap::~FileMap() {
  ::munmap(const_cast<std::byte*>(data_), static_cast<std::size_t>(size_));
}

FileReader::FileReader(const std::filesystem::path& path)
    : path_(path), descriptor_(open_for_reading(path)) {}

FileReader::~FileReader() {
  ::close(descriptor_);
}

void FileReader::read(Size offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t got = ::pread(descriptor_, out.data(), out.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      throw IoError(fmt::format("{}: cannot be read at byte {}: {}; expected a file that is whole",
                                path_.string(), offset, got < 0 ? system_message() : "it ends there"));
    }
    out = out.subspan(static_cast<std::size_t>(got));
    offset += got;
  }
}

bool StoreShared::reserve(Size bytes) const {
  const Size limit = options.cache_mb * mebibyte;
  Size taken = cached_bytes.load();
  while (taken + bytes <= limit) {
    if (cached_bytes.compare_exchange_weak(taken, taken + bytes)) return true;
  }
  return false;
}

h5::Type stored_type(StateType type) {
  constexpr h5::Type types[] = {h5::Type::f16, h5::Type::u16, h5::Type::f32, h5::Type::f64};
  return types[static_cast<std::size_t>(type)];
}

h5::ChunkCache chunk_cache(const StoreOptions& options, Size chunk_bytes) {
  h5::ChunkCache cache;
  cache.bytes = std::clamp(options.cache_mb, Size{1}, Size{16}) * mebibyte;
  cache.slots = 100 * std::max<Size>(1, cache.bytes / std::max<Size>(chunk_bytes, 1)) + 1;
  while (!is_prime(cache.slots)) ++cache.slots;
  cache.preemption = options.sequential ? 1.0 : 0.75;
  return cache;
}

TokenSource::TokenSource(std::shared_ptr<const StoreShared> shared, h5::Dataset hidden)
    : shared_(std::move(shared)),
      hidden_(std::move(hidden)),
      num_tokens_(hidden_.shape()[0]),
      num_layers_(hidden_.shape()[1]),
      row_bytes_(hidden_.shape()[2] * state_bytes(shared_->info.dtype)),
      memory_(stored_type(shared_->info.dtype)),
      chunk_(hidden_.chunk()) {
  const auto place = hidden_.contiguous_offset();
  if (shared_->map == nullptr || !place) return;
  if (*place + num_tokens_ * num_layers_ * row_bytes_ <= shared_->map->size()) {
    mapped_ = shared_->map->data() + *place;
  }
}

TokenSource::Block TokenSource::fetch(Size layer, Size begin, Size end,
                                      std::vector<std::byte>& buffer) const {
  if (mapped_ != nullptr) {
    return {mapped_ + (begin * num_layers_ + layer) * row_bytes_, num_layers_ * row_bytes_};
  }
  {
    const std::scoped_lock lock(mutex_);
    const auto found = cached_.find(layer);
    if (found != cached_.end()) return {found->second.data() + begin * row_bytes_, row_bytes_};
  }
  const auto bytes = static_cast<std::size_t>((end - begin) * row_bytes_);
  if (buffer.size() < bytes) buffer.resize(bytes);
  read_rows(layer, begin, end, buffer.data());
  return {buffer.data(), row_bytes_};
}

void TokenSource::cache(std::span<const Size> layers) const {
  if (mapped_ != nullptr || shared_->options.cache_mb == 0) return;
  const std::scoped_lock lock(mutex_);
  std::vector<Size> missing;
  for (const Size layer : layers) {
    if (!cached_.contains(layer)) missing.push_back(layer);
  }
  const Size bytes = num_tokens_ * row_bytes_;
  if (missing.empty() || !shared_->reserve(bytes * static_cast<Size>(missing.size()))) return;
  for (const Size layer : missing) {
    std::vector<std::byte> rows(static_cast<std::size_t>(bytes));
    const Size step = std::max<Size>(1, block_bytes / row_bytes_);
    for (Size begin = 0; begin < num_tokens_; begin += step) {
      read_rows(layer, begin, std::min(begin + step, num_tokens_), rows.data() + begin * row_bytes_);
    }
    cached_.emplace(layer, std::move(rows));
  }
}

void TokenSource::read_rows(Size layer, Size begin, Size end, std::byte* out) const {
  if (shared_->reader != nullptr) return read_chunks(layer, begin, end, out);
  const Size dim = hidden_.shape()[2];
  hidden_.read_block(memory_, {begin, layer, 0}, {end - begin, 1, dim},
                     {out, static_cast<std::size_t>((end - begin) * row_bytes_)});
}

void TokenSource::read_chunks(Size layer, Size begin, Size end, std::byte* out) const {
  const std::vector<Size>& places = chunk_places(layer);
  const Size chunk_rows = chunk_[0];
  for (Size row = begin; row < end;) {
    const Size index = row / chunk_rows;
    const Size stop = std::min(end, (index + 1) * chunk_rows);
    const auto bytes = static_cast<std::size_t>((stop - row) * row_bytes_);
    std::byte* const target = out + (row - begin) * row_bytes_;
    const Size place = places[static_cast<std::size_t>(index)];
    if (place < 0) {
      std::memset(target, 0, bytes);  // never written: HDF5's fill value
    } else {
      shared_->reader->read(place + (row - index * chunk_rows) * row_bytes_, {target, bytes});
    }
    row = stop;
  }
}

const std::vector<Size>& TokenSource::chunk_places(Size layer) const {
  const std::scoped_lock lock(places_mutex_);
  const auto found = places_.find(layer);
  if (found != places_.end()) return found->second;
  std::vector<Size> places;
  for (Size row = 0; row < num_tokens_; row += chunk_[0]) {
    places.push_back(hidden_.chunk_offset({row, layer, 0}).value_or(-1));
  }
  return places_.emplace(layer, std::move(places)).first->second;
}

}  // namespace tarn::detail
