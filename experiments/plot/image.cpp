#include "tarn/experiments/plot/image.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>

namespace tarn::plot {

namespace {

constexpr std::string_view signature = "\x89PNG\r\n\x1a\n";

void add_number(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xff);
}

const Bytef* bytes_of(const std::string& text) {
  return reinterpret_cast<const Bytef*>(text.data());
}

void add_chunk(std::string& out, const char* type, const std::string& data) {
  add_number(out, static_cast<std::uint32_t>(data.size()));
  const std::string body = type + data;
  out += body;
  add_number(out, static_cast<std::uint32_t>(crc32(0, bytes_of(body), static_cast<uInt>(body.size()))));
}

std::string compressed(const std::string& data) {
  uLongf size = compressBound(static_cast<uLong>(data.size()));
  std::string out(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(out.data()), &size, bytes_of(data), static_cast<uLong>(data.size()),
                Z_BEST_COMPRESSION) != Z_OK) {
    throw Error("png: zlib refused to compress a picture");
  }
  out.resize(size);
  return out;
}

std::uint32_t number_at(std::string_view bytes, std::size_t place) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes[place + i]);
  return value;
}

}  // namespace

std::string png_bytes(const Image& image) {
  std::string head;
  add_number(head, static_cast<std::uint32_t>(image.width));
  add_number(head, static_cast<std::uint32_t>(image.height));
  head +=
      std::string("\x08\x02\x00\x00\x00", 5);  // 8 bits, colours, deflate, no filter choice, no interlacing
  std::string rows;
  for (Size y = 0; y < image.height; ++y) {
    rows += '\0';  // no filter
    for (Size x = 0; x < image.width; ++x) {
      for (const std::uint8_t channel : image.at(x, y)) rows += static_cast<char>(channel);
    }
  }
  std::string out(signature);
  add_chunk(out, "IHDR", head);
  add_chunk(out, "IDAT", compressed(rows));
  add_chunk(out, "IEND", "");
  return out;
}

ImageSize png_size(std::string_view bytes, std::string_view where) {
  if (bytes.size() < 24 || !bytes.starts_with(signature)) {
    throw DataError(fmt::format("{}: not a PNG file; expected its signature and size", where));
  }
  return {static_cast<Size>(number_at(bytes, 16)), static_cast<Size>(number_at(bytes, 20))};
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t block = 0;
    for (std::size_t k = 0; k < 3; ++k)
      block = block << 8 | (k < count ? static_cast<std::uint8_t>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += k <= count ? digits[block >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

void paste(Image& whole, const Image& part, Size x, Size y) {
  for (Size row = 0; row < part.height; ++row) {
    for (Size column = 0; column < part.width; ++column) {
      whole.at(x + column, y + row) = part.at(column, row);
    }
  }
}

}  // namespace tarn::plot
