#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/embedding.hpp"
#include "tarn/core/ops/per_set.hpp"

#include "module_walk.hpp"

#include <array>

using namespace tarn;
using namespace tarn::test;

namespace {

const Segments sets({0, 3, 3, 4});

/// Parameters a to c of the given shapes.
class Holder final : public Module {
 public:
  explicit Holder(std::initializer_list<Shape> shapes) {
    for (const Shape& s : shapes) {
      Parameter& p = parameter(std::string(1, static_cast<char>('a' + parameters_.size())), s, constant(0));
      p.value = random_tensor(s, Rng(parameters_.size()));
      parameters_.push_back(&p);
    }
  }
  [[nodiscard]] std::vector<Var> on(Tape& tape) {
    std::vector<Var> vars;
    for (Parameter* p : parameters_) vars.push_back(tape.parameter(*p));
    return vars;
  }

 private:
  std::vector<Parameter*> parameters_;
};

}  // namespace

TEST_CASE("a row per set is added to, spread over and appended after the rows of its set", "[core][sets]") {
  const Tensor x({4, 2}, std::array<Real, 8>{1, 2, 3, 4, 5, 6, 7, 8});
  const Tensor rows({3, 2}, std::array<Real, 6>{10, 20, 30, 40, 50, 60});
  Tape tape;
  tape.reset();
  CHECK(numbers(add_per_set(tape.input(x), tape.input(rows), sets).value()) ==
        std::vector<Real>{11, 22, 13, 24, 15, 26, 57, 68});
  CHECK(numbers(spread_over_sets(tape.input(rows), sets).value()) ==
        std::vector<Real>{10, 20, 10, 20, 10, 20, 50, 60});
  CHECK(numbers(append_zero_rows(tape.input(x), sets).value()) ==
        std::vector<Real>{1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 7, 8, 0, 0});
}

TEST_CASE("rows that do not fit their sets are refused", "[core][sets][errors]") {
  const Tensor x({4, 2}), rows({2, 2}), wide({3, 3});
  Tape tape;
  tape.reset();
  CHECK_THROWS_WITH(add_per_set(tape.input(x), tape.input(rows), sets),
                    "add_per_set: rows have shape [2, 2] for 3 sets; expected one row per set");
  CHECK_THROWS_WITH(add_per_set(tape.input(x), tape.input(wide), sets),
                    "add_per_set: x has shape [4, 2], rows [3, 3]; expected the same width");
}

TEST_CASE("an embedding sums one table row per column", "[core][embedding]") {
  const Tensor a({2, 2}, std::array<Real, 4>{1, 2, 3, 4}),
      b({3, 2}, std::array<Real, 6>{10, 20, 30, 40, 50, 60});
  const std::vector<std::int32_t> ids{0, 2, 1, 0};
  Tape tape;
  tape.reset();
  const std::vector<Var> tables{tape.input(a), tape.input(b)};
  CHECK(numbers(embedding_sum(tape, ids, 2, tables).value()) == std::vector<Real>{51, 62, 13, 24});
  CHECK(embedding_sum(tape, {}, 0, tables).rows() == 0);
}

TEST_CASE("an embedding names the id that is out of range", "[core][embedding][errors]") {
  const Tensor a({2, 2});
  Tape tape;
  tape.reset();
  const std::vector<Var> tables{tape.input(a)};
  CHECK_THROWS_WITH(embedding_sum(tape, std::vector<std::int32_t>{1, 2}, 2, tables),
                    "embedding: row 1, column 0 is 2; expected a number in [0, 2)");
  CHECK_THROWS_WITH(embedding_sum(tape, std::vector<std::int32_t>{1}, 2, tables),
                    "embedding: 1 ids for 2 rows and 1 tables; expected 2");
}

#if TARN_DOUBLE
TEST_CASE("gradients of operations on rows agree with central differences", "[core][sets][gradients]") {
  const Segments large({0, 1, 600, 600, 603});
  Holder holder({{4, 3}, {5, 3}, {7, 3}});
  Tensor x = random_tensor({603, 3}, Rng(9));
  std::vector<std::int32_t> ids;
  for (Size i = 0; i < 603; ++i) {
    ids.push_back(static_cast<std::int32_t>(i * i % 5));
    ids.push_back(static_cast<std::int32_t>(i % 4));  // the last three rows of the table stay unused
  }
  check_gradients(holder, std::vector{&x}, true, [&](Tape& tape, std::span<const Var> in) {
    const std::vector<Var> p = holder.on(tape);
    const Var y = add_per_set(scale(in[0], 0.7), p[0], large);
    const Var spread = multiply_elements(y, spread_over_sets(p[0], large));
    const std::vector<Var> tables{p[1], p[2]};
    return append_zero_rows(add(spread, embedding_sum(tape, ids, 603, tables)), large);
  });
}
#endif
