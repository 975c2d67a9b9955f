#include "tarn/core/options.hpp"

#include "tarn/core/errors.hpp"

#include <catch2/catch.hpp>

using namespace tarn;

namespace {

enum class Colour { red, green };
std::span<const std::string_view> enum_names(Colour) {
  static constexpr std::array<std::string_view, 2> names{"red", "green"};
  return names;
}

struct Sample {
  Size hidden = 128;
  double dropout = 0;
  Colour colour = Colour::red;
  std::optional<Size> edge_dim;
  void fields(Fields& f) {
    f("hidden", hidden, at_least(1), "width");
    f("dropout", dropout, in_range(0, 1), "share of zeroed elements");
    f("colour", colour, "which");
    f("edge_dim", edge_dim, at_least(1), "edge features");
  }
};

Value table(Value::Table entries) {
  return Value(std::move(entries));
}

}  // namespace

TEST_CASE("options take the values of a table over their defaults", "[core][options]") {
  const auto o =
      read_options<Sample>(table({{"hidden", 64}, {"colour", "green"}, {"edge_dim", 3}}), "sample");
  CHECK(o.hidden == 64);
  CHECK(o.dropout == 0);
  CHECK(o.colour == Colour::green);
  CHECK(o.edge_dim == 3);
  CHECK(write_options(o).text() == R"({"hidden": 64, "dropout": 0.0, "colour": "green", "edge_dim": 3})");
}

TEST_CASE("an entry of a list may be left out by null or \"none\"", "[core][options]") {
  struct Amounts {
    std::vector<std::optional<double>> keep;
    void fields(Fields& f) { f("keep", keep, between(0, 1), "share to keep"); }
  };
  const auto o = read_options<Amounts>(table({{"keep", Value::List{0.5, Value(), "none", 1}}}), "pool");
  CHECK(o.keep == std::vector<std::optional<double>>{0.5, std::nullopt, std::nullopt, 1.0});
  CHECK(write_options(o).text() == R"({"keep": [0.5, "none", "none", 1.0]})");
  CHECK_THROWS_WITH(read_options<Amounts>(table({{"keep", Value::List{0.5, 2}}}), "pool"),
                    "pool.keep: got [0.5, 2]; expected a list, each a number in [0, 1] or \"none\"");
}

TEST_CASE("a bad option says where, what was given and what was expected", "[core][options][errors]") {
  CHECK_THROWS_WITH(read_options<Sample>(table({{"dropout", 1.7}}), "glot"),
                    "glot.dropout: got 1.7; expected a number in [0, 1)");
  CHECK_THROWS_WITH(read_options<Sample>(table({{"colour", "blue"}}), "glot"),
                    "glot.colour: got \"blue\"; expected one of red, green");
  Value hiden(3);
  hiden.set_where("train.toml:14:3");
  CHECK_THROWS_WITH(
      read_options<Sample>(table({{"hiden", hiden}}), "glot"),
      "train.toml:14:3: unknown option 'hiden' for glot; did you mean 'hidden'? (known: hidden, dropout, "
      "colour, edge_dim)");
  CHECK_THROWS_AS(check_options(Sample{.hidden = 0}, "glot"), ValueError);
}

TEST_CASE("dotted paths reach into tables and create them", "[core][value]") {
  Value v;
  v.set_path("data.store", "a.h5");
  v.set_path("data.train", 10);
  CHECK(v.find_path("data.store")->text() == "\"a.h5\"");
  CHECK(v.find_path("data.missing") == nullptr);
  Value over;
  over.set_path("data.train", 20);
  v.merge(over);
  CHECK(v.text() == R"({"data": {"store": "a.h5", "train": 20}})");
}
