#include "tarn/graph/backbone.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"

#include "module_walk.hpp"

#include <array>

using namespace tarn;
using namespace tarn::test;

namespace {

const Segments sets({0, 3, 3, 7});

Graph sample_graph() {
  return Graph::from_edges(7, std::vector<NodeId>{0, 1, 1, 2, 3, 4, 5, 6, 3},
                           std::vector<NodeId>{1, 0, 2, 1, 4, 3, 6, 5, 3});
}

Value table(std::initializer_list<std::pair<std::string, Value>> entries) {
  Value v{Value::Table{}};
  for (const auto& [key, value] : entries) v.set(key, value);
  return v;
}

BackboneOptions options() {
  BackboneOptions o;
  o.conv = "gcn";
  o.hidden = 6;
  o.layers = 3;
  o.in_channels = 4;
  return o;
}

std::vector<std::vector<Real>> history(Backbone& backbone, const Tensor& x, Pass pass = {}) {
  Tape tape;
  tape.reset(pass);
  std::vector<std::vector<Real>> result;
  for (const Var& h : backbone.forward(tape, {.x = tape.input(x), .graph = sample_graph(), .sets = sets})) {
    result.push_back(numbers(h.value()));
  }
  return result;
}

std::vector<std::string> parameter_names(Backbone& backbone) {
  std::vector<std::string> names;
  for (const auto& [name, p] : backbone.state()) names.push_back(name);
  return names;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The part of a backbone's state under a prefix, copied into a module of its own.
void copy_part(Backbone& from, const std::string& prefix, Module& to) {
  for (const auto& [name, p] : from.state()) {
    if (!name.starts_with(prefix)) continue;
    const std::vector<double> values(p->value.flat().begin(), p->value.flat().end());
    to.load(name.substr(prefix.size()), p->value.shape(), values);
  }
}

}  // namespace

TEST_CASE("a backbone gives the embedded input and every layer", "[graph][backbone]") {
  BackboneOptions o = options();
  o.residual = true;
  Backbone backbone(o);
  backbone.init(Rng(1));
  const Tensor x = random_tensor({7, 4}, Rng(2));
  const auto layers = history(backbone, x, {.training = true});
  REQUIRE(layers.size() == 4);
  CHECK(backbone.widths() == std::vector<Size>{6, 6, 6, 6});
  CHECK(backbone.num_layers() == 3);

  Linear embed(4, 6);
  copy_part(backbone, "embed.", embed);
  const auto gcn = convolutions().make("gcn", table({{"in_channels", 6}, {"out_channels", 6}}));
  copy_part(backbone, "convs.0.", *gcn);
  const auto norm = make_norm("batch-norm", 6);
  copy_part(backbone, "norms.0.", *norm);
  Tape tape;
  tape.reset({.training = true});
  const Var h = embed.forward(tape.input(x));
  check_close(layers[0], numbers(h.value()));
  const Var normed = norm->forward(gcn->forward({.x = h, .graph = sample_graph()}), sets);
  check_close(layers[1], numbers(add(relu(normed), h).value()));
}

TEST_CASE("layers of a backbone may differ, and know each other's widths", "[graph][backbone]") {
  BackboneOptions o = options();
  o.residual = true;
  o.layer_options = {table({{"conv", "gat"}, {"hidden", 8}, {"conv_options", table({{"heads", 2}})}}),
                     table({{"conv", "gin"}, {"norm", "none"}, {"activation", "none"}})};
  Backbone backbone(o);
  CHECK(backbone.widths() == std::vector<Size>{6, 8, 6, 6});
  const auto names = parameter_names(backbone);
  CHECK(has(names, "convs.0.att_src"));
  CHECK(has(names, "convs.1.nn.0.weight"));
  CHECK(has(names, "norms.2.running_mean"));
  CHECK_FALSE(has(names, "norms.1.weight"));
  backbone.init(Rng(1));
  const auto layers = history(backbone, random_tensor({7, 4}, Rng(2)));
  CHECK(layers[1].size() == 56);
  CHECK(*std::min_element(layers[2].begin(), layers[2].end()) < 0);  // no activation
}

TEST_CASE("options of a backbone are read from a table", "[graph][backbone]") {
  const Value given = table({{"conv", "gat"},
                             {"conv_options", table({{"heads", 4}, {"concat", false}})},
                             {"layers", 2},
                             {"hidden", 8},
                             {"norm", "graph-norm"},
                             {"dropout", 0.25},
                             {"residual", true},
                             {"virtual_node", true},
                             {"virtual_node_options", table({{"norm", "none"}})},
                             {"in_channels", 4}});
  const auto o = read_options<BackboneOptions>(given, "backbone");
  CHECK(o.dropout == 0.25);
  Backbone backbone(o);
  CHECK(backbone.widths() == std::vector<Size>{8, 8, 8});
  CHECK(has(parameter_names(backbone), "virtual_nodes.0.mlp.2.weight"));
  CHECK_FALSE(
      has(parameter_names(backbone), "virtual_nodes.1.mlp.0.weight"));  // nobody reads what it would write
  CHECK(write_options(o).find("conv_options")->find("heads")->integer() != nullptr);
}

TEST_CASE("embedding tables sum a row per integer column", "[graph][backbone]") {
  BackboneOptions o = options();
  o.embedding = InputEmbedding::tables;
  o.table_sizes = {3, 2};
  o.layers = 0;
  Backbone backbone(o);
  backbone.init(Rng(1));
  const std::vector<std::int32_t> ids{0, 0, 1, 0, 2, 1, 0, 1, 0, 0, 0, 0, 2, 0};
  Tape tape;
  tape.reset();
  const auto h = backbone.forward(tape, {.ids = ids, .graph = sample_graph(), .sets = sets});
  REQUIRE(h.size() == 1);
  const auto state = backbone.state();
  REQUIRE(state[0].first == "embed.0.weight");
  CHECK(h[0].value()(2, 3) == state[0].second->value.matrix()(2, 3) + state[1].second->value.matrix()(1, 3));
}

TEST_CASE("without an embedding the history begins with the input itself", "[graph][backbone]") {
  BackboneOptions o = options();
  o.embedding = InputEmbedding::none;
  Backbone backbone(o);
  backbone.init(Rng(1));
  CHECK(backbone.widths() == std::vector<Size>{4, 6, 6, 6});
  const Tensor x = random_tensor({7, 4}, Rng(2));
  CHECK(history(backbone, x)[0] == numbers(x.matrix()));
}

TEST_CASE("a virtual node lets distant nodes of a graph, and no others, see each other",
          "[graph][backbone]") {
  BackboneOptions o = options();
  o.virtual_node = true;
  o.layers = 2;
  Backbone backbone(o);
  backbone.init(Rng(1));
  Tensor x = random_tensor({7, 4}, Rng(2));
  const auto before = history(backbone, x);
  x.matrix()(3, 0) += 1;  // nodes 3, 4 and 5, 6 are two components of the last graph
  const auto after = history(backbone, x);
  const auto moved = [&](std::size_t layer, Size node) {
    const auto row = [&](const auto& h) {
      return std::span(h[layer]).subspan(static_cast<std::size_t>(6 * node), 6);
    };
    return !std::equal(row(before).begin(), row(before).end(), row(after).begin());
  };
  CHECK_FALSE(moved(1, 5));
  CHECK(moved(2, 5));
  CHECK_FALSE(moved(2, 0));
}

TEST_CASE("a backbone says how small a training batch may be", "[graph][backbone]") {
  BackboneOptions o = options();
  CHECK(Backbone(o).smallest_batch().nodes == 2);
  o.norm_options = table({{"allow_single_element", true}});
  CHECK(Backbone(o).smallest_batch().nodes == 1);
  o.norm_options = {};
  o.norm = "graph-norm";
  CHECK(Backbone(o).smallest_batch().nodes == 1);
  o.conv = "gin";
  o.conv_options = table({{"norm", "batch-norm"}});
  CHECK(Backbone(o).smallest_batch().nodes == 2);
  CHECK(Backbone(o).smallest_batch().graphs == 1);
  o.virtual_node = true;
  CHECK(Backbone(o).smallest_batch().graphs == 2);
}

TEST_CASE("edge features and weights reach the convolutions that read them", "[graph][backbone]") {
  const Tensor x = random_tensor({7, 4}, Rng(2)), weight = random_tensor({9}, Rng(3)),
               attr = random_tensor({9, 2}, Rng(4));
  for (const std::string conv : {"gcn", "gine"}) {
    BackboneOptions o = options();
    o.conv = conv;
    o.edge_dim = 2;
    Backbone backbone(o);
    backbone.init(Rng(1));
    const auto last = [&](const Tensor* weights, const Tensor* features) {
      Tensor positive = weight.clone();
      for (Real& v : positive.flat()) v = std::abs(v);
      Tape tape;
      tape.reset();
      BackboneInput in{.x = tape.input(x), .graph = sample_graph(), .sets = sets};
      if (weights != nullptr) in.edge_weight = tape.input(positive);
      in.edge_attr = tape.input(*features);
      return numbers(backbone.forward(tape, in).back().value());
    };
    const Tensor other = random_tensor({9, 2}, Rng(5));
    CHECK((last(&weight, &attr) != last(nullptr, &attr)) == (conv == "gcn"));
    CHECK((last(nullptr, &attr) != last(nullptr, &other)) == (conv == "gine"));
  }
}

TEST_CASE("a backbone says which options do not fit", "[graph][backbone][errors]") {
  BackboneOptions o = options();
  o.conv_options = table({{"in_channels", 3}});
  CHECK_THROWS_WITH(
      Backbone(o),
      "backbone.conv_options: got in_channels; expected no such option (it follows from the layers)");
  o = options();
  o.conv = "gat";
  o.conv_options = table({{"heads", 4}});
  CHECK_THROWS_WITH(Backbone(o), "backbone.hidden: got 6 with 4 heads side by side; expected a multiple");
  o = options();
  o.in_channels = 0;
  CHECK_THROWS_WITH(Backbone(o), "backbone.in_channels: got 0; expected at least 1 (width of x)");
  o.embedding = InputEmbedding::tables;
  CHECK_THROWS_WITH(Backbone(o),
                    "backbone.table_sizes: got none with embedding tables; expected one number per column");
  o = options();
  o.virtual_node = true;
  o.layer_options = {table({{"hidden", 8}})};
  CHECK_THROWS_WITH(Backbone(o), "backbone.virtual_node: layer 1 reads width 8; expected 6 as layer 0 does");
  o.layer_options = {table({}), table({{"hiden", 8}})};
  CHECK_THROWS_WITH(Backbone(o), Catch::Contains("unknown option 'hiden' for backbone.layer_options[1]"));
  o.layer_options.resize(4, table({}));
  CHECK_THROWS_WITH(Backbone(o), "backbone.layer_options: got 4 tables; expected at most 3 (layers)");
  o = options();
  o.norm = "batchnorm";
  CHECK_THROWS_AS(Backbone(o), ValueError);
}

TEST_CASE("a backbone refuses inputs of another shape", "[graph][backbone][errors]") {
  Backbone backbone(options());
  CHECK_THROWS_WITH(history(backbone, Tensor({7, 3})),
                    "backbone: x is [7, 3]; expected [7, 4] (nodes, in_channels)");
  Tape tape;
  tape.reset();
  CHECK_THROWS_AS(backbone.forward(tape, {.graph = sample_graph(), .sets = sets}), ShapeError);
  const Tensor x({7, 4});
  CHECK_THROWS_AS(
      backbone.forward(tape, {.x = tape.input(x), .graph = sample_graph(), .sets = Segments::uniform(3, 2)}),
      ShapeError);
}

TEST_CASE("dropout in a backbone follows the seed of the pass", "[graph][backbone]") {
  BackboneOptions o = options();
  o.dropout = 0.5;
  Backbone backbone(o);
  backbone.init(Rng(1));
  const Tensor x = random_tensor({7, 4}, Rng(2));
  const auto trained = [&](std::uint64_t seed) {
    return history(backbone, x, {.training = true, .rng = Rng(seed)});
  };
  CHECK(trained(1) == trained(1));
  CHECK(trained(1) != trained(2));
}

#if TARN_DOUBLE
TEST_CASE("gradients of a backbone agree with central differences", "[graph][backbone][gradients]") {
  BackboneOptions o = options();
  o.virtual_node = true;
  o.virtual_node_options = table({{"residual", true}});
  o.residual = true;
  o.activation = Activation::tanh;
  Backbone backbone(o);
  for (Parameter* p : backbone.parameters()) p->value = random_tensor(p->value.shape(), Rng(14));
  Tensor x = random_tensor({7, 4}, Rng(2));
  check_gradients(backbone, std::vector{&x}, true, [&](Tape& tape, std::span<const Var> in) {
    const auto h = backbone.forward(tape, {.x = in[0], .graph = sample_graph(), .sets = sets});
    return concat_columns(h);
  });
}
#endif
