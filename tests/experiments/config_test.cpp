#include "tarn/experiments/config.hpp"

#include "tarn/core/errors.hpp"

#include <catch2/catch.hpp>

#include <limits>
#include <vector>

using namespace tarn;

TEST_CASE("TOML values keep their order and know their place", "[experiments][config]") {
  const Value v =
      parse_toml("seeds = [0, 1]\nlr = 1e-3\n[glot]\ntau = 0.4\n  k = 2\n[data]\nstore = 'a.h5'\n", "a.toml");
  CHECK(v.text() ==
        R"({"seeds": [0, 1], "lr": 0.001, "glot": {"tau": 0.4, "k": 2}, "data": {"store": "a.h5"}})");
  CHECK(v.find("lr")->where() == "a.toml:2:1");
  CHECK(v.find_path("glot.k")->where() == "a.toml:5:3");
}

TEST_CASE("broken TOML names line and column", "[experiments][config][errors]") {
  CHECK_THROWS_WITH(parse_toml("a = 1\nb = [1, \n", "b.toml"),
                    Catch::StartsWith("b.toml:2:10: not valid TOML: "));
  CHECK_THROWS_WITH(parse_toml("a = 1\na = 2\n", "b.toml"), Catch::StartsWith("b.toml:2:"));
  CHECK_THROWS_WITH(
      parse_toml("day = 1979-05-27\n", "b.toml"),
      "b.toml:1:7: got a date or time; expected a number, text, true, false, a list or a table");
  CHECK_THROWS_WITH(read_toml("no/such.toml"), "no/such.toml: cannot be read; expected a TOML file");
  CHECK_THROWS_AS(read_toml("no/such.toml"), ConfigError);
}

TEST_CASE("a written configuration reads back as the same table", "[experiments][config]") {
  Value v;
  v.set("name", "a \"quoted\"\nname");
  v.set("lr", 1e-4);
  v.set("tiny", 4.9e-324);
  v.set("infinite", std::numeric_limits<double>::infinity());
  v.set("whole", 3.0);
  v.set("nothing", Value());
  v.set("list", Value::List{1, 2.5, "x", Value::List{}, Value::Table{{"odd key", true}}});
  v.set_path("glot.tau", 0.4);
  v.set_path("data.deep.path", "x");
  const std::string text = write_toml(v);
  CHECK(first_difference(parse_toml(text, "again"), v).empty());
  CHECK(write_toml(parse_toml(text, "again")) == text);
}

TEST_CASE("key=value arguments override, bare words are text", "[experiments][config]") {
  Value v = parse_toml("epochs = 3\n[glot]\ntau = 0.3\n", "a.toml");
  apply_overrides(v,
                  std::vector<std::string>{"epochs=5", "glot.tau=0.4", "seeds=[0, 1]", "data.store=a/b-c.h5",
                                           "readouts=[\"glot\"]", "mode=matched", "epochs=6"});
  CHECK(
      v.text() ==
      R"({"epochs": 6, "glot": {"tau": 0.4}, "seeds": [0, 1], "data": {"store": "a/b-c.h5"}, "readouts": ["glot"], "mode": "matched"})");
  CHECK(v.find_path("glot.tau")->where() == "command line: glot.tau");
}

TEST_CASE("a broken override names its key", "[experiments][config][errors]") {
  Value v;
  const auto apply = [&](const std::string& text) { apply_overrides(v, std::vector<std::string>{text}); };
  CHECK_THROWS_WITH(
      apply("seeds=[0, 1"),
      "command line: seeds: got [0, 1; expected a TOML value such as 3, 0.5, true, \"text\" or [1, 2]");
  CHECK_THROWS_WITH(
      apply("lr="),
      "command line: lr: got nothing; expected a TOML value such as 3, 0.5, true, \"text\" or [1, 2]");
  CHECK_THROWS_WITH(apply("epochs"),
                    "command line: got 'epochs'; expected KEY=VALUE such as epochs=5 or glot.tau=0.4");
  CHECK_THROWS_WITH(apply("a..b=1"), Catch::Contains("expected KEY=VALUE"));
}

TEST_CASE("the first difference of two tables is a dotted path", "[experiments][config]") {
  const Value a = parse_toml("x = 1\n[glot]\ntau = 0.3\n", "a");
  CHECK(first_difference(a, parse_toml("glot = {tau = 0.3}\nx = 1\n", "b")).empty());
  CHECK(first_difference(a, parse_toml("x = 1\nglot = {tau = 0.4}\n", "b")) == "glot.tau");
  CHECK(first_difference(a, parse_toml("x = 1\n", "b")) == "glot");
  CHECK(first_difference(parse_toml("x = 1\n", "b"), a) == "glot");
}
