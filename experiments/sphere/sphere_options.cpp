#include "tarn/experiments/sphere/sphere_options.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/experiments/option_tables.hpp"
#include "tarn/experiments/sphere/sphere_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numbers>

namespace tarn {

namespace {

/// Options of a network that follow from the data and are not the user's.
constexpr std::array<std::string_view, 6> reserved = {"nside",       "ordering",     "pixels",
                                                      "in_channels", "out_features", "readout"};

const std::vector<std::string> known_baselines = {"fisher", "spectrum-likelihood", "exact-likelihood",
                                                  "pixel-likelihood"};

bool is_reserved(std::string_view name) {
  return std::find(reserved.begin(), reserved.end(), name) != reserved.end();
}

Value own_of(const Value& given) {
  return options_beside(given, {"data", "model"});
}

template <class E>
E read_enum(const Value& given, const char* key, E fallback) {
  const Value* value = given.find(key);
  if (value == nullptr || value->string() == nullptr) return fallback;
  const auto names = enum_names(fallback);
  const auto found = std::find(names.begin(), names.end(), *value->string());
  return found == names.end() ? fallback : static_cast<E>(found - names.begin());
}

/// What a protocol of images leaves unset.
Value image_defaults(SphereProtocol protocol, SphereRecipe recipe) {
  const bool published = recipe == SphereRecipe::published, rotated = protocol == SphereProtocol::rotated;
  Value o{Value::Table{}};
  o.set("loss", published ? "squared-error" : "cross-entropy");
  o.set("batch", published ? 200 : 32);
  if (rotated) {
    o.set("epochs", 40);
    o.set("lr_patience", 2);
    o.set("patience", 4);
    o.set_path("data.sizes", Value::List{180.0});
    o.set_path("data.merge", true);
    o.set_path("data.copies", 2);
    o.set_path("data.validation", 10000);
    o.set_path("data.test_copies", 5);
    o.set_path("model.blocks", 3);
    return o;
  }
  o.set("epochs", published ? 12 : 6);
  o.set("final_epochs", published ? 0 : 2);
  o.set_path("data.train", published ? 10000 : 5000);
  o.set_path("data.projection", published ? "planar" : "rays");
  if (published) {
    o.set_path("model.blocks", 1);
    o.set_path("model.hidden", 128);
  }
  return o;
}

/// What fields leave unset.
Value field_defaults(SphereTask task) {
  Value o{Value::Table{}};
  o.set("loss", task == SphereTask::tau ? "moments" : "squared-error");
  o.set("epochs", task == SphereTask::tau ? 45 : 40);
  o.set("lr_patience", task == SphereTask::tau ? 5 : 2);
  o.set("patience", task == SphereTask::tau ? 20 : 4);
  if (task != SphereTask::tau) return o;
  o.set_path("data.low", 0.03);
  o.set_path("data.high", 0.08);
  o.set_path("data.noise", Value::List{10.0});
  o.set_path("model.pool", "mean");
  return o;
}

/// The preset's values, those that protocol or task decide, and what the user gave, one over the other.
Value with_defaults(const Value& given, const SpherePreset& preset) {
  Value asked{Value::Table{}};
  if (!preset.defaults.is_null()) asked.merge(preset.defaults);
  asked.merge(given);
  Value all = preset.task == SphereTask::images
                  ? image_defaults(read_enum(asked, "protocol", SphereProtocol::fixed),
                                   read_enum(asked, "recipe", SphereRecipe::converged))
                  : field_defaults(preset.task);
  const std::string network = asked.find("network") != nullptr && asked.find("network")->string() != nullptr
                                  ? *asked.find("network")->string()
                                  : "healpix-cnn";
  // The published sizes are those of the published network.
  if (network != "healpix-cnn") all.set("model", Value::Table{});
  all.merge(asked);
  return all;
}

Value resolve_model(const Value& given, const std::string& network) {
  const auto& entry = sphere_networks().at(network);
  Value kept{Value::Table{}};
  for (const auto& [key, value] : *given.table()) {
    if (is_reserved(key)) {
      throw ConfigError(
          fmt::format("{}model.{}: follows from the data; expected an option of the network "
                      "beside it{}",
                      place_of(value), key, key == "readout" ? ", and readouts in the list readouts" : ""));
    }
  }
  const Value resolved = entry.resolve(given);
  for (const auto& [key, value] : *resolved.table()) {
    if (!is_reserved(key)) kept.set(key, value);
  }
  return kept;
}

template <class T>
void require_some(const char* option, const std::vector<T>& list) {
  if (list.empty()) throw ConfigError(fmt::format("{}: got []; expected at least one", option));
}

void check_run(const SphereRunOptions& run, bool images, bool validates) {
  require_some("readouts", run.readouts);
  require_some("seeds", run.seeds);
  static_cast<void>(sphere_networks().at(run.network));
  const bool classes = run.loss != SphereLoss::moments;
  if (images && !classes) {
    throw ConfigError("loss: got moments for classes; expected cross-entropy or squared-error");
  }
  if (!images && run.loss == SphereLoss::cross_entropy) {
    throw ConfigError("loss: got cross-entropy for numbers; expected squared-error or moments");
  }
  if (!validates && (run.lr_patience > 0 || run.patience > 0)) {
    throw ConfigError(
        fmt::format("{}: got {} without validation maps; expected 0, or data.validation above 0",
                    run.lr_patience > 0 ? "lr_patience" : "patience",
                    run.lr_patience > 0 ? run.lr_patience : run.patience));
  }
}

void check_augment(const SphereRunOptions& run, bool images) {
  using healpix::Augment;
  if (run.augment == Augment::none) return;
  if (images) {
    throw ConfigError("augment: changes where an image lies; expected none, or protocol = \"rotated\"");
  }
  if (run.augment == Augment::rotation) {
    throw ConfigError(
        "augment: got rotation, which blurs a field and changes its spectrum; expected none, rot90 or "
        "symmetry");
  }
}

void check_baselines(const std::vector<std::string>& baselines) {
  for (const std::string& name : baselines) {
    if (std::find(known_baselines.begin(), known_baselines.end(), name) != known_baselines.end()) continue;
    throw ConfigError(
        fmt::format("baselines: unknown baseline '{}'{}", name, suggestion(name, known_baselines)));
  }
}

void check_images(const SphereImageDataOptions& data, SphereProtocol protocol) {
  require_some("data.sizes", data.sizes);
  if (protocol == SphereProtocol::rotated && data.projection == Projection::planar) {
    throw ConfigError(
        "data.projection: got planar for the protocol rotated; expected rays, which can be turned");
  }
}

void check_fields(const SphereFieldDataOptions& data, SphereTask task) {
  require_some("data.f_sky", data.f_sky);
  require_some("data.noise", data.noise);
  static_cast<void>(field_smoothing(data));
  if (!(data.low < data.high)) {
    throw ConfigError(
        fmt::format("data.low: got {} with data.high = {}; expected less", data.low, data.high));
  }
  if (task == SphereTask::tau) return;
  if (!(data.low >= 1)) {
    throw ConfigError(fmt::format("data.low: got {}; expected a degree of at least 1", data.low));
  }
}

/// Builds every network once, so that what does not fit is said before data is made.
void check_networks(const SpherePlan& plan) {
  const healpix::Grid grid(plan.nside(), "data.nside");
  for (const std::string& readout : plan.run.readouts) {
    static_cast<void>(plan.network(readout, healpix::Sky(grid), 1, 2));
  }
}

}  // namespace

void SphereRunOptions::fields(Fields& f) {
  f("network", network, "healpix-cnn, healpix-deepsphere or healpix-bands");
  f("readouts", readouts, "what turns the last maps into a vector: flatten, or readouts over their pixels");
  f("seeds", seeds, at_least(0), "of parameters, order and dropout; one trial each");
  f("epochs", epochs, at_least(1), "at most");
  f("batch", batch, at_least(1), "maps per step");
  f("lr", lr, above(0), "learning rate of Adam");
  f("loss", loss,
    "cross-entropy or squared-error (of the softmax) for classes; squared-error or moments for "
    "numbers");
  f("final_epochs", final_epochs, at_least(0), "last epochs, which run at lr_factor times the rate");
  f("lr_patience", lr_patience, at_least(0),
    "epochs without gain in validation loss after which the rate falls; 0: never");
  f("lr_factor", lr_factor, above(0), "factor on the rate when it falls");
  f("min_gain", min_gain, at_least(0), "fall of the validation loss that counts as gain");
  f("patience", patience, at_least(0), "epochs without gain after which training ends; 0: never");
  f("augment", augment,
    "of the training fields: symmetries of the pixels that keep the sky, drawn anew for each map");
}

void SphereImageRunOptions::fields(Fields& f) {
  f("protocol", protocol, "fixed: all images at one place; rotated: each turned at random");
  f("recipe", recipe, "converged, or network, loss and schedule of the public code");
  SphereRunOptions::fields(f);
}

void SphereFieldRunOptions::fields(Fields& f) {
  SphereRunOptions::fields(f);
  f("baselines", baselines,
    "bounds and estimates beside the networks: fisher, spectrum-likelihood (from the analysed map, full "
    "sky), "
    "exact-likelihood (from the coefficients themselves), pixel-likelihood (partial skies)");
}

void SphereImageDataOptions::fields(Fields& f) {
  f("path", path, "folder of the IDX files; empty: TARN_DATA/mnist, then ../shared/data/mnist");
  f("nside", nside, at_least(1), "resolution of the maps, a power of two");
  f("sizes", sizes, Bounds{.low = 0, .high = 180, .low_open = true},
    "degrees that an image takes in both directions, a column each");
  f("projection", projection, "rays from the centre, or the nearest pixel of the image in theta and phi");
  f("merge", merge, "count the digit 9 as 6: upside down they are the same");
  f("rotations", rotations, "how rotations are drawn");
  f("train", train, at_least(1), "training images, the first ones; null: all but those of the validation");
  f("copies", copies, at_least(1), "projections of each training image, each turned anew");
  f("validation", validation, at_least(0), "validation images, the last ones of the training file");
  f("test", test, at_least(1), "test images, the first ones; null: all");
  f("test_copies", test_copies, at_least(1), "projections of each test image");
  f("seed", seed, at_least(0), "of the rotations");
}

void FieldRecipe::fields(Fields& f) {
  f("nside", nside, at_least(1), "resolution of the maps, a power of two");
  f("lmax", lmax, at_least(2), "highest degree of the fields; null: 3 nside - 1");
  f("mask", mask, "which part is kept: a polar cap, or both caps without a band at the equator");
  f("beam", beam, at_least(0), "full width at half maximum of a Gaussian beam, degrees");
  f("pixel_window", pixel_window, at_least(0),
    "factors of the coefficients at degrees 0, 1, ... lmax, as pixels smooth them; empty: none");
  f("low", low, any_finite(), "lowest l_p, or tau, of the maps");
  f("high", high, any_finite(), "highest");
  f("sigma_p", sigma_p, above(0), "width of the peak");
  f("floor", floor, at_least(0), "power below the peak");
  f("seed", seed, at_least(0), "of the fields");
}

void SphereFieldDataOptions::fields(Fields& f) {
  f("path", path, "cl-tau.h5 for tau; empty: TARN_DATA/cmb, then ../shared/data/cmb");
  f("train", train, at_least(2), "training maps");
  f("validation", validation, at_least(0), "validation maps");
  f("test", test, at_least(2), "test maps");
  f("f_sky", f_sky, Bounds{.low = 0, .high = 1, .low_open = true}, "shares of the sky, a column each");
  f("noise", noise, at_least(0),
    "white noise: times the deviation of the signal; for tau in muK arcmin. Each value a table or a column");
  FieldRecipe::fields(f);
}

std::vector<SpherePreset> sphere_presets() {
  Value demo{Value::Table{}}, peak{Value::Table{}};
  demo.set("epochs", 12);
  demo.set("final_epochs", 3);
  demo.set("lr_patience", 0);
  demo.set("patience", 0);
  demo.set("augment", "symmetry");
  demo.set_path("data.nside", 8);
  demo.set_path("data.low", 4.0);
  demo.set_path("data.high", 12.0);
  demo.set_path("data.sigma_p", 3.0);
  demo.set_path("data.f_sky", Value::List{1.0, 0.3});
  demo.set_path("data.train", 3000);
  demo.set_path("data.validation", 500);
  demo.set_path("data.test", 500);
  demo.set_path("model.blocks", 3);
  peak.set_path("data.f_sky", Value::List{1.0, 0.5, 0.2, 0.1, 0.05});
  return {{"sphere-demo", SphereTask::peak, "peak of a field's spectrum on small generated maps, in minutes",
           demo},
          {"sphere-mnist", SphereTask::images, "digits on the sphere, at one place or turned at random", {}},
          {"sphere-peak", SphereTask::peak,
           "peak of a field's spectrum from full and partial skies, beside Fisher and likelihood", peak},
          {"sphere-eb", SphereTask::eb, "peaks of the E and B spectra of a polarised field", {}},
          {"sphere-tau", SphereTask::tau, "optical depth from the polarised microwave background", {}}};
}

SpherePlan SpherePlan::read(const Value& resolved, SphereTask task) {
  SpherePlan plan;
  plan.task = task;
  plan.model = table_of(resolved, "model");
  if (task == SphereTask::images) {
    const auto run = read_options<SphereImageRunOptions>(own_of(resolved), "sphere");
    plan.run = run;
    plan.protocol = run.protocol;
    plan.images = read_options<SphereImageDataOptions>(table_of(resolved, "data"), "data");
    return plan;
  }
  const auto run = read_options<SphereFieldRunOptions>(own_of(resolved), "sphere");
  plan.run = run;
  plan.baselines = run.baselines;
  plan.fields = read_options<SphereFieldDataOptions>(table_of(resolved, "data"), "data");
  return plan;
}

SphereTrainingOptions SpherePlan::training(const Rng& rng) const {
  return {.epochs = run.epochs,
          .batch = run.batch,
          .lr = run.lr,
          .loss = run.loss,
          .final_epochs = run.final_epochs,
          .lr_patience = run.lr_patience,
          .lr_factor = run.lr_factor,
          .min_gain = run.min_gain,
          .patience = run.patience,
          .augment = run.augment,
          .stokes = task == SphereTask::eb || task == SphereTask::tau,
          .rng = rng};
}

Size SpherePlan::outputs(Size num_classes, Size num_targets) const {
  if (task == SphereTask::images) return num_classes;
  return run.loss == SphereLoss::moments ? 2 * num_targets : num_targets;
}

std::unique_ptr<SphereNetwork> SpherePlan::network(const std::string& readout, const healpix::Sky& sky,
                                                   Size channels, Size outputs) const {
  Value options = model;
  options.set("nside", sky.grid().nside());
  if (!sky.full()) {
    Value::List pixels;
    for (Size row = 0; row < sky.size(); ++row) pixels.emplace_back(sky.pixel(row));
    options.set("pixels", pixels);
  }
  options.set("in_channels", channels);
  options.set("out_features", outputs);
  options.set("readout", readout);
  return sphere_networks().make(run.network, options);
}

Value resolve_sphere_run(const Value& given, const SpherePreset& preset) {
  const Value all = with_defaults(given, preset);
  const bool images = preset.task == SphereTask::images;
  Value resolved;
  if (images) {
    const auto run = read_options<SphereImageRunOptions>(own_of(all), preset.name);
    const auto data = read_options<SphereImageDataOptions>(table_of(all, "data"), "data");
    check_run(run, images, data.validation > 0);
    check_augment(run, images);
    check_images(data, run.protocol);
    resolved = write_options(run);
    resolved.set("data", write_options(data));
  } else {
    const auto run = read_options<SphereFieldRunOptions>(own_of(all), preset.name);
    const auto data = read_options<SphereFieldDataOptions>(table_of(all, "data"), "data");
    check_run(run, images, data.validation > 0);
    check_augment(run, images);
    check_baselines(run.baselines);
    check_fields(data, preset.task);
    resolved = write_options(run);
    resolved.set("data", write_options(data));
  }
  const std::string network = *resolved.find("network")->string();
  resolved.set("model", resolve_model(table_of(all, "model"), network));
  check_networks(SpherePlan::read(resolved, preset.task));
  return resolved;
}

std::vector<FieldDescription> describe_sphere_run(const SpherePreset& preset) {
  const bool images = preset.task == SphereTask::images;
  std::vector<FieldDescription> result =
      images ? describe_options<SphereImageRunOptions>() : describe_options<SphereFieldRunOptions>();
  describe_table(
      result, "data",
      images ? describe_options<SphereImageDataOptions>() : describe_options<SphereFieldDataOptions>());
  std::vector<FieldDescription> network = sphere_networks().at("healpix-cnn").describe();
  std::erase_if(network, [](const FieldDescription& field) { return is_reserved(field.name); });
  describe_table(result, "model", network);
  describe_defaults(result, with_defaults(Value(Value::Table{}), preset));
  return result;
}

}  // namespace tarn
