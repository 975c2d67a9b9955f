#include "tarn/experiments/graphs/graph_options.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/experiments/config.hpp"
#include "tarn/experiments/graphs/graph_classification.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace tarn;
using Arguments = std::vector<std::string>;

namespace {

GraphPreset preset(const std::string& name) {
  const std::vector<GraphPreset> all = graph_presets();
  return *std::find_if(all.begin(), all.end(), [&](const GraphPreset& p) { return p.name == name; });
}

Value resolve(const std::string& name, const Arguments& arguments) {
  Value given{Value::Table{}};
  apply_overrides(given, arguments);
  return resolve_graph_run(given, preset(name));
}

}  // namespace

TEST_CASE("a resolved run reads back as itself", "[experiments][graph-options]") {
  for (const char* name : {"mutag", "graphs-demo"}) {
    const Value resolved = resolve(name, {});
    CHECK(resolve_graph_run(resolved, preset(name)) == resolved);
    CHECK(resolve_graph_run(parse_toml(write_toml(resolved), "config.toml"), preset(name)) == resolved);
  }
}

TEST_CASE("protocols bring their own budgets", "[experiments][graph-options]") {
  CHECK(*resolve("mutag", {}).find("epochs") == Value(350));
  CHECK(*resolve("mutag", {"protocol=holdout"}).find("seeds") ==
        Value(Value::List{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  const GraphPlan fair =
      GraphPlan::read(resolve("proteins", {"protocol=fair", "readouts=[\"gin-readout\"]"}));
  CHECK(*fair.run.epochs == 1000);
  CHECK(fair.grid.size() == 128);
  CHECK(GraphPlan::read(resolve("mutag", {"protocol=fair", "grid.batch=[8, 16]"})).grid.size() == 2);
}

TEST_CASE("readouts may learn at a rate of their own", "[experiments][graph-options]") {
  const GraphPlan plan = GraphPlan::read(resolve("mutag", {"lr=0.02", "lr_of.sum=0.5"}));
  CHECK(plan.lr("histograph") == 0.001);
  CHECK(plan.lr("sum") == 0.5);
  CHECK(plan.lr("mean") == 0.02);
  CHECK(resolve("mutag", {"readouts=[\"sum\"]"}).find("lr_of")->table()->empty());
}

TEST_CASE("a point of the grid lies over the run", "[experiments][graph-options]") {
  const Value resolved =
      resolve("mutag", {"protocol=fair", "readouts=[\"histograph\"]", "grid.model.widths=[[8, 8], [4]]",
                        "grid.histograph.heads=[1, 2]"});
  const GraphPlan plan = GraphPlan::read(resolved);
  REQUIRE(plan.grid.size() == 4);
  const GraphPlan last = GraphPlan::read(resolved, plan.grid[3]);
  CHECK(last.model.widths == std::vector<Size>{4});
  CHECK(*last.readouts.find("histograph")->find("heads") == Value(2));
}

TEST_CASE("options of readouts reach those that have them", "[experiments][graph-options]") {
  const Value resolved =
      resolve("mutag", {"readouts=[\"histograph\", \"sum\"]", "readout.heads=2", "histograph.dim=32"});
  CHECK(*resolved.find("histograph")->find("heads") == Value(2));
  CHECK(*resolved.find("histograph")->find("dim") == Value(32));
  CHECK(*resolved.find("histograph")->find("residual") == Value(true));
  CHECK(resolved.find("histograph")->find("layers") == nullptr);
}

TEST_CASE("runs that cannot be say why before any data is read", "[experiments][graph-options][errors]") {
  const auto complaint = [](const Arguments& arguments, const char* name = "mutag") {
    try {
      static_cast<void>(resolve(name, arguments));
    } catch (const Error& error) {
      CHECK(error.exit_code() == 2);
      return std::string(error.what());
    }
    return std::string();
  };
  using Catch::Contains;
  CHECK_THAT(complaint({"readouts=[\"sun\"]"}), Contains("unknown readout 'sun'; did you mean 'sum'?"));
  CHECK_THAT(complaint({"readout.headz=2"}), Contains("unknown option 'headz' for the readouts"));
  CHECK_THAT(complaint({"histograph.heads=5"}), Contains("heads") && Contains("5"));
  CHECK_THAT(complaint({"model.conv=gim"}), Contains("got \"gim\"; expected one of") && Contains("gin"));
  CHECK_THAT(complaint({"model.widths=[]"}), Contains("model.widths: got []; expected at least one layer"));
  CHECK_THAT(complaint({"seeds=[]"}), Contains("seeds: got []; expected at least one"));
  CHECK_THAT(complaint({"epoch=draw:5"}), Contains("epoch: got 'draw:5'; expected pass, or draws:N"));
  CHECK_THAT(complaint({"protocol=gincv"}), Contains("expected one of gin-cv, fair, holdout, repeated-cv"));
  CHECK_THAT(complaint({"lr_of.glit=0.1"}), Contains("lr_of: unknown readout 'glit'"));
  CHECK_THAT(complaint({"lr_of.sum=-1"}), Contains("lr_of.sum: got -1; expected a number above 0"));
  CHECK_THAT(complaint({"protocol=fair", "grid.folds=[3, 5]"}),
             Contains("grid.folds: is the same for all points"));
  CHECK_THAT(complaint({"protocol=fair", "grid.model.widths=[[64], []]"}),
             Contains("model.widths: got []; expected at least one layer"));
  CHECK_THAT(complaint({"hiden=3"}), Contains("unknown option 'hiden'"));
  CHECK_THAT(complaint({"data.pth=x"}), Contains("unknown option 'pth'") && Contains("did you mean 'path'?"));
  CHECK_THAT(complaint({}, "graphs"), Contains("graphs: no set of graphs; expected data.path=FILE"));
}
