#include "tarn/datasets/token_store.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/datasets/token_batches.hpp"
#include "tarn/datasets/token_source.hpp"
#include "tarn/datasets/token_store_tools.hpp"

#include "datasets/store_fixture.hpp"
#include <catch2/catch.hpp>
#include <malloc.h>

#include <algorithm>
#include <fstream>

using namespace tarn;
using Catch::Matchers::Contains;

namespace {

const std::vector<Size> mixed_rows{4, 1, 3, 0, 4, 2};

/// Compares a batch of the fixture's store with what was written; layer -1 is all stored layers.
void require_states(const TokenSplit& split, const TokenBatch& batch, std::span<const Size> rows, Size text,
                    Size layer) {
  REQUIRE(batch.sets.count() == static_cast<Size>(rows.size()));
  const Size dim = split.dim();
  for (std::size_t b = 0; b < rows.size(); ++b) {
    Size first = 0;
    for (Size r = 0; r < rows[b]; ++r) first += split.length(r, text);
    const Rows set = batch.sets.rows(static_cast<Size>(b));
    REQUIRE(set.size() == split.length(rows[b], text));
    for (Size i = 0; i < set.size(); ++i) {
      const Size cols = batch.x.size() / std::max<Size>(batch.sets.num_rows(), 1);
      for (Size j = 0; j < cols; ++j) {
        const Size s = layer < 0 ? j / dim : layer;
        const Real got = batch.x.data()[(set.begin + i) * cols + j];
        if (got != static_cast<Real>(store_state(first + i, s, j % dim))) {
          FAIL("row " << rows[b] << " token " << i << " column " << j << ": " << got);
        }
      }
    }
  }
}

Size bytes_read_by_process() {
  std::ifstream io("/proc/self/io");
  std::string key;
  Size value = 0;
  io >> key >> value;
  return value;
}

std::vector<Real> values_of(const TokenBatch& batch) {
  return {batch.x.flat().begin(), batch.x.flat().end()};
}

}  // namespace

TEST_CASE("a token store comes back in every type of state, empty and long texts included",
          "[datasets][store]") {
  const StoreFolder folder;
  for (const StateType dtype : {StateType::f16, StateType::bf16, StateType::f32, StateType::f64}) {
    for (const Size cache_mb : {Size{0}, Size{16}}) {
      write_store(folder / "s.h5", {.dtype = dtype});
      const TokenStore store = TokenStore::open(folder / "s.h5", {.cache_mb = cache_mb});
      CHECK(store.info().dtype == dtype);
      CHECK(store.info().model == "test");
      CHECK(store.split_names() == std::vector<std::string>{"train"});
      const TokenSplit split = store.split("train");
      CHECK(split.rows() == 5);
      CHECK(split.complete());
      CHECK(split.num_tokens() == 606);
      const TokenBatch batch = split.read(mixed_rows);
      CHECK(batch.x.shape() == Shape{2 + 0 + 600 + 3 + 2 + 1, 8});
      require_states(split, batch, mixed_rows, 0, 0);
      CHECK(split.read({}).sets.count() == 0);
    }
  }
}

TEST_CASE("a row of a store has label, id, length, text and tokens", "[datasets][store]") {
  const StoreFolder folder;
  write_store(folder / "s.h5");
  const TokenSplit split = TokenStore::open(folder / "s.h5").split("train");
  CHECK(split.label(4) == 1);
  CHECK(split.id(4) == 40);
  CHECK(split.length(3) == 600);
  CHECK(split.length(1) == 0);
  CHECK(split.text(2) == "text 2");
  CHECK(!split.truncated(2));
  CHECK(split.token_ids(4) == std::vector<std::int32_t>{4, 4});
  CHECK(split.flags(4) == std::vector<std::uint8_t>{0, 0});
  CHECK(split.tokens(0) == std::vector<std::string>{"w0", "w0", "w0"});
  const std::string place = (folder / "s.h5").string();
  CHECK_THROWS_WITH(split.label(5), place + ":/train: row 5; expected 0 to 4");
  CHECK_THROWS_WITH(split.read(std::vector<Size>{-1}), place + ":/train: row -1; expected 0 to 4");
  CHECK_THROWS_WITH(split.length(0, 1), place + ":/train: text 1; expected 0 to 0");
  CHECK_THROWS_WITH(TokenStore::open(folder / "s.h5").split("trian"),
                    place + ": no split 'trian'; did you mean 'train'? (known: train)");
}

