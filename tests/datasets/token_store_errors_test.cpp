#include "tarn/core/errors.hpp"
#include "tarn/datasets/token_store_tools.hpp"

#include "datasets/store_fixture.hpp"
#include <catch2/catch.hpp>
#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <functional>

#ifdef __SANITIZE_ADDRESS__
#include <hdf5.h>
#include <sanitizer/lsan_interface.h>
#endif

using namespace tarn;
using Catch::Matchers::Contains;

namespace {

/// Writes the fixture's store, breaks it, and gives the message that opening it throws.
std::string message_of(const std::function<void(h5::File&)>& damage, const StoreSpec& spec = {}) {
  const StoreFolder folder;
  const std::filesystem::path path = folder / "s.h5";
  write_store(path, spec);
  {
    h5::File file = h5::File::open(path, h5::Access::update);
    damage(file);
  }
  // Inspecting reports the same.
  const StoreReport report = inspect_store(path);
  try {
    static_cast<void>(TokenStore::open(path));
  } catch (const DataError& error) {
    const std::string message = error.what();
    CHECK(report.violations == std::vector<std::string>{message});
    return message.substr(path.string().size());
  }
  return report.violations.empty() ? "no error" : report.violations.front().substr(path.string().size());
}

void put_offset(h5::File& file, Size entry, std::int64_t value) {
  const std::vector<std::int64_t> values{value};
  file.dataset("train/a/offsets").write<std::int64_t>({entry}, {1}, values);
}

void replace_hidden(h5::File& file, h5::Type type, const Shape& shape) {
  file.remove("train/a/hidden");
  static_cast<void>(file.create_dataset("train/a/hidden", type, shape));
}

}  // namespace

TEST_CASE("root attributes of a token store that break the format are refused", "[datasets][store]") {
  using File = h5::File;
  CHECK(message_of([](File&) {}) == "no error");
  CHECK(message_of([](File& f) { f.remove_attribute("format"); }) ==
        ":/: attribute 'format' is missing; expected 'tarn-token-store'");
  CHECK(message_of([](File& f) { f.set_attribute("format", "mesh"); }) ==
        ":/: format 'mesh'; expected 'tarn-token-store'");
  CHECK(message_of([](File& f) { f.set_attribute<int>("version", 2); }) ==
        ":/: version 2; expected at most 1, the newest that this reader knows");
  CHECK(message_of([](File& f) { f.set_attribute("dtype", "int8"); }) ==
        ":/: dtype 'int8'; expected f16, bf16, f32 or f64");
  CHECK(message_of([](File& f) { f.set_attribute<int>("hidden_size", 0); }) ==
        ":/: hidden_size 0; expected at least 1");
  CHECK(message_of([](File& f) { f.set_attribute<int>("num_layers", 2); }) ==
        ":/: num_layers 2 with 1 numbers in layers; expected as many layers as it says, at least one");
  CHECK(message_of([](File& f) { f.set_attribute("label_type", "rank"); }) ==
        ":/: label_type 'rank'; expected none, class or real");
  CHECK(message_of([](File& f) { f.set_attribute<int>("num_texts", 0); }) ==
        ":/: num_texts 0; expected 1 to 26");
  CHECK(message_of([](File& f) { f.remove_attribute("hidden_size"); }) ==
        ":/: attribute 'hidden_size' is missing; expected it to be there");
}

TEST_CASE("a split with states missing or of the wrong shape or type is refused", "[datasets][store]") {
  using File = h5::File;
  CHECK(message_of([](File& f) { f.remove("train/a/hidden"); }) ==
        ":/train/a/hidden: is missing; expected a data set");
  CHECK(message_of([](File& f) { f.remove("train/a/offsets"); }) ==
        ":/train/a/offsets: is missing; expected a data set");
  const std::string expected = "; expected [T, 1, 8] (num_layers, hidden_size)";
  CHECK(message_of([](File& f) {
          replace_hidden(f, h5::Type::f16, {606, 8});
        }) == ":/train/a/hidden: has shape [606, 8]" + expected);
  CHECK(message_of([](File& f) {
          replace_hidden(f, h5::Type::f16, {606, 1, 9});
        }) == ":/train/a/hidden: has shape [606, 1, 9]" + expected);
  CHECK(message_of([](File& f) {
          replace_hidden(f, h5::Type::f16, {606, 2, 8});
        }) == ":/train/a/hidden: has shape [606, 2, 8]" + expected);
  CHECK(message_of([](File& f) {
          replace_hidden(f, h5::Type::f32, {606, 1, 8});
        }) == ":/train/a/hidden: holds float32 but dtype is f16; expected float16");
  CHECK(
      message_of([](File& f) { f.dataset("train/a/hidden").remove_attribute("encoding"); },
                 {.dtype = StateType::bf16}) ==
      ":/train/a/hidden: holds uint16 but dtype is bf16; expected uint16 with attribute encoding = bfloat16");
}

