#pragma once

#include "tarn/core/files.hpp"
#include "tarn/core/h5.hpp"
#include "tarn/experiments/sphere/sphere_options.hpp"

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

/// Small data for experiments on the sphere.
namespace tarn::test {

inline SpherePreset sphere_preset(const std::string& name) {
  for (const SpherePreset& preset : sphere_presets()) {
    if (preset.name == name) return preset;
  }
  throw std::logic_error(name);
}

inline std::string idx_text(const std::vector<Size>& shape, const std::string& bytes) {
  std::string text{'\0', '\0', '\x08', static_cast<char>(shape.size())};
  for (const Size extent : shape) {
    for (const int shift : {24, 16, 8, 0}) text += static_cast<char>(extent >> shift & 255);
  }
  return text + bytes;
}

/// Images of 8 x 8 whose upper left or lower right quarter is bright, by class; 9 labels come as 9.
inline void write_images(const std::filesystem::path& folder, Size train, Size test) {
  std::filesystem::create_directories(folder);
  for (const auto& [part, count] : {std::pair{"train", train}, std::pair{"t10k", test}}) {
    std::string pixels, labels;
    for (Size i = 0; i < count; ++i) {
      const Size label = i % 3 == 2 ? 9 : i % 3;
      labels += static_cast<char>(label);
      for (Size y = 0; y < 8; ++y) {
        for (Size x = 0; x < 8; ++x) {
          const bool bright = label == 0 ? x < 4 && y < 4 : label == 1 ? x >= 4 && y >= 4 : x >= 4 && y < 4;
          pixels += static_cast<char>(bright ? 200 + i % 40 : i % 30);
        }
      }
    }
    const std::string name = (folder / part).string();
    write_file_atomically(name + "-images-idx3-ubyte", idx_text({count, 8, 8}, pixels));
    write_file_atomically(name + "-labels-idx1-ubyte", idx_text({count}, labels));
  }
}

/// A file of spectra whose C_l^EE is tau^2 / (l + 1) for l >= 2.
inline void write_tau_file(const std::filesystem::path& path, Size lmax = 30) {
  const std::vector<double> taus = {0.02, 0.04, 0.06, 0.08, 0.1, 0.12};
  std::vector<double> ell, cl;
  for (Size l = 0; l <= lmax; ++l) ell.push_back(static_cast<double>(l));
  for (const double tau : taus) {
    for (const double l : ell) {
      cl.push_back(1);
      cl.push_back(l < 2 ? 0 : tau * tau / (l + 1));
      cl.push_back(0);
      cl.push_back(0);
    }
  }
  h5::write_atomically(path, [&](h5::File& file) {
    file.write<double>("tau", {static_cast<Size>(taus.size())}, taus);
    file.write<double>("ell", {lmax + 1}, ell);
    file.write<double>("cl", {static_cast<Size>(taus.size()), lmax + 1, 4}, cl);
  });
}

}  // namespace tarn::test
