#include "tarn/core/checkpoint.hpp"
#include "tarn/core/files.hpp"
#include "tarn/core/h5.hpp"
#include "tarn/core/layers.hpp"
#include "tarn/datasets/token_store.hpp"
#include "tarn/experiments/json.hpp"
#include "tarn/experiments/trained_readout.hpp"

#include "datasets/store_fixture.hpp"
#include "experiments/program_fixture.hpp"
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>

using namespace tarn;
using Catch::Contains;
using Catch::EndsWith;

namespace {

namespace fs = std::filesystem;

void check_error(const Outcome& outcome, int code, const std::string& message) {
  CHECK(outcome.code == code);
  CHECK_THAT(outcome.err, Contains(message));
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
}

std::string golden(const std::string& name) {
  return std::string(TARN_TESTS_DIR "/golden/") + name;
}

/// A model as the trainer saves it.
struct Model : Module {
  explicit Model(Size dim) : readout(child("readout", make_readout("adapool", dim))) {}
  Readout& readout;
  Linear& head = child("head", std::make_unique<Linear>(8, 3));
};

void save_model(Model& model, const fs::path& path, Size dim) {
  model.init(Rng(1));
  Value meta;
  meta.set("model", ReadoutRecord{"adapool", Value(Value::Table{}), dim}.value());
  save_checkpoint(path, model, nullptr, to_json(meta));
}

void cut_in_half(const fs::path& path) {
  fs::resize_file(path, fs::file_size(path) / 2);
}

}  // namespace

TEST_CASE("conform passes golden files and ends with a count", "[program][conform]") {
  const Program tarn;
  const Outcome all = tarn({"conform", golden("glot.h5")});
  CHECK(all.code == 0);
  CHECK_THAT(all.out, EndsWith(" passed, 0 failed\n"));
  const Outcome one =
      tarn({"conform", golden("convolutions.h5"), "--operators", "gat,gin", "--case", "gat*"});
  CHECK(one.code == 0);
  CHECK_THAT(one.out, !Contains("0 passed"));
}

TEST_CASE("conform fails a number that is off by 1e-3 and an unknown operator",
          "[program][conform][errors]") {
  const Program tarn;
  fs::copy_file(golden("glot.h5"), tarn / "changed.h5");
  {
    h5::File file = h5::File::open(tarn / "changed.h5", h5::Access::update);
    h5::Dataset y = file.dataset("adapool/outputs/y");
    std::vector<double> values = y.read<double>();
    values.front() += 1e-3;
    y.write(h5::origin(y.shape().rank()), y.shape(), std::span<const double>(values));
  }
  const Outcome changed = tarn({"conform", "changed.h5"});
  CHECK(changed.code == 1);
  CHECK_THAT(changed.out, Contains("outputs/y") && EndsWith(" passed, 1 failed\n"));
  {
    h5::File file = h5::File::open(tarn / "changed.h5", h5::Access::update);
    file.group("adapool").set_attribute("operator", "glott");
  }
  const Outcome unknown = tarn({"conform", "changed.h5"});
  CHECK(unknown.code == 1);
  CHECK_THAT(unknown.out, Contains("glott") && Contains("did you mean 'glot'?"));
  const Outcome known = tarn({"conform", "changed.h5", "--known"});
  CHECK(known.code == 0);
  CHECK_THAT(known.out,
             Contains("1 skipped: their operators are unknown\n") && EndsWith(" passed, 0 failed\n"));
  check_error(tarn({"conform", "missing.h5"}), 1, "missing.h5: cannot be opened: No such file or directory");
  cut_in_half(tarn / "changed.h5");
  check_error(tarn({"conform", "changed.h5"}), 1, "changed.h5");
}

