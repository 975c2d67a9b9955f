#pragma once

#include "tarn/experiments/sphere/sphere_training.hpp"
#include "tarn/graph/healpix/rotation.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace tarn {

/// What maps show and what is asked of them: the class of an image on the sphere; l_p of a field with a
/// peaked spectrum; l_p of both spectra of a polarised field; the optical depth tau.
enum class SphereTask { images, peak, eb, tau };

enum class SphereProtocol { fixed, rotated };
inline std::span<const std::string_view> enum_names(SphereProtocol) {
  static constexpr std::array<std::string_view, 2> names{"fixed", "rotated"};
  return names;
}

/// `converged`: cross entropy, batches of 32; `published`: network, loss and schedule of the public code.
enum class SphereRecipe { converged, published };
inline std::span<const std::string_view> enum_names(SphereRecipe) {
  static constexpr std::array<std::string_view, 2> names{"converged", "published"};
  return names;
}

enum class Projection { rays, planar };
inline std::span<const std::string_view> enum_names(Projection) {
  static constexpr std::array<std::string_view, 2> names{"rays", "planar"};
  return names;
}

enum class SkyMask { cap, band };
inline std::span<const std::string_view> enum_names(SkyMask) {
  static constexpr std::array<std::string_view, 2> names{"cap", "band"};
  return names;
}

/// Options of every run on the sphere that are no tables.
struct SphereRunOptions {
  std::string network = "healpix-cnn";
  std::vector<std::string> readouts{"flatten"};
  std::vector<Size> seeds{0};
  Size epochs = 6;
  Size batch = 32;
  double lr = 1e-3;
  SphereLoss loss = SphereLoss::cross_entropy;
  Size final_epochs = 0;
  Size lr_patience = 0;
  double lr_factor = 0.1;
  double min_gain = 1e-4;
  Size patience = 0;
  healpix::Augment augment = healpix::Augment::none;

  void fields(Fields& f);
};

/// Those of images: the protocol and its recipe come first, for they decide what is not set.
struct SphereImageRunOptions : SphereRunOptions {
  SphereProtocol protocol = SphereProtocol::fixed;
  SphereRecipe recipe = SphereRecipe::converged;
  void fields(Fields& f);
};

/// Those of fields.
struct SphereFieldRunOptions : SphereRunOptions {
  std::vector<std::string> baselines{"fisher", "spectrum-likelihood", "pixel-likelihood"};
  void fields(Fields& f);
};

/// The table `data` of images.
struct SphereImageDataOptions {
  std::string path;
  Size nside = 16;
  std::vector<double> sizes{100};  ///< degrees, a column each
  Projection projection = Projection::rays;
  bool merge = false;
  healpix::RotationSampling rotations = healpix::RotationSampling::uniform;
  std::optional<Size> train;
  Size copies = 1;
  Size validation = 0;
  std::optional<Size> test;
  Size test_copies = 1;
  Size seed = 0;

  void fields(Fields& f);
};

/// How a Gaussian field is made, and which part of the sky is kept.
struct FieldRecipe {
  Size nside = 16;
  std::optional<Size> lmax;
  SkyMask mask = SkyMask::cap;
  double beam = 0;
  std::vector<double> pixel_window;
  double low = 5;
  double high = 20;
  double sigma_p = 5;
  double floor = 1e-5;
  Size seed = 0;

  void fields(Fields& f);
  [[nodiscard]] Size degrees() const { return lmax.value_or(3 * nside - 1); }
};

/// The table `data` of fields.
struct SphereFieldDataOptions : FieldRecipe {
  std::string path;
  Size train = 100000;
  Size validation = 10000;
  Size test = 1000;
  std::vector<double> f_sky{1};
  std::vector<double> noise{0};

  void fields(Fields& f);
};

/// A name of `tarn run`: what is asked and what differs from the defaults.
struct SpherePreset {
  std::string name;
  SphereTask task = SphereTask::images;
  std::string summary;
  Value defaults{Value::Table{}};
};

/// sphere-demo, sphere-mnist, sphere-peak, sphere-eb, sphere-tau.
[[nodiscard]] std::vector<SpherePreset> sphere_presets();

/// A resolved configuration, read.
struct SpherePlan {
  SphereTask task = SphereTask::images;
  SphereRunOptions run;
  SphereProtocol protocol = SphereProtocol::fixed;
  std::vector<std::string> baselines;
  SphereImageDataOptions images;
  SphereFieldDataOptions fields;
  Value model;

  [[nodiscard]] static SpherePlan read(const Value& resolved, SphereTask task);
  [[nodiscard]] SphereTrainingOptions training(const Rng& rng) const;
  [[nodiscard]] Size nside() const { return task == SphereTask::images ? images.nside : fields.nside; }
  /// Numbers that a network gives a map.
  [[nodiscard]] Size outputs(Size num_classes, Size num_targets) const;
  /// The network of a readout over a sky. Throws as its constructor does.
  [[nodiscard]] std::unique_ptr<SphereNetwork> network(const std::string& readout, const healpix::Sky& sky,
                                                       Size channels, Size outputs) const;
};

/// Every option filled in. Tables: `data` and `model` (options of the network). Reads no data. Throws
/// ConfigError or ValueError.
[[nodiscard]] Value resolve_sphere_run(const Value& given, const SpherePreset& preset);

[[nodiscard]] std::vector<FieldDescription> describe_sphere_run(const SpherePreset& preset);

}  // namespace tarn