TEST_CASE("offsets that do not divide the states into rows are refused", "[datasets][store]") {
  using File = h5::File;
  CHECK(message_of([](File& f) { put_offset(f, 0, 1); }) ==
        ":/train/a/offsets: first is 1; expected offsets that start at 0");
  CHECK(message_of([](File& f) { put_offset(f, 2, 2); }) ==
        ":/train/a/offsets: entry 2 is 2 after 3; expected offsets that never descend");
  CHECK(message_of([](File& f) { put_offset(f, 5, 700); }) ==
        ":/train/a/offsets: end at 700 but hidden has 606 tokens; expected offsets of at most 606");
  CHECK(message_of([](File& f) { put_offset(f, 5, 605); }) ==
        ":/train/a/offsets: end at 605 but hidden of this complete split has 606 tokens; expected offsets to "
        "end at 606");
  CHECK(message_of([](File& f) { f.dataset("train/a/offsets").resize(5); }) ==
        ":/train/a/offsets: has shape [5]; expected at least 6 offsets for 5 rows");
  CHECK(message_of(
            [](File& f) {
              f.remove("train/b/offsets");
              f.write("train/b/offsets", std::vector<std::int64_t>{0, 4, 5, 7, 608, 611, 611});
            },
            {.num_texts = 2}) ==
        ":/train/b/offsets: has 6 rows but the split has 5; expected the same number of rows in every text");
}

TEST_CASE("labels that are missing, too few or outside the classes are refused", "[datasets][store]") {
  using File = h5::File;
  CHECK(message_of([](File& f) { f.dataset("train/labels").resize(4); }) ==
        ":/train/labels: has shape [4]; expected at least 5 labels, one per row");
  CHECK(message_of([](File& f) { f.remove("train/labels"); }) ==
        ":/train/labels: is missing; expected a data set");
  CHECK(message_of([](File& f) {
          f.dataset("train/labels").write<std::int64_t>({3}, {1}, std::vector<std::int64_t>{3});
        }) == ":/train/labels: row 3: label 3; expected a class in [0, 3), or -1 for none");
  CHECK(message_of([](File& f) {
          f.dataset("train/labels").write<std::int64_t>({3}, {1}, std::vector<std::int64_t>{-1});
        }) == "no error");
  CHECK(message_of([](File& f) { f.dataset("train/ids").resize(1); }) ==
        ":/train/ids: has shape [1]; expected at least 5 ids, one per row");
}

TEST_CASE("inspecting reads everything and finds what opening does not look at", "[datasets][store]") {
  using File = h5::File;
  CHECK(message_of([](File& f) {
          f.dataset("train/a/hidden").write<float>({5, 0, 2}, {1, 1, 1}, std::vector<float>{INFINITY});
        }) ==
        ":/train/a/hidden: row 3, token 1, channel 2 of layer 6: state is inf; expected finite numbers");
  CHECK(message_of([](File& f) {
          f.dataset("train/ids").write<std::int64_t>({1}, {1}, std::vector<std::int64_t>{20});
        }) == ":/train/ids: 20 stands twice; expected ids that are unique in the split");
  CHECK(message_of([](File& f) {
          f.dataset("train/a/token_ids").write<std::int32_t>({1}, {1}, std::vector<std::int32_t>{77});
        }) == ":/train/a/token_ids: token 1 has id 77; expected an id of the vocabulary, or -1");
  CHECK(message_of([](File& f) { f.dataset("train/a/flags").resize(3); }) ==
        ":/train/a/flags: has shape [3]; expected at least 606");
  CHECK(message_of([](File& f) {
          f.dataset("vocabulary/ids").write<std::int32_t>({1}, {1}, std::vector<std::int32_t>{0});
        }) == ":/vocabulary/ids: do not ascend; expected each id once, in order");
  CHECK(message_of([](File& f) {
          f.remove("vocabulary/tokens");
          f.write("vocabulary/tokens", std::vector<std::string>{"x"});
        }) == ":/vocabulary: has 5 ids and 1 tokens; expected one token per id");
}