TEST_CASE("generate writes the same texts for the same options", "[program][generate]") {
  const Program tarn;
  const Program::Arguments command{"generate", "stress", "a.jsonl", "num_samples=20", "mode=relational"};
  REQUIRE(tarn(command).code == 0);
  const std::string text = read_file(tarn / "a.jsonl");
  CHECK(std::count(text.begin(), text.end(), '\n') == 20);
  REQUIRE(tarn(command).code == 0);
  CHECK(read_file(tarn / "a.jsonl") == text);
  REQUIRE(tarn({"generate", "stress", "a.jsonl", "num_samples=20", "mode=relational", "seed=1"}).code == 0);
  CHECK(read_file(tarn / "a.jsonl") != text);
}

TEST_CASE("generate refuses what it cannot make", "[program][generate][errors]") {
  const Program tarn;
  check_error(tarn({"generate", "stres", "a"}), 2, "generate: unknown kind 'stres'; did you mean 'stress'?");
  check_error(tarn({"generate", "stress", "a", "ratios=0.5"}), 2,
              "command line: ratios: unknown option 'ratios' for generate stress; did you mean 'ratio'?");
  check_error(tarn({"generate", "stress", "a", "ratio=1.5"}), 2,
              "ratio: got 1.5; expected a number in [0, 1]");
  check_error(tarn({"generate", "stress", "a", "seq_len=10"}), 2, "seq_len");
  check_error(tarn({"generate", "stress", "none/a.jsonl"}), 1,
              "none/a.jsonl: cannot be written: No such file");
  check_error(tarn({"generate", "stress", "a"}, 1000), 1, "a: cannot be written: File too large");
  CHECK_FALSE(fs::exists(tarn / "a"));
  CHECK_FALSE(fs::exists(tarn / "a.part"));
}

TEST_CASE("convert rewrites a token store", "[program][convert]") {
  const Program tarn;
  write_store(tarn / "in.h5");
  REQUIRE(tarn({"convert", "store", "in.h5", "out.h5"}).code == 0);
  CHECK(TokenStore::open(tarn / "out.h5").split("train").rows() == 5);
  check_error(tarn({"convert", "stor", "in.h5", "x"}), 2,
              "convert: unknown kind 'stor'; did you mean 'store'?");
  check_error(tarn({"convert", "store", "no.h5", "x"}), 1,
              "no.h5: cannot be opened: No such file or directory");
  CHECK_FALSE(fs::exists(tarn / "x"));
}

TEST_CASE("inspect tells a good store from a broken one", "[program][inspect]") {
  const Program tarn;
  write_store(tarn / "store.h5");
  const Outcome good = tarn({"inspect", "store.h5", "--rows", "2"});
  CHECK(good.code == 0);
  CHECK_THAT(good.out, Contains("split train: 5 rows") && Contains("text 0") && Contains("every rule holds"));
  {
    h5::File file = h5::File::open(tarn / "store.h5", h5::Access::update);
    h5::Dataset labels = file.dataset("train/labels");
    labels.write({3}, {1}, std::span<const std::int64_t>(std::vector<std::int64_t>{7}));
  }
  const Outcome broken = tarn({"inspect", "store.h5"});
  CHECK(broken.code == 1);
  CHECK_THAT(broken.out, Contains("broken: ") && Contains("7"));
  cut_in_half(tarn / "store.h5");
  CHECK(tarn({"inspect", "store.h5"}).code == 1);
  std::ofstream(tarn / "notes.txt") << "not a store";
  check_error(tarn({"inspect", "notes.txt"}), 1, "notes.txt");
  check_error(tarn({"inspect", golden("glot.h5")}), 1,
              "has format ''; expected a token store, a graph store, ");
  check_error(tarn({"inspect", "missing.h5"}), 1, "missing.h5: cannot be opened: No such file or directory");
}

TEST_CASE("inspect lists the tensors of a checkpoint and finds NaN", "[program][inspect]") {
  const Program tarn;
  Model model(8);
  save_model(model, tarn / "last.h5", 8);
  const Outcome good = tarn({"inspect", "last.h5"});
  CHECK(good.code == 0);
  CHECK_THAT(good.out, Contains("\"readout\":\"adapool\"") && Contains("readout.score_layer.0.weight") &&
                           Contains("[128, 8]"));
  model.head.weight().value.fill(static_cast<Real>(NAN));
  save_checkpoint(tarn / "last.h5", model, nullptr, "{}");
  const Outcome broken = tarn({"inspect", "last.h5"});
  CHECK(broken.code == 1);
  CHECK_THAT(broken.out, Contains("broken: last.h5:/parameters/head.weight: number 0 is nan"));
}

