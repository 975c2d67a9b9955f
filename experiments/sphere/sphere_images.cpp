#include "tarn/experiments/sphere/sphere_images.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/project_image.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>

namespace tarn {

namespace {

namespace fs = std::filesystem;
using healpix::Ordering;

constexpr Size merged_digit = 9, merged_with = 6;

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

Size class_of(std::uint8_t label, bool merge) {
  return merge && label == merged_digit ? merged_with : static_cast<Size>(label);
}

/// Puts images of one size onto maps; for any number of threads at once.
class Projector {
 public:
  Projector(const healpix::Grid& grid, const LabelledImages& images, const SphereImageDataOptions& options,
            SphereProtocol protocol, double size)
      : grid_(grid), height_(images.height), width_(images.width), options_(options), protocol_(protocol) {
    if (options.projection == Projection::rays) {
      rays_.emplace(grid, Ordering::nest, height_, width_, size, size);
      return;
    }
    // The place in the image of each pixel: the projection of an image of places.
    std::vector<double> places;
    for (Size i = 0; i < height_ * width_; ++i) places.push_back(static_cast<double>(i));
    healpix::PlanarOptions planar;
    planar.delta_theta = planar.delta_phi = size;
    const healpix::ProjectedImage image =
        healpix::project_planar(grid, Ordering::nest, places, height_, width_, planar);
    for (std::size_t p = 0; p < image.map.size(); ++p) {
      places_.push_back(image.hits[p] > 0 ? static_cast<Size>(image.map[p]) : -1);
    }
  }

  void operator()(std::span<const std::uint8_t> image, const Rng& rng, Real* map) const {
    if (!rays_) {
      for (std::size_t p = 0; p < places_.size(); ++p) {
        map[p] = places_[p] < 0 ? 0 : static_cast<Real>(image[at(places_[p])]) / Real(255);
      }
      return;
    }
    const std::vector<double> numbers(image.begin(), image.end());
    const healpix::ProjectedImage projected = (*rays_)(numbers, rotation(rng));
    for (std::size_t p = 0; p < projected.map.size(); ++p) {
      map[p] = static_cast<Real>(projected.map[p] / 255);
    }
  }

  [[nodiscard]] double coverage() const {
    Size covered = 0;
    if (rays_) {
      const std::vector<double> blank(at(height_ * width_));
      for (const std::int32_t hits : (*rays_)(blank, {}).hits) covered += hits > 0 ? 1 : 0;
    } else {
      for (const Size place : places_) covered += place >= 0 ? 1 : 0;
    }
    return static_cast<double>(covered) / static_cast<double>(grid_.num_pixels());
  }

 private:
  [[nodiscard]] healpix::Rotation rotation(const Rng& rng) const {
    if (protocol_ == SphereProtocol::fixed) return {};
    return healpix::random_rotation(rng, options_.rotations);
  }

  healpix::Grid grid_;
  Size height_, width_;
  const SphereImageDataOptions& options_;
  SphereProtocol protocol_;
  std::optional<healpix::ImageProjector> rays_;
  std::vector<Size> places_;
};

struct ImageRange {
  Size first = 0;
  Size count = 0;
  Size copies = 1;
};

SphereSamples project(const Projector& projector, const LabelledImages& images, const ImageRange& range,
                      Size pixels, bool merge, const Rng& rng) {
  const Size total = range.count * range.copies;
  SphereSamples samples{.maps = Tensor({total, pixels, 1})};
  for (Size k = 0; k < total; ++k) {
    samples.classes.push_back(class_of(images.labels[at(range.first + k % range.count)], merge));
  }
  for_blocks(total, 16, [&](Size begin, Size end) {
    for (Size k = begin; k < end; ++k) {
      const Size image = range.first + k % range.count, copy = k / range.count;
      projector(images.image(image),
                rng.split(static_cast<std::uint64_t>(image)).split(static_cast<std::uint64_t>(copy)),
                samples.maps.data() + k * pixels);
    }
  });
  return samples;
}

void require_images(const char* option, Size asked, Size there) {
  if (asked <= there) return;
  throw ConfigError(fmt::format("data.{}: got {} where there are {} images for it; expected at most as many",
                                option, asked, std::max<Size>(there, 0)));
}

}  // namespace

fs::path find_sphere_data(const std::string& path, const std::string& name) {
  if (!path.empty()) {
    if (fs::exists(path)) return path;
    throw IoError(fmt::format("{}: no such file or folder; expected what data.path names", path));
  }
  std::vector<fs::path> folders;
  const char* const variable = std::getenv("TARN_DATA");
  if (variable != nullptr && *variable != '\0') folders.emplace_back(variable);
  folders.push_back(fs::path("..") / "shared" / "data");
  std::vector<std::string> looked;
  for (const fs::path& folder : folders) {
    if (fs::exists(folder / name)) return folder / name;
    looked.push_back((folder / name).string());
  }
  throw IoError(
      fmt::format("{}: not at {}; expected it there (TARN_DATA names the folder that holds it, "
                  "data.path=PATH the place itself)",
                  name, fmt::join(looked, " or ")));
}

ImageSource read_image_source(const SphereImageDataOptions& options) {
  const fs::path folder = find_sphere_data(options.path, "mnist");
  ImageSource source{read_labelled_images(folder, "train"), read_labelled_images(folder, "t10k")};
  if (source.train.height != source.test.height || source.train.width != source.test.width) {
    throw DataError(fmt::format("{}: training images are {} x {}, test images {} x {}; expected one size",
                                folder.string(), source.train.height, source.train.width, source.test.height,
                                source.test.width));
  }
  return source;
}

SphereImages project_images(const ImageSource& source, const SphereImageDataOptions& options,
                            SphereProtocol protocol, double size) {
  const healpix::Grid grid(options.nside, "data.nside");
  const Size there = source.train.count();
  require_images("validation", options.validation, there - 1);
  const Size train = options.train.value_or(there - options.validation);
  require_images("train", train, there - options.validation);
  const Size test = options.test.value_or(source.test.count());
  require_images("test", test, source.test.count());

  const Projector projector(grid, source.train, options, protocol, size);
  const Rng rng = Rng(static_cast<std::uint64_t>(options.seed)).split("images");
  const auto part = [&](const LabelledImages& images, const ImageRange& range, const char* name) {
    return project(projector, images, range, grid.num_pixels(), options.merge, rng.split(name));
  };
  Size classes = 0;
  for (const LabelledImages* images : {&source.train, &source.test}) {
    for (const std::uint8_t label : images->labels) {
      classes = std::max(classes, class_of(label, options.merge) + 1);
    }
  }
  const Size copies = protocol == SphereProtocol::fixed ? 1 : options.copies,
             test_copies = protocol == SphereProtocol::fixed ? 1 : options.test_copies;
  return {{{.num_classes = std::max<Size>(classes, 2), .num_targets = 0},
           healpix::Sky(grid),
           1,
           part(source.train, {0, train, copies}, "train"),
           part(source.train, {there - options.validation, options.validation, 1}, "validation"),
           part(source.test, {0, test, test_copies}, "test")},
          projector.coverage()};
}

}  // namespace tarn
