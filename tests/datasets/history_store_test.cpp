#include "tarn/datasets/history/history_store.hpp"

#include "tarn/core/errors.hpp"

#include "module_walk.hpp"
#include "scratch_directory.hpp"

#include <array>
#include <functional>

using namespace tarn;
using namespace tarn::test;
using Catch::Matchers::Contains;

namespace {

const Segments sets({0, 3, 3, 7, 8});

std::vector<Tensor> random_layers(std::span<const Size> widths, Size nodes) {
  std::vector<Tensor> layers;
  for (const Size width : widths) layers.push_back(random_tensor({nodes, width}, Rng(layers.size())));
  return layers;
}

std::vector<ConstMatrixView> views(const std::vector<Tensor>& layers, Rows rows) {
  std::vector<ConstMatrixView> result;
  for (const Tensor& x : layers) result.push_back(x.matrix().row_block(rows.begin, rows.end));
  return result;
}

/// Writes the layers in two batches of two graphs.
void write(const std::filesystem::path& path, const std::vector<Tensor>& layers,
           std::span<const Size> widths) {
  h5::write_atomically(path, [&](h5::File& file) {
    HistoryWriter writer(file, widths, "a test");
    writer.append(views(layers, {0, 3}), Segments({0, 3, 3}));
    writer.append(views(layers, {3, 8}), Segments({0, 4, 5}));
    writer.finish();
  });
}

/// What opening a damaged file says, after its name.
std::string message_of(const std::function<void(h5::File&)>& damage) {
  const ScratchDirectory folder;
  const std::filesystem::path path = folder.path() / "h.h5";
  const std::array<Size, 2> widths{2, 2};
  write(path, random_layers(widths, 8), widths);
  {
    h5::File file = h5::File::open(path, h5::Access::update);
    damage(file);
  }
  try {
    static_cast<void>(HistoryStore::open(path));
  } catch (const DataError& error) {
    return std::string(error.what()).substr(path.string().size());
  }
  return "no error";
}

}  // namespace

TEST_CASE("a history is read back bit for bit, by graphs in any order, kept or streamed",
          "[datasets][history]") {
  const ScratchDirectory folder;
  for (const std::vector<Size>& widths : {std::vector<Size>{4, 4, 4}, {3, 5, 4}, {6}}) {
    const auto layers = random_layers(widths, 8);
    const std::filesystem::path path = folder.path() / "h.h5";
    write(path, layers, widths);
    for (const Size cache : {Size{1} << 30, Size{0}}) {
      const HistoryStore store = HistoryStore::open(path, cache);
      CHECK(store.info().graphs == 4);
      CHECK(store.info().nodes == 8);
      CHECK(store.info().widths == widths);
      CHECK(store.info().source == "a test");
      const std::array<Size, 5> graphs{2, 3, 0, 1, 2};
      const HistoryBatch batch = store.read(graphs);
      CHECK(batch.sets.count() == 5);
      REQUIRE(batch.layers.size() == widths.size());
      Size row = 0;
      for (const Size g : graphs) {
        for (Size v = sets.rows(g).begin; v < sets.rows(g).end; ++v, ++row) {
          for (std::size_t l = 0; l < widths.size(); ++l) {
            const auto got = batch.layers[l].row_span(row), want = layers[l].matrix().row_span(v);
            CHECK(std::equal(got.begin(), got.end(), want.begin(), want.end()));
          }
        }
      }
      CHECK(row == batch.sets.num_rows());
      CHECK(store.read({}).sets.count() == 0);
    }
  }
}

TEST_CASE("a history file that breaks the format is refused", "[datasets][history][errors]") {
  CHECK(message_of([](h5::File&) {}) == "no error");
  CHECK(message_of([](h5::File& f) { f.set_attribute("format", "tarn-graph-store"); }) ==
        ":/: attribute 'format' is missing or another; expected 'tarn-history'");
  CHECK(message_of([](h5::File& f) { f.remove_attribute("format"); }) ==
        ":/: attribute 'format' is missing or another; expected 'tarn-history'");
  CHECK(message_of([](h5::File& f) { f.set_attribute("version", std::int64_t{2}); }) ==
        ":/: version 2; expected 1");
  CHECK(message_of([](h5::File& f) { f.remove("history"); }) != "no error");
  CHECK(message_of([](h5::File& f) { f.remove("offsets"); }) != "no error");
  CHECK(message_of([](h5::File& f) { f.dataset("history").resize(7); }) ==
        ":/history: shape is [7, 2, 2]; expected [8, 2, 2]");
  CHECK(message_of([](h5::File& f) {
          const std::vector<std::int64_t> value{9};
          f.dataset("offsets").write<std::int64_t>({1}, {1}, value);
        }) == ":/offsets: entry 2 is 3; expected offsets that start at 0 and never descend");
  CHECK(message_of([](h5::File& f) {
          const std::vector<std::int64_t> widths{2, 0};
          f.set_attribute("widths", std::span<const std::int64_t>(widths));
        }) == ":/: attribute 'widths' holds 0; expected at least 1");
}

TEST_CASE("numbers that are not finite are named, written or read", "[datasets][history][errors]") {
  const ScratchDirectory folder;
  const std::filesystem::path path = folder.path() / "h.h5";
  const std::array<Size, 2> widths{2, 3};
  auto layers = random_layers(widths, 8);
  write(path, layers, widths);
  {
    h5::File file = h5::File::open(path, h5::Access::update);
    const std::vector<Real> broken{std::numeric_limits<Real>::infinity()};
    file.dataset("layer.1").write<Real>({5, 2}, {1, 1}, broken);
  }
  const HistoryStore store = HistoryStore::open(path);
  const std::array<Size, 2> fine{0, 3}, hit{3, 2};
  CHECK_NOTHROW(store.read(fine));
  CHECK_THROWS_WITH(store.read(hit), Contains("h.h5:/: node 5, layer 1 holds inf; expected finite numbers"));
  const std::array<Size, 1> beyond{4};
  CHECK_THROWS_WITH(store.read(beyond), "history: graph 4; expected a number in [0, 4)");

  layers[0].matrix()(7, 1) = std::numeric_limits<Real>::quiet_NaN();
  CHECK_THROWS_WITH(write(path, layers, widths),
                    "history: node 0 of graph 3, layer 0 holds nan; expected finite numbers");
  CHECK_NOTHROW(HistoryStore::open(path));  // the old file still stands
}

TEST_CASE("layers of other widths or rows are not written", "[datasets][history][errors]") {
  const ScratchDirectory folder;
  const std::array<Size, 2> widths{2, 3}, others{2, 2};
  CHECK_THROWS_AS(write(folder.path() / "h.h5", random_layers(others, 8), widths), ShapeError);
  CHECK_FALSE(std::filesystem::exists(folder.path() / "h.h5"));
}
