#include "tarn/datasets/history/history_store.hpp"
#include "tarn/pooling/layer_pools/layer_pool.hpp"

#include "experiments/program_fixture.hpp"
#include "module_walk.hpp"
#include "scratch_directory.hpp"

#include <array>
#include <cstring>
#include <utility>

using namespace tarn;
using namespace tarn::test;

namespace {

/// Some random graphs of 0 to 60 nodes, as one set.
struct Graphs {
  std::vector<Graph> graphs;
  std::vector<Tensor> x;

  Graphs() {
    const Rng rng(7);
    for (Size g = 0; g < 12; ++g) {
      const Size nodes =
          std::array<Size, 12>{5, 60, 1, 17, 0, 33, 8, 2, 41, 12, 28, 19}[static_cast<std::size_t>(g)];
      std::vector<NodeId> from, to;
      for (Size e = 0; e < 3 * nodes; ++e) {
        const auto at = static_cast<std::uint64_t>(2 * (1000 * g + e));
        from.push_back(static_cast<NodeId>(rng.below(nodes, at)));
        to.push_back(static_cast<NodeId>(rng.below(nodes, at + 1)));
      }
      graphs.push_back(Graph::from_edges(nodes, from, to));
      x.push_back(random_tensor({nodes, 7}, Rng(static_cast<std::uint64_t>(g))));
    }
  }

  /// A batch of them; the features go to `joined`.
  [[nodiscard]] BackboneInput batch(Tape& tape, std::span<const Size> which, Tensor& joined) const {
    std::vector<Graph> parts;
    std::vector<Size> offsets{0};
    for (const Size g : which) {
      parts.push_back(graphs[static_cast<std::size_t>(g)]);
      offsets.push_back(offsets.back() + parts.back().num_nodes());
    }
    joined = Tensor({offsets.back(), 7});
    for (std::size_t b = 0; b < which.size(); ++b) {
      const Tensor& own = x[static_cast<std::size_t>(which[b])];
      std::copy_n(own.data(), own.size(), joined.matrix().row(offsets[b]));
    }
    return {.x = tape.input(joined), .graph = Graph::join(parts), .sets = Segments(offsets)};
  }
};

}  // namespace

TEST_CASE("a frozen history gives the bits of the end-to-end model, in any batch", "[frozen][layer-pool]") {
  const Graphs graphs;
  const std::vector<Size> all{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  for (const std::string conv : {"gin", "gat", "gcn"}) {
    BackboneOptions options;
    options.conv = conv;
    options.hidden = 16;
    options.layers = 3;
    options.in_channels = 7;
    options.dropout = 0.3;
    Backbone backbone(options);
    backbone.init(Rng(1));
    Tensor joined;
    {
      Tape tape;
      tape.reset({.training = true});  // moves the running statistics
      static_cast<void>(backbone.forward(tape, graphs.batch(tape, all, joined)));
    }
    const ScratchDirectory folder;
    // Written in batches of one, of five, and of the rest.
    const std::array<std::vector<Size>, 3> writing{
        std::vector<Size>{0}, {1, 2, 3, 4, 5}, {6, 7, 8, 9, 10, 11}};
    std::size_t batch = 0;
    write_history(folder / "h.h5", backbone, conv, [&](Tape& tape) -> std::optional<BackboneInput> {
      if (batch == writing.size()) return std::nullopt;
      return graphs.batch(tape, writing[batch++], joined);
    });
    for (const Size cache : {Size{1} << 30, Size{0}}) {
      const HistoryStore store = HistoryStore::open(folder / "h.h5", cache);
      for (const char* name : {"histograph", "jumping-knowledge", "scalar-mix", "gin-readout"}) {
        Value pool_options;
        if (std::string(name) == "histograph") pool_options.set("dim", 16);
        if (std::string(name) == "histograph") pool_options.set("residual", true);
        if (std::string(name) == "histograph") pool_options.set("layer_norm", true);
        if (std::string(name) == "gin-readout") pool_options.set("out_channels", 3);
        const auto pool = make_layer_pool(name, backbone.widths(), pool_options);
        pool->init(Rng(2));
        for (const std::vector<Size>& which : {all, {3}, {11, 4, 2, 7, 1}, {2}}) {
          CAPTURE(conv, name, cache, which.size());
          Tape end_to_end, frozen;
          end_to_end.reset();
          frozen.reset();
          const BackboneInput in = graphs.batch(end_to_end, which, joined);
          const auto live = backbone.forward(end_to_end, in);
          const auto y = numbers(pool->forward({.layers = live, .sets = in.sets}).y.value());
          const HistoryBatch read = store.read(which);
          const auto stored = read.on(frozen);
          const auto z = numbers(pool->forward({.layers = stored, .sets = read.sets}).y.value());
          REQUIRE(y.size() == z.size());
          CHECK(std::memcmp(y.data(), z.data(), y.size() * sizeof(Real)) == 0);
        }
      }
    }
  }
}

TEST_CASE("inspect says what a history holds, and what of it is broken", "[frozen][program][inspect]") {
  const Program tarn;
  const Graphs graphs;
  BackboneOptions options;
  options.hidden = 4;
  options.layers = 2;
  options.in_channels = 7;
  Backbone backbone(options);
  backbone.init(Rng(1));
  Tensor joined;
  bool given = false;
  write_history(tarn / "h.h5", backbone, "gin, seed 1", [&](Tape& tape) -> std::optional<BackboneInput> {
    if (std::exchange(given, true)) return std::nullopt;
    return graphs.batch(tape, std::vector<Size>{1, 4, 2}, joined);
  });
  const Outcome shown = tarn({"inspect", "h.h5"});
  CHECK(shown.code == 0);
  CHECK(shown.out ==
        "h.h5: layer history\n  source      gin, seed 1\n  graphs      3\n  nodes       61\n  widths      "
        "[4, 4, 4]\n");
  {
    h5::File file = h5::File::open(tarn / "h.h5", h5::Access::update);
    const std::vector<Real> nan{std::numeric_limits<Real>::quiet_NaN()};
    file.dataset("history").write<Real>({60, 1, 2}, {1, 1, 1}, nan);
  }
  const Outcome broken = tarn({"inspect", "h.h5"});
  CHECK(broken.code == 1);
  CHECK_THAT(broken.out,
             Catch::Contains("broken: h.h5:/: node 60, layer 1 holds nan; expected finite numbers"));
}
