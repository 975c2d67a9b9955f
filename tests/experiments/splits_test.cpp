#include "tarn/experiments/graphs/splits.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"

#include "scratch_directory.hpp"
#include <catch2/catch.hpp>

#include <algorithm>

using namespace tarn;

namespace {

/// 20 graphs of class 0, then 13 of class 1, then 4 of class 2.
std::vector<Size> sorted_classes() {
  std::vector<Size> classes(20, 0);
  classes.insert(classes.end(), 13, 1);
  classes.insert(classes.end(), 4, 2);
  return classes;
}

Size count_class(const std::vector<Size>& graphs, const std::vector<Size>& classes, Size label) {
  return std::count_if(graphs.begin(), graphs.end(),
                       [&](Size g) { return classes[static_cast<std::size_t>(g)] == label; });
}

}  // namespace

TEST_CASE("stratified folds share out every class evenly and test each graph once", "[experiments][splits]") {
  const std::vector<Size> classes = sorted_classes();
  const std::vector<Fold> folds = stratified_folds(37, classes, 5, 0);
  std::vector<Size> tested;
  for (const Fold& fold : folds) {
    CHECK((fold.test.size() == 7 || fold.test.size() == 8));
    CHECK(count_class(fold.test, classes, 0) == 4);
    CHECK((count_class(fold.test, classes, 1) == 2 || count_class(fold.test, classes, 1) == 3));
    CHECK(count_class(fold.test, classes, 2) <= 1);
    CHECK(fold.train.size() + fold.test.size() == 37);
    tested.insert(tested.end(), fold.test.begin(), fold.test.end());
  }
  std::sort(tested.begin(), tested.end());
  for (Size g = 0; g < 37; ++g) CHECK(tested[static_cast<std::size_t>(g)] == g);
  CHECK(check_folds(folds, 37, classes, "test") ==
        std::vector<std::string>{"test: class 2 has 4 graphs for 5 folds; some tests lack it"});
}

TEST_CASE("folds are shuffled, by the seed alone", "[experiments][splits]") {
  const std::vector<Size> classes = sorted_classes();
  CHECK(stratified_folds(37, classes, 5, 3) == stratified_folds(37, classes, 5, 3));
  CHECK(stratified_folds(37, classes, 5, 3) != stratified_folds(37, classes, 5, 4));
  // The same on every machine, in every version.
  CHECK(stratified_folds(10, {}, 5, 0)[0].test == std::vector<Size>{8, 9});
}

TEST_CASE("a validation part is stratified and leaves the test alone", "[experiments][splits]") {
  const std::vector<Size> classes = sorted_classes();
  Fold fold = stratified_folds(37, classes, 5, 0)[0];
  const Fold before = fold;
  hold_out_validation(fold, classes, 0.2, 7);
  CHECK(fold.test == before.test);
  CHECK(fold.train.size() + fold.validation.size() == before.train.size());
  CHECK(count_class(fold.validation, classes, 0) >= 3);
  CHECK(count_class(fold.validation, classes, 1) >= 2);
  CHECK_NOTHROW(check_folds({fold}, 37, classes, "test"));
  CHECK_THROWS_WITH(hold_out_validation(fold, classes, 0.7, 0),
                    "validation: got a share of 0.7; expected a number in (0, 0.5]");
}

TEST_CASE("a limited training part keeps the shares of the classes", "[experiments][splits]") {
  const std::vector<Size> classes = sorted_classes();
  Fold fold = stratified_folds(37, classes, 5, 0)[0];
  limit_training(fold, classes, 15, 0);
  CHECK(fold.train.size() == 15);
  CHECK(count_class(fold.train, classes, 0) == 8);
  CHECK(count_class(fold.train, classes, 2) >= 1);
  const Fold same = fold;
  limit_training(fold, classes, 100, 0);
  CHECK(fold == same);
}

