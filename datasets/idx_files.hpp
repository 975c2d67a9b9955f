#pragma once

#include "tarn/core/real.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace tarn {

/// What an IDX file of unsigned bytes holds: a block of any rank, row major.
struct IdxBytes {
  std::vector<Size> shape;
  std::vector<std::uint8_t> values;
};

/// Reads an IDX file, plain or packed by gzip: two zero bytes, 0x08 for unsigned bytes, the rank, an extent
/// per dimension as a big-endian 32-bit word, then the bytes themselves. Throws IoError if it cannot be read,
/// DataError, naming the file, for damaged gzip data, another magic number or a count of bytes that the
/// header does not give.
[[nodiscard]] IdxBytes read_idx(const std::filesystem::path& path);

/// Grey images of one size with a class each.
struct LabelledImages {
  Size height = 0;
  Size width = 0;
  std::vector<std::uint8_t> pixels;  ///< [count, height, width], 0 .. 255, row 0 at the top
  std::vector<std::uint8_t> labels;  ///< [count]

  [[nodiscard]] Size count() const { return static_cast<Size>(labels.size()); }
  [[nodiscard]] std::span<const std::uint8_t> image(Size i) const {
    const Size size = height * width;
    return std::span(pixels).subspan(static_cast<std::size_t>(i * size), static_cast<std::size_t>(size));
  }
};

/// PART-images-idx3-ubyte and PART-labels-idx1-ubyte of a folder, with or without .gz: the files of MNIST and
/// its like; parts are "train" and "t10k". Throws IoError, naming the folder, for files that are not there,
/// DataError for images and labels that do not belong together.
[[nodiscard]] LabelledImages read_labelled_images(const std::filesystem::path& folder,
                                                  const std::string& part);

}  // namespace tarn
