#include "tarn/experiments/json.hpp"

#include "tarn/core/errors.hpp"

#include <catch2/catch.hpp>

#include <cmath>

using namespace tarn;

TEST_CASE("JSON reads back as the same value, keys in order", "[experiments][json]") {
  const Value v = parse_json(R"({"z": 1, "a": [true, null, 0.1, "\u00e9"], "m": {}})", "a.json");
  CHECK(v.text() == "{\"z\": 1, \"a\": [true, null, 0.1, \"\u00e9\"], \"m\": {}}");
  CHECK(parse_json(to_json(v, 2), "again") == v);
  CHECK(to_json(v) == "{\"z\":1,\"a\":[true,null,0.1,\"\u00e9\"],\"m\":{}}");
  CHECK(parse_json("18446744073709551615", "x").number() == 18446744073709551615.0);
  CHECK(parse_json("[[], {}]", "x").list()->size() == 2);
}

TEST_CASE("NaN in JSON is refused by its path or becomes null", "[experiments][json][errors]") {
  Value v;
  v.set_path("trials", Value::List{Value::Table{{"accuracy", std::nan("")}}});
  CHECK_THROWS_WITH(to_json(v), "JSON: trials[0].accuracy is nan; expected a finite number");
  CHECK(to_json(v, -1, NonFinite::null) == R"({"trials":[{"accuracy":null}]})");
}

TEST_CASE("broken JSON names line and column", "[experiments][json][errors]") {
  CHECK_THROWS_WITH(parse_json("{\"a\": 1,\n  \"b\": }", "r.json"),
                    Catch::StartsWith("r.json:2:8: not valid JSON; expected"));
  CHECK_THROWS_WITH(parse_json("{\"a\": 1, \"a\": 2}", "r.json"),
                    "r.json: key \"a\" stands twice in one object; expected each key once");
  CHECK_THROWS_AS(parse_json("", "r.json"), DataError);
}
