#pragma once

#include "tarn/core/real.hpp"
#include "tarn/datasets/mesh/polygon_soup.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::plot {

/// Pixels in rows from the top, white at first.
struct Image {
  Size width = 0;
  Size height = 0;
  std::vector<Colour> pixels;

  Image(Size w, Size h)
      : width(w), height(h), pixels(static_cast<std::size_t>(w * h), Colour{255, 255, 255}) {}
  [[nodiscard]] Colour& at(Size x, Size y) { return pixels[static_cast<std::size_t>(y * width + x)]; }
  [[nodiscard]] const Colour& at(Size x, Size y) const {
    return pixels[static_cast<std::size_t>(y * width + x)];
  }
};

/// The bytes of a PNG file, 8 bits a channel.
[[nodiscard]] std::string png_bytes(const Image& image);

/// Width and height as the head of a PNG file says. Throws DataError, naming `where`, for other bytes.
struct ImageSize {
  Size width = 0;
  Size height = 0;
};
[[nodiscard]] ImageSize png_size(std::string_view bytes, std::string_view where);

/// RFC 4648, with padding.
[[nodiscard]] std::string base64(std::string_view bytes);

/// Puts `part` into `whole` with its corner at x, y; it must fit.
void paste(Image& whole, const Image& part, Size x, Size y);

}  // namespace tarn::plot