TEST_CASE("states are not looked at for NaN where the reader is told so", "[datasets][store]") {
  const StoreFolder folder;
  write_store(folder / "s.h5");
  {
    h5::File file = h5::File::open(folder / "s.h5", h5::Access::update);
    file.dataset("train/a/hidden").write<float>({0, 0, 1}, {1, 1, 1}, std::vector<float>{NAN});
  }
  const TokenStore store = TokenStore::open(folder / "s.h5", {.check_finite = false});
  CHECK(std::isnan(store.split("train").read(std::vector<Size>{0}).x.data()[1]));
}

TEST_CASE("a report shows attributes, counts and first rows", "[datasets][store]") {
  const StoreFolder folder;
  write_store(folder / "s.h5");
  const StoreReport report = inspect_store(folder / "s.h5", 1);
  CHECK(report.violations.empty());
  CHECK_THAT(report.text, Contains("dtype           f16\n"));
  CHECK_THAT(report.text, Contains("split train: 5 rows, complete\n"));
  CHECK_THAT(report.text, Contains("a: 606 tokens; a text has 0 to 600, mean 121.2; truncated 0.0 %;"));
  CHECK_THAT(report.text, Contains("label 0: 2 rows\n"));
  CHECK_THAT(report.text, Contains("row 0 a: text 0\n      tokens: w0 w0 w0\n"));
  CHECK_THAT(report.text, Contains("every rule holds\n"));
  CHECK_THROWS_AS(inspect_store(folder / "none.h5"), IoError);
}

TEST_CASE("a writer refuses what a store cannot hold and leaves no file behind", "[datasets][store]") {
  const StoreFolder folder;
  const std::string place = (folder / "w.h5").string() + ":/train/a/hidden: ";
  {
    TokenStoreWriter writer(folder / "w.h5",
                            {.hidden_size = 2, .label_type = LabelType::classes, .num_classes = 2});
    const auto append = [&](Size cols, Real value, double label) {
      Tensor x(Shape{2, cols});
      x.data()[x.size() - 1] = value;
      const std::vector<TokenText> texts{{.states = x.matrix()}};
      writer.append(texts, label, 0);
    };
    CHECK_THROWS_WITH(append(2, 1, 0),
                      Contains("w.h5: a row outside of any split; expected begin_split first"));
    writer.begin_split("train");
    append(2, 65504, 1);
    CHECK_THROWS_WITH(
        append(2, 65536, 0),
        place + "row 1, token 1, channel 1: state is 65536; expected at most 65504 in f16; use dtype bf16");
    CHECK_THROWS_WITH(append(2, NAN, 0),
                      place + "row 1, token 1, channel 1: state is nan; expected finite numbers");
    CHECK_THROWS_WITH(append(3, 0, 0),
                      place +
                          "row 1 has states [2, 3], 0 token ids and 0 flags; expected states [n, "
                          "2] and n of each or none");
    CHECK_THROWS_WITH(append(2, 0, 2),
                      Contains("row 1: label 2; expected a class in [0, 2), or -1 for none"));
    CHECK_THROWS_WITH(writer.append({}, 0, 0), Contains("row 1 has 0 texts; expected 1"));
  }
  CHECK(!std::filesystem::exists(folder / "w.h5"));
  CHECK(!std::filesystem::exists(folder / "w.h5.part"));
}

TEST_CASE("a writer on a full disk leaves nothing behind, from its first byte on", "[datasets][store]") {
  const StoreFolder folder;
  const auto write = [&]() {
    TokenStoreWriter writer(folder / "w.h5", {.hidden_size = 64, .config = std::string(30000, 'x')});
    writer.begin_split("train");
    const Tensor x(Shape{5000, 64});
    const std::vector<TokenText> texts{{.states = x.matrix()}};
    writer.append(texts, 0, 0);
    writer.finish();
  };
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  for (const rlim_t bytes : {rlim_t{0}, rlim_t{2048}, rlim_t{65536}, rlim_t{300000}}) {
    const rlimit limit{bytes, old.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
#ifdef __SANITIZE_ADDRESS__
    // H5Fcreate of HDF5 1.10 loses 1 KiB of its own where it cannot write at all. It would take that from its
    // list of free blocks, which other tests have filled, so the list is emptied first.
    H5garbage_collect();
    if (bytes == 0) __lsan_disable();
#endif
    CHECK_THROWS_AS(write(), IoError);
#ifdef __SANITIZE_ADDRESS__
    if (bytes == 0) __lsan_enable();
#endif
    ::setrlimit(RLIMIT_FSIZE, &old);
    CHECK(!std::filesystem::exists(folder / "w.h5"));
    CHECK(!std::filesystem::exists(folder / "w.h5.part"));
  }
  std::signal(SIGXFSZ, old_handler);
  write();
  CHECK(TokenStore::open(folder / "w.h5").split("train").num_tokens() == 5000);
}