TEST_CASE("inspect finds what is broken in a run directory", "[program][inspect]") {
  const Program tarn;
  fs::create_directories(tarn / "run/checkpoints/glot-0");
  std::ofstream(tarn / "run/config.toml") << "experiment = \"stress\"\n";
  std::ofstream(tarn / "run/results.json")
      << "{\"trials\": [{\"seed\": 0, \"accuracy\": 0.5}], \"summary\": []}";
  CHECK(tarn({"inspect", "run"}).code == 0);
  std::ofstream(tarn / "run/checkpoints/glot-0/last.h5") << "cut short";
  h5::write_atomically(tarn / "run/results.h5", [](h5::File& file) {
    file.create_group("epochs");
    h5::Group trials = file.create_group("trials");
    trials.write("seed", std::vector<double>{0, 1});
    trials.write("accuracy", std::vector<double>{0.5});
  });
  const Outcome broken = tarn({"inspect", "run"});
  CHECK(broken.code == 1);
  CHECK_THAT(broken.out, Contains("broken: run/checkpoints/glot-0/last.h5") &&
                             Contains("results.h5:/trials/seed: has shape [2]; expected [1]"));
  std::ofstream(tarn / "run/results.json") << "{";
  CHECK_THAT(tarn({"inspect", "run"}).out, Contains("broken: run/results.json:1:"));
  fs::remove(tarn / "run/config.toml");
  CHECK_THAT(tarn({"inspect", "run"}).out, Contains("broken: run/config.toml: cannot be read"));
}

TEST_CASE("embed writes pooled vectors, labels and ids of every split", "[program][embed]") {
  const Program tarn;
  write_store(tarn / "store.h5", {.num_texts = 2});
  REQUIRE(tarn({"embed", "store.h5", "out.h5", "readout=sum", "batch=2"}).code == 0);
  const h5::File file = h5::File::open(tarn / "out.h5");
  CHECK(file.group("train").children() == std::vector<std::string>{"a", "b", "ids", "labels"});
  CHECK(file.dataset("train/ids").read<std::int64_t>() == std::vector<std::int64_t>{0, 10, 20, 30, 40});
  CHECK(file.dataset("train/labels").read<std::int64_t>() == std::vector<std::int64_t>{0, 1, 2, 0, 1});
  const auto a = file.array<double>("train/a");
  CHECK(a.shape == Shape{5, 8});
  double wanted = 0;
  for (Size token = 0; token < 3; ++token) wanted += store_state(token, 0, 2);
  CHECK(a.values[2] == Approx(wanted));
  CHECK(std::all_of(a.values.begin() + 8, a.values.begin() + 16, [](double v) { return v == 0; }));
}

TEST_CASE("embed takes any readout that fits, with the options it needs", "[program][embed]") {
  const Program tarn;
  write_store(tarn / "store.h5");
  REQUIRE(tarn({"embed", "store.h5", "quantiles.h5", "readout=quantile"}).code == 0);
  REQUIRE(tarn({"embed", "store.h5", "median.h5", "readout=median"}).code == 0);
  const auto quantiles = h5::File::open(tarn / "quantiles.h5").array<double>("train/a");
  CHECK(quantiles.shape == Shape{5, 3 * 8});
  REQUIRE(
      tarn({"embed", "store.h5", "halves.h5", "readout=quantile", "q=[0.5]", "interpolation=lower"}).code ==
      0);
  CHECK(h5::File::open(tarn / "halves.h5").array<double>("train/a").values ==
        h5::File::open(tarn / "median.h5").array<double>("train/a").values);
  check_error(
      tarn({"embed", "store.h5", "out.h5", "readout=weighted-mean"}), 2,
      "embed: weighted-mean does not fit: needs a weight of every row; expected a readout of the rows of a "
      "set alone");
}