TEST_CASE("pairs have offsets of their own", "[datasets][store]") {
  const StoreFolder folder;
  write_store(folder / "s.h5", {.num_texts = 2});
  const TokenSplit split = TokenStore::open(folder / "s.h5").split("train");
  CHECK(split.num_texts() == 2);
  CHECK(split.length(1, 1) == 1);
  for (const Size text : {Size{0}, Size{1}})
    require_states(split, split.read(mixed_rows, text), mixed_rows, text, 0);
}

TEST_CASE("a layer, all of them, their mean or a mix are read from an all-layers store",
          "[datasets][store]") {
  const StoreFolder folder;
  write_store(folder / "s.h5", {.layers = {0, 3, 6}});
  const TokenSplit split = TokenStore::open(folder / "s.h5", {.cache_mb = 0}).split("train");
  require_states(split, split.read(mixed_rows, 0, LayerSelection::parse("last")), mixed_rows, 0, 2);
  require_states(split, split.read(mixed_rows, 0, LayerSelection::parse("3")), mixed_rows, 0, 1);
  const TokenBatch all = split.read(mixed_rows, 0, LayerSelection::parse("all"));
  CHECK(all.x.shape() == Shape{608, 3, 8});
  require_states(split, all, mixed_rows, 0, -1);
  const TokenBatch mean = split.read(mixed_rows, 0, LayerSelection::parse("mean"));
  const TokenBatch mix = split.read(mixed_rows, 0, LayerSelection::mix({0.5, 0, 2}));
  for (Size i = 0; i < mean.x.shape()[0]; ++i) {
    for (Size j = 0; j < 8; ++j) {
      const Real* const x = all.x.data() + i * 24 + j;
      REQUIRE(mean.x.matrix()(i, j) == Approx((x[0] + x[8] + x[16]) / 3).margin(1e-6));
      REQUIRE(mix.x.matrix()(i, j) == Approx(0.5 * x[0] + 2 * x[16]).margin(1e-6));
    }
  }
  const std::string place = (folder / "s.h5").string();
  CHECK_THROWS_WITH(split.read(mixed_rows, 0, LayerSelection::one(5)),
                    place + ": layer 5 is not stored; expected one of 0, 3, 6");
  CHECK_THROWS_WITH(split.read(mixed_rows, 0, LayerSelection::mix({1})),
                    place + ": 1 layer weights; expected 3, one per stored layer");
  CHECK_THROWS_WITH(LayerSelection::parse("lst"),
                    "layers: got 'lst'; expected last, all, mean or the number of a layer");
}

TEST_CASE("one layer of an all-layers store is read without the others", "[datasets][store]") {
  const StoreFolder folder;
  write_store(folder / "s.h5", {.hidden_size = 64, .layers = {0, 1, 2, 3, 4, 5, 6, 7}, .lengths = {9000}});
  const TokenSplit split = TokenStore::open(folder / "s.h5", {.cache_mb = 0}).split("train");
  const Size before = bytes_read_by_process();
  const TokenBatch batch = split.read(std::vector<Size>{0}, 0, LayerSelection::one(5));
  const Size read = bytes_read_by_process() - before;
  require_states(split, batch, std::vector<Size>{0}, 0, 5);
  const Size layer_bytes = 9000 * 64 * 2;
  CHECK(read >= layer_bytes);
  CHECK(read < 2 * layer_bytes);
}

