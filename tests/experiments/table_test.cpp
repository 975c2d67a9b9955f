#include "tarn/experiments/table.hpp"

#include "tarn/core/errors.hpp"

#include "experiments/markup.hpp"
#include <catch2/catch.hpp>

#include <cmath>

using namespace tarn;
using Catch::Matchers::Contains;

namespace {

Table example() {
  Table table("Accuracy <percent>", {{"readout", Align::left}, {"0.2"}});
  table.add_row({"mean", "82.1 ± 1.5"});
  table.add_rule();
  table.add_row({"a|b & c", Cell{"100", true}});
  table.add_note("± is half an interval");
  table.add_note("± is half an interval");
  return table;
}

}  // namespace

TEST_CASE("a table prints aligned columns on the terminal", "[experiments][table]") {
  CHECK(example().text() ==
        "Accuracy <percent>\n"
        "───────────────────\n"
        "readout         0.2\n"
        "───────────────────\n"
        "mean     82.1 ± 1.5\n"
        "───────────────────\n"
        "a|b & c         100\n"
        "───────────────────\n"
        "± is half an interval\n");
}

TEST_CASE("a table prints Markdown with escaped bars", "[experiments][table]") {
  CHECK(example().markdown() ==
        "**Accuracy <percent>**\n\n| readout | 0.2 |\n| :--- | ---: |\n| mean | 82.1 ± 1.5 |\n"
        "| a\\|b & c | **100** |\n\n± is half an interval\n");
}

TEST_CASE("a table prints HTML that is well formed and escaped", "[experiments][table]") {
  const std::string html = example().html();
  CHECK(markup_fault(html) == "");
  CHECK_THAT(html, Contains("Accuracy &lt;percent&gt;"));
  CHECK_THAT(html, Contains("a|b &amp; c"));
  CHECK_THAT(html, Contains("<strong>100</strong>"));
}

TEST_CASE("a table prints CSV with quotes where they are needed", "[experiments][table]") {
  Table table("", {{"name"}, {"value"}});
  table.add_row({"a, \"b\"", "1"});
  CHECK(table.csv() == "name,value\n\"a, \"\"b\"\"\",1\n");
}

TEST_CASE("a row of another width is refused", "[experiments][table]") {
  Table table("results", {{"a"}, {"b"}});
  CHECK_THROWS_WITH(table.add_row({"1"}),
                    "table 'results': got a row of 1 cells; expected 2, one per column");
  CHECK_THROWS_AS(table.add_row({"1", "2", "3"}), ShapeError);
}

TEST_CASE("numbers are written as papers write them", "[experiments][table]") {
  CHECK(format_interval(0.9843, Interval{0.9783, 0.9903}) == "98.4 ± 0.6");
  CHECK(format_interval(0.5, std::nullopt) == "50.0");
  CHECK(format_fixed(-0.0001, 1) == "0.0");
  CHECK(format_fixed(-0.06, 1) == "-0.1");
  CHECK(format_fixed(std::nan(""), 1) == "-");
  CHECK(format_p(0.0131) == "0.013");
  CHECK(format_p(1e-9) == "< 0.001");
  CHECK(format_p(1) == "1");
  CHECK(format_p(std::nullopt) == "-");
  CHECK(format_number(12345.4) == "12345");
  CHECK(format_number(0.5) == "0.5");
}

TEST_CASE("a table survives its value", "[experiments][table]") {
  Table table("title", {{"name", Align::left}, {"n"}});
  table.add_row({"a", Cell("1", true)});
  table.add_rule();
  table.add_row({"b", "2"});
  table.add_note("note");
  const Table again = Table::read(table.value(), "results.json");
  CHECK(again.html() == table.html());
  CHECK(again.markdown() == table.markdown());
  CHECK(again.text() == table.text());
  Value broken = table.value();
  broken.set("strong", Value::List{Value::List{Size{5}, Size{0}}});
  CHECK_THROWS_WITH(Table::read(broken, "results.json"),
                    "results.json: a table holds 5; expected a number below 2");
  CHECK_THROWS_WITH(Table::read(Value(Value::Table{}), "results.json"),
                    "results.json: a table has no 'columns'; expected one");
}