TEST_CASE("embed applies the readout of a checkpoint", "[program][embed]") {
  const Program tarn;
  write_store(tarn / "store.h5");
  Model model(8);
  save_model(model, tarn / "last.h5", 8);
  REQUIRE(tarn({"embed", "store.h5", "out.h5", "checkpoint=last.h5", "splits=[\"train\"]"}).code == 0);
  const auto got = h5::File::open(tarn / "out.h5").array<double>("train/a");
  const std::vector<Size> rows{0, 1, 2, 3, 4};
  const TokenBatch batch = TokenStore::open(tarn / "store.h5").split("train").read(rows);
  Tape tape;
  tape.reset({.training = false});
  const Var y = model.readout.forward({.x = tape.input(batch.x), .sets = batch.sets}).y;
  REQUIRE(got.shape == y.shape());
  for (Size row = 0; row < 5; ++row) {
    for (Size column = 0; column < 8; ++column) {
      CHECK(got.values[static_cast<std::size_t>(row * 8 + column)] ==
            Approx(y.value()(row, column)).margin(1e-6));
    }
  }
}

TEST_CASE("embed refuses what it cannot do and leaves nothing behind", "[program][embed][errors]") {
  const Program tarn;
  write_store(tarn / "store.h5");
  const auto embed = [&](Program::Arguments more) {
    more.insert(more.begin(), {"embed", "store.h5", "out.h5"});
    return tarn(more);
  };
  check_error(embed({}), 2,
              "embed: got neither readout nor checkpoint; expected readout=NAME or checkpoint=FILE");
  check_error(embed({"readout=mean", "checkpoint=x.h5"}), 2, "embed: got both readout and checkpoint");
  check_error(embed({"readout=maen"}), 2, "unknown readout 'maen'; did you mean 'mean'?");
  check_error(embed({"readout=glot"}), 2, "parameters; expected checkpoint=FILE of a trained one");
  check_error(embed({"readout=last", "n=3"}), 2, "unknown option 'n' for last");
  check_error(embed({"readout=last", "k=0"}), 2, "last.k: got 0; expected a whole number of at least 1");
  check_error(embed({"readout=mean", "layer=all"}), 2,
              "embed.layer: got \"all\"; expected a number or one of last, mean");
  check_error(embed({"readout=mean", "layer=3"}), 2, "store.h5: layer 3 is not stored; expected one of 6");
  check_error(embed({"readout=mean", "splits=[\"tran\"]"}), 2, "no split 'tran'; did you mean 'train'?");
  check_error(embed({"checkpoint=x.h5"}), 1, "x.h5: cannot be opened: No such file or directory");
  check_error(embed({"checkpoint=x.h5", "k=3"}), 2, "command line: k: a checkpoint has its options");
  Model model(6);
  save_model(model, tarn / "narrow.h5", 6);
  check_error(embed({"checkpoint=narrow.h5"}), 1, "narrow.h5: reads states of width 6; the store has 8");
  save_checkpoint(tarn / "bare.h5", model, nullptr, "{}");
  check_error(embed({"checkpoint=bare.h5"}), 1, "bare.h5: does not say which readout it holds");
  check_error(tarn({"embed", "store.h5", "none/out.h5", "readout=mean"}), 1, "none/out.h5");
  check_error(tarn({"embed", "store.h5", "out.h5", "readout=mean"}, 600), 1,
              "out.h5: cannot be written: File too large");
  check_error(tarn({"embed", "no.h5", "out.h5", "readout=mean"}), 1, "no.h5: cannot be opened");
  CHECK_FALSE(fs::exists(tarn / "out.h5"));
  CHECK_FALSE(fs::exists(tarn / "out.h5.part"));
}