TEST_CASE("HDF5, pread, the cache and a mapped contiguous store give the same bits", "[datasets][store]") {
  const StoreFolder folder;
  write_store(folder / "s.h5", {.hidden_size = 48, .layers = {1, 2}, .num_texts = 2});
  convert_store(folder / "s.h5", folder / "flat.h5");
  const TokenSplit plain = TokenStore::open(folder / "s.h5", {.cache_mb = 0}).split("train");
  const TokenSplit direct =
      TokenStore::open(folder / "s.h5", {.cache_mb = 0, .io = StoreIo::pread}).split("train");
  const TokenSplit cached = TokenStore::open(folder / "s.h5").split("train");
  const TokenSplit mapped = TokenStore::open(folder / "flat.h5", {.cache_mb = 0}).split("train");
  CHECK(!plain.reads_at_random({}));
  CHECK(cached.reads_at_random({}));
  CHECK(mapped.reads_at_random({}));
  for (const LayerSelection& layers :
       {LayerSelection::last(), LayerSelection::all(), LayerSelection::mean()}) {
    for (const Size text : {Size{0}, Size{1}}) {
      const std::vector<Real> want = values_of(plain.read(mixed_rows, text, layers));
      for (const TokenSplit* split : {&direct, &cached, &mapped}) {
        CHECK(values_of(split->read(mixed_rows, text, layers)) == want);
      }
    }
  }
  CHECK_THROWS_WITH(TokenStore::open(folder / "flat.h5", {.io = StoreIo::pread}),
                    Contains("flat.h5:/train/a/hidden: io = pread with data that HDF5 must convert; expected "
                             "chunks [R, 1, 48]"));
}

TEST_CASE("a converted store keeps labels, tokens and attributes", "[datasets][store]") {
  const StoreFolder folder;
  write_store(folder / "s.h5", {.dtype = StateType::bf16});
  convert_store(folder / "s.h5", folder / "flat.h5");
  const TokenStore store = TokenStore::open(folder / "flat.h5");
  const TokenSplit split = store.split("train");
  CHECK(store.info().model == "test");
  CHECK(store.info().dtype == StateType::bf16);
  CHECK(split.complete());
  CHECK(split.label(2) == 2);
  CHECK(split.id(3) == 30);
  CHECK(split.text(4) == "text 4");
  CHECK(split.tokens(2) == std::vector<std::string>{"w2"});
  require_states(split, split.read(mixed_rows), mixed_rows, 0, 0);
  CHECK(inspect_store(folder / "flat.h5").violations.empty());
}

TEST_CASE("an interrupted export is read as far as it goes, with a warning", "[datasets][store]") {
  const StoreFolder folder;
  write_store(folder / "s.h5");
  {
    h5::File file = h5::File::open(folder / "s.h5", h5::Access::update);
    file.group("train").set_attribute<std::int64_t>("rows", 3);
    file.group("train").set_attribute<std::int8_t>("complete", 0);
  }
  std::vector<std::string> warnings;
  StoreOptions options;
  options.warn = [&](const std::string& line) { warnings.push_back(line); };
  const TokenSplit split = TokenStore::open(folder / "s.h5", options).split("train");
  CHECK(warnings ==
        std::vector<std::string>{(folder / "s.h5").string() +
                                 ":/train: the export was interrupted; the first 3 rows are used"});
  CHECK(split.rows() == 3);
  CHECK(!split.complete());
  CHECK(split.num_tokens() == 4);
  require_states(split, split.read(std::vector<Size>{2, 0}), std::vector<Size>{2, 0}, 0, 0);
}

TEST_CASE("what a newer minor version adds is ignored", "[datasets][store]") {
  const StoreFolder folder;
  write_store(folder / "s.h5");
  {
    h5::File file = h5::File::open(folder / "s.h5", h5::Access::update);
    file.set_attribute<std::int32_t>("minor", 7);
    file.set_attribute("unknown", "x");
    file.write("notes", std::vector<double>{1});
    file.write("train/a/extra", std::vector<double>{1});
  }
  const TokenSplit split = TokenStore::open(folder / "s.h5").split("train");
  require_states(split, split.read(mixed_rows), mixed_rows, 0, 0);
}

