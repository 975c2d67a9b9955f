#include "tarn/core/errors.hpp"
#include "tarn/datasets/token_batches.hpp"

#include "datasets/store_fixture.hpp"
#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

using namespace tarn;

namespace {

std::vector<Size> rows_of(BatchStream batches) {
  std::vector<Size> rows;
  while (const auto batch = batches.next()) rows.insert(rows.end(), batch->rows.begin(), batch->rows.end());
  return rows;
}

}  // namespace

TEST_CASE("an epoch holds every row once, in an order of seed and epoch alone", "[datasets][store]") {
  std::vector<Size> rows(10000);
  std::iota(rows.begin(), rows.end(), 0);
  CHECK(epoch_order(rows, Shuffle::none, 1, 0) == rows);
  for (const Shuffle shuffle : {Shuffle::full, Shuffle::window}) {
    std::vector<Size> order = epoch_order(rows, shuffle, 1, 0);
    CHECK(order == epoch_order(rows, shuffle, 1, 0));
    CHECK(order != epoch_order(rows, shuffle, 1, 1));
    CHECK(order != epoch_order(rows, shuffle, 2, 0));
    CHECK(order != rows);
    std::sort(order.begin(), order.end());
    CHECK(order == rows);
  }
}

TEST_CASE("a window order stays within few runs of the file at a time", "[datasets][store]") {
  std::vector<Size> rows(40960);
  std::iota(rows.begin(), rows.end(), 0);
  const std::vector<Size> order = epoch_order(rows, Shuffle::window, 3, 0);
  std::set<Size> runs;
  for (std::size_t i = 0; i < 4096; ++i) runs.insert(order[i] / 256);
  CHECK(runs.size() == 16);
  CHECK(*runs.rbegin() - *runs.begin() > 15);
}

TEST_CASE("batches carry states, labels and ids of their rows", "[datasets][store]") {
  const StoreFolder folder;
  write_store(folder / "s.h5", {.num_texts = 2});
  const TokenSplit split = TokenStore::open(folder / "s.h5").split("train");
  BatchStream batches(split, {.batch_size = 2, .seed = 4});
  CHECK(batches.num_batches() == 3);
  Size rows = 0;
  while (const auto batch = batches.next()) {
    REQUIRE(batch->texts.size() == 2);
    for (std::size_t i = 0; i < batch->rows.size(); ++i) {
      CHECK(batch->labels[i] == split.label(batch->rows[i]));
      CHECK(batch->ids[i] == split.id(batch->rows[i]));
      CHECK(batch->texts[1].sets.size(static_cast<Size>(i)) == split.length(batch->rows[i], 1));
      ++rows;
    }
    const TokenBatch again = split.read(batch->rows, 1);
    CHECK(std::equal(again.x.flat().begin(), again.x.flat().end(), batch->texts[1].x.flat().begin(),
                     batch->texts[1].x.flat().end()));
  }
  CHECK(rows == 5);
  CHECK(!batches.next());
}

TEST_CASE("a stream takes a subset of rows and goes on from any batch", "[datasets][store]") {
  const StoreFolder folder;
  write_store(folder / "s.h5");
  const TokenSplit split = TokenStore::open(folder / "s.h5", {.cache_mb = 0}).split("train");
  CHECK(rows_of(BatchStream(split, {.shuffle = Shuffle::none, .rows = {3, 1}})) == std::vector<Size>{3, 1});
  const std::vector<Size> whole = rows_of(BatchStream(split, {.batch_size = 2, .seed = 9}));
  const std::vector<Size> rest = rows_of(BatchStream(split, {.batch_size = 2, .seed = 9, .first_batch = 1}));
  CHECK(rest == std::vector<Size>(whole.begin() + 2, whole.end()));
}

TEST_CASE("a stream may be left before its end", "[datasets][store]") {
  const StoreFolder folder;
  write_store(folder / "s.h5", {.lengths = std::vector<Size>(50, 3)});
  const TokenSplit split = TokenStore::open(folder / "s.h5").split("train");
  for (int round = 0; round < 20; ++round) {
    BatchStream batches(split, {.batch_size = 1, .prefetch = 3});
    CHECK(batches.next().has_value());
  }
}

TEST_CASE("a stream passes on what reading throws and refuses wrong options", "[datasets][store]") {
  const StoreFolder folder;
  write_store(folder / "s.h5");
  {
    h5::File file = h5::File::open(folder / "s.h5", h5::Access::update);
    const std::vector<float> bad{NAN};
    file.dataset("train/a/hidden").write<float>({3, 0, 5}, {1, 1, 1}, bad);
  }
  const TokenSplit split = TokenStore::open(folder / "s.h5").split("train");
  BatchStream batches(split, {.batch_size = 1, .shuffle = Shuffle::none});
  CHECK(batches.next().has_value());
  CHECK(batches.next().has_value());
  CHECK_THROWS_WITH(batches.next(), (folder / "s.h5").string() +
                                        ":/train/a/hidden: row 2, token 0, channel 5 of layer 6: state is "
                                        "nan; expected finite numbers");
  CHECK_THROWS_WITH(BatchStream(split, {.batch_size = 0}),
                    "batch_size: got 0; expected a whole number of at least 1");
  CHECK_THROWS_WITH(BatchStream(split, {.prefetch = 0}),
                    "prefetch: got 0; expected a whole number of at least 1");
  CHECK_THROWS_AS(BatchStream(split, {.rows = {7}}), ValueError);
}