TEST_CASE("folds that leak or lack something are refused", "[experiments][splits][errors]") {
  const std::vector<Size> classes{0, 0, 0, 1, 1, 1};
  const auto check = [&](std::vector<Fold> folds) {
    static_cast<void>(check_folds(folds, 6, classes, "file"));
  };
  CHECK_THROWS_WITH(check({{{0, 3, 6}, {}, {1}}}), "file: fold 0: graph 6 in train; expected 0 to 5");
  CHECK_THROWS_WITH(check({{{0, 3}, {}, {1, 3}}}),
                    "file: fold 0: graph 3 in train and in test; expected lists that do not overlap");
  CHECK_THROWS_WITH(check({{{0, 3}, {4}, {4}}}),
                    "file: fold 0: graph 4 in validation and in test; expected lists that do not overlap");
  CHECK_THROWS_WITH(check({{{0, 0, 3}, {}, {1}}}),
                    "file: fold 0: graph 0 in train and in train; expected lists that do not overlap");
  CHECK_THROWS_WITH(check({{{0, 3}, {}, {1}}, {{0, 3}, {}, {1}}}),
                    "file: fold 1: tests graph 1, and so does fold 0; expected each graph in one test");
  CHECK_THROWS_WITH(check({{{0, 1}, {}, {3}}}),
                    "file: fold 0: trains on no graph of class 1; expected some of every class");
  CHECK_THROWS_WITH(check({{{}, {}, {3}}}), "file: fold 0: has no training graphs; expected at least one");
  CHECK_THROWS_WITH(check({}), "file: has no folds; expected at least one");
  CHECK_THROWS_WITH(stratified_folds(6, classes, 1, 0), "folds: got 1; expected at least 2");
  CHECK_THROWS_WITH(stratified_folds(6, classes, 7, 0),
                    "folds: got 7 for 6 graphs; expected at most one a graph");
}

TEST_CASE("splits survive JSON", "[experiments][splits]") {
  const ScratchDirectory scratch;
  const std::vector<SplitLists> splits = {{"plain", "two folds", {{{}, {}, {0, 2}}, {{}, {}, {1}}}},
                                          {"full", "", {{{0}, {1}, {2}}}}};
  write_file_atomically(scratch / "splits.json", write_split_json("SET", 3, splits));
  CHECK(read_split_json(scratch / "splits.json", 3) == splits);
  std::vector<Fold> folds = splits[0].folds;
  complete_training(folds, 3);
  CHECK(folds[0].train == std::vector<Size>{1});
  CHECK(folds[1].train == std::vector<Size>{0, 2});
}

TEST_CASE("split files that do not fit are refused with the place", "[experiments][splits][errors]") {
  const ScratchDirectory scratch;
  const auto complaint = [&](const std::string& text) {
    write_file_atomically(scratch / "s.json", text);
    try {
      static_cast<void>(read_split_json(scratch / "s.json", 3));
    } catch (const DataError& error) {
      return std::string(error.what()).substr((scratch / "s.json").string().size());
    }
    return std::string();
  };
  CHECK(complaint("[]") == ": is no object; expected splits by name");
  CHECK(complaint(R"({"graphs": 4})") == ": is for 4 graphs; expected 3, as the set has");
  CHECK(complaint(R"({"index_base": 2})") == ": index_base is 2; expected 0 or 1");
  CHECK(complaint(R"({"a": {"test": [[0], [3]]}})") == ": a.test, fold 1: graph 3; expected 0 to 2");
  CHECK(complaint(R"({"a": {"test": [[0.5]]}})") == ": a.test, fold 0: graph 0.5; expected 0 to 2");
  CHECK(complaint(R"({"a": {"test": [[0], [1]], "validation": [[2]]}})") ==
        ": a.validation has 1 lists; expected 2, as test has");
  CHECK(complaint(R"({"a": {"about": "x"}})") == ": split 'a' has no test lists; expected a list of lists");
  CHECK(complaint(R"({"index_base": 1, "a": {"test": [[0]]}})") ==
        ": a.test, fold 0: graph 0; expected 1 to 3");
}

TEST_CASE("splits survive the plain form", "[experiments][splits]") {
  const ScratchDirectory scratch;
  const SplitLists split{"10fold", "", {{{0, 1}, {}, {2}}, {{2}, {}, {0, 1}}}};
  write_split_folder(scratch / "10fold", split);
  CHECK(read_file(scratch / "10fold" / "test_idx-2.txt") == "0\n1\n");
  CHECK(read_split_folder(scratch / "10fold") == split);
  CHECK_THROWS_WITH(read_split_folder(scratch / "none"),
                    Catch::EndsWith("none: holds no test_idx-1.txt; expected a file for every fold"));
  write_file_atomically(scratch / "10fold" / "test_idx-1.txt", "0\nx\n");
  CHECK_THROWS_WITH(read_split_folder(scratch / "10fold"),
                    Catch::EndsWith("test_idx-1.txt:2: field 1 is 'x'; expected a whole number"));
  CHECK_THROWS_WITH(write_split_folder(scratch / "v", {"s", "", {{{0}, {1}, {2}}}}),
                    "s: fold 0 has a validation list; expected train and test alone in the plain form");
}