TEST_CASE("a store with a state that is not finite stops with its row", "[program][embed][errors]") {
  const Program tarn;
  write_store(tarn / "store.h5", {.dtype = StateType::f32});
  {
    h5::File file = h5::File::open(tarn / "store.h5", h5::Access::update);
    file.dataset("train/a/hidden")
        .write({1, 0, 3}, {1, 1, 1}, std::span<const float>(std::vector<float>{NAN}));
  }
  check_error(tarn({"embed", "store.h5", "out.h5", "readout=mean"}), 1, "row 0");
  CHECK(tarn({"inspect", "store.h5"}).code == 1);
  cut_in_half(tarn / "store.h5");
  check_error(tarn({"embed", "store.h5", "out.h5", "readout=mean"}), 1, "store.h5");
  CHECK_FALSE(fs::exists(tarn / "out.h5"));
}

TEST_CASE("embed and convert leave nothing on a full disk", "[program][errors]") {
  const Program tarn;
  write_store(tarn / "states.h5", {.hidden_size = 64, .lengths = std::vector<Size>(40, 30)});
  const Outcome converted = tarn.on_small_disk({"convert", "store", "states.h5", "disk/copy.h5"}, 64);
  if (converted.code == Program::no_disk) {
    WARN("left out: no small disk can be mounted here");
    return;
  }
  check_error(converted, 1, "disk/copy.h5:/train/a/hidden: cannot be written: No space left on device");
  check_error(tarn.on_small_disk({"embed", "states.h5", "disk/out.h5", "readout=mean", "--quiet"}, 8), 1,
              "disk/out.h5: cannot be written: No space left on device");
}

TEST_CASE("fields are generated, converted and inspected", "[program][generate][convert][inspect][sky]") {
  const Program tarn;
  const auto fields = [](const std::string& out) {
    return Program::Arguments{"generate", "fields", out,      "maps=3",   "nside=4",
                              "kind=eb",  "low=2",  "high=6", "f_sky=0.5"};
  };
  const Outcome made = tarn(fields("maps.h5"));
  REQUIRE(made.code == 0);
  CHECK_THAT(made.err, Contains("maps.h5: 3 maps of 88 pixels written"));
  REQUIRE(tarn({"convert", "fits", "maps.h5", "maps.fits"}).code == 0);
  REQUIRE(tarn({"convert", "fits", "maps.fits", "back.h5"}).code == 0);
  const Outcome store = tarn({"inspect", "maps.h5"}), fits = tarn({"inspect", "maps.fits"}),
                back = tarn({"inspect", "back.h5"});
  CHECK_THAT(store.out, Contains("maps.h5: store of maps") && Contains("nside        4, NEST order") &&
                            Contains("pixels       88 of 192") && Contains("channel      U: ") &&
                            Contains("target       l_p_B: "));
  CHECK(store.out.substr(store.out.find('\n')) == fits.out.substr(fits.out.find('\n')));
  CHECK(store.out.substr(store.out.find('\n')) == back.out.substr(back.out.find('\n')));
  // A FITS file by name, and the same maps for the same seed.
  REQUIRE(tarn(fields("direct.fits")).code == 0);
  CHECK(tarn({"inspect", "direct.fits"}).out.substr(12) == fits.out.substr(10));

  check_error(tarn({"generate", "fields", "x.h5", "low=7", "high=6"}), 2,
              "generate fields.low: got 7 with high = 6");
  check_error(tarn({"generate", "fields", "x.h5", "low=0.5"}), 2,
              "generate fields.low: got 0.5 with high = 20; expected");
  check_error(tarn({"generate", "fields", "x.h5", "kind=tau"}), 2,
              "kind: got \"tau\"; expected one of peak, eb");
  check_error(tarn({"generate", "fields", "x.h5", "nside=5"}), 2, "nside 5; expected a power of two");
  check_error(tarn({"convert", "fits", "nowhere.fits", "x.h5"}), 1, "nowhere.fits: cannot be opened");
  CHECK_FALSE(fs::exists(tarn / "x.h5"));
}
