#include "tarn/core/errors.hpp"
#include "tarn/datasets/token_source.hpp"
#include "tarn/datasets/token_store_schema.hpp"
#include "tarn/datasets/token_store_tools.hpp"

#include <algorithm>
#include <numeric>

namespace tarn {

namespace {

constexpr Size block_bytes = Size{8} << 20;

/// The first `rows` rows of a data set as a contiguous one of the same type.
void copy_rows(const h5::Group& from, h5::Group& to, const std::string& name, Size rows) {
  if (!from.has(name)) return;
  const h5::Dataset source = from.dataset(name);
  if (source.type() == h5::Type::text) {
    const std::vector<std::string> values = source.read<std::string>({0}, {rows});
    to.write(name, values);
    return;
  }
  const Shape shape = source.shape();
  std::vector<Size> extents(shape.extents().begin(), shape.extents().end());
  const Size row_bytes =
      std::accumulate(extents.begin() + 1, extents.end(), h5::type_bytes(source.type()), std::multiplies<>());
  extents[0] = rows;
  h5::Dataset target = to.create_dataset(name, source.type(), Shape(extents));
  if (source.has_attribute("encoding")) {
    target.set_attribute("encoding", source.attribute<std::string>("encoding"));
  }
  const Size step = std::max<Size>(1, block_bytes / row_bytes);
  std::vector<std::byte> buffer;
  std::vector<Size> start(extents.size(), 0);
  for (Size begin = 0; begin < rows; begin += step) {
    start[0] = begin;
    extents[0] = std::min(step, rows - begin);
    buffer.resize(static_cast<std::size_t>(extents[0] * row_bytes));
    source.read_block(source.type(), Shape(start), Shape(extents), buffer);
    target.write_block(source.type(), Shape(start), Shape(extents), buffer);
  }
}

void copy_split(const detail::SplitData& split, const h5::File& from, h5::File& to) {
  const h5::Group source = from.group(split.name);
  h5::Group target = to.create_group(split.name);
  for (std::size_t t = 0; t < split.texts.size(); ++t) {
    const std::string name = detail::text_name(static_cast<Size>(t));
    h5::Group text = target.create_group(name);
    const Size num_tokens = split.texts[t].offsets.back();
    copy_rows(source.group(name), text, "hidden", num_tokens);
    for (const char* column : {"token_ids", "flags"}) copy_rows(source.group(name), text, column, num_tokens);
    for (const char* column : {"text", "truncated"}) copy_rows(source.group(name), text, column, split.rows);
    copy_rows(source.group(name), text, "offsets", split.rows + 1);
  }
  for (const char* column : {"labels", "ids"}) copy_rows(source, target, column, split.rows);
  target.set_attribute("rows", split.rows);
  target.set_attribute<std::int8_t>("complete", split.complete ? 1 : 0);
}

}  // namespace

void convert_store(const std::filesystem::path& in, const std::filesystem::path& out) {
  const auto store = detail::open_store(in, {.cache_mb = 0, .sequential = true});
  h5::write_atomically(out, [&](h5::File& file) {
    detail::write_info(file, store->shared->info);
    if (!store->vocabulary_ids.empty()) {
      file.write("vocabulary/ids", store->vocabulary_ids);
      file.write("vocabulary/tokens", store->vocabulary);
    }
    for (const auto& [name, split] : store->splits) copy_split(*split, store->file, file);
  });
}

}  // namespace tarn