TEST_CASE("stores that h5py wrote are read, big-endian ones by HDF5's conversion", "[datasets][store]") {
  for (const char* name : {"little_store.h5", "big_endian_store.h5"}) {
    const TokenStore store = TokenStore::open(std::string(TARN_TESTS_DIR) + "/datasets/data/" + name);
    const TokenSplit split = store.split("train");
    CHECK(store.info().model == "h5py größer");
    CHECK(store.info().class_names == std::vector<std::string>{"no", "yes"});
    CHECK(split.rows() == 3);
    CHECK(split.label(2) == -1);
    CHECK(split.text(0) == "grün");
    const TokenBatch batch = split.read(std::vector<Size>{2, 0}, 0, LayerSelection::all());
    CHECK(batch.sets.size(0) == 4);
    require_states(split, batch, std::vector<Size>{2, 0}, 0, -1);
    CHECK(inspect_store(store.path()).violations.empty());
  }
}

TEST_CASE("a store of 100 000 texts opens with all of them", "[datasets][store]") {
  const StoreFolder folder;
  write_store(folder / "s.h5", {.hidden_size = 2, .lengths = std::vector<Size>(100000, 1)});
  const TokenSplit split = TokenStore::open(folder / "s.h5").split("train");
  CHECK(split.rows() == 100000);
  CHECK(split.read(std::vector<Size>{99999, 0}, 0, LayerSelection::all()).sets.num_rows() == 2);
}

TEST_CASE("states are opened with the chunk cache that the options ask for", "[datasets][store]") {
  const StoreFolder folder;
  write_store(folder / "s.h5", {.hidden_size = 64});
  const auto cache_of = [&](const StoreOptions& options) {
    const auto store = detail::open_store(folder / "s.h5", options);
    return store->splits.at("train")->texts[0].source->chunk_cache();
  };
  const h5::ChunkCache cache = cache_of({});
  CHECK(cache.bytes == Size{16} << 20);
  CHECK(cache.slots == 6421);  // the first prime above 100 times the 64 chunks that fit
  CHECK(cache.preemption == 0.75);
  CHECK(cache_of({.sequential = true}).preemption == 1.0);
  CHECK(cache_of({.cache_mb = 8}).bytes == Size{8} << 20);
}

// The address sanitizer keeps freed memory in quarantine, so that what is resident says nothing.
#ifndef __SANITIZE_ADDRESS__
namespace {

Size resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  Size total = 0, resident = 0;
  statm >> total >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

/// How far the resident set grows over an epoch of the store.
Size growth_over_epoch(const std::filesystem::path& path, Size cache_mb) {
  ::malloc_trim(0);
  const Size before = resident_bytes();
  const TokenSplit split = TokenStore::open(path, {.cache_mb = cache_mb}).split("train");
  Size most = before, rows = 0;
  BatchStream batches(split, {.batch_size = 16, .seed = 1});
  while (const auto batch = batches.next()) {
    rows += static_cast<Size>(batch->rows.size());
    most = std::max(most, resident_bytes());
  }
  CHECK(rows == 512);
  return most - before;
}

}  // namespace

TEST_CASE("streaming a 64 MiB store with a cache of 8 MiB stays small", "[datasets][store][slow]") {
  // Large blocks go back to the system when they are freed: what is resident is what the reader holds, not
  // what malloc keeps for later.
  ::mallopt(M_MMAP_THRESHOLD, 128 << 10);
  const StoreFolder folder;
  write_store(folder / "s.h5", {.hidden_size = 512, .lengths = std::vector<Size>(512, 128)});
  REQUIRE(std::filesystem::file_size(folder / "s.h5") > std::size_t{64} << 20);
  // The cache, and four batches of 16 * 128 * 512 numbers: one in use, two ahead, one being read into 4 MiB.
  const Size batch_bytes = 16 * 128 * 512 * static_cast<Size>(sizeof(Real));
  const Size bound = (Size{8} << 20) + 4 * batch_bytes + (Size{4} << 20);
  CHECK(growth_over_epoch(folder / "s.h5", 8) < bound);
  CHECK(growth_over_epoch(folder / "s.h5", 1024) > bound);  // the whole split: the measurement sees it
}
#endif
