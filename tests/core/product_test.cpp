#include "tarn/core/product.hpp"

#include "tarn/core/rng.hpp"
#include "tarn/core/tensor.hpp"

#include <catch2/catch.hpp>
#include <sys/time.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstring>
#include <vector>

using namespace tarn;

namespace {

Tensor random_tensor(Size rows, Size cols, std::uint64_t seed) {
  Tensor t({rows, cols});
  const Rng rng(seed);
  for (Size i = 0; i < t.size(); ++i)
    t.flat()[static_cast<std::size_t>(i)] = static_cast<Real>(rng.normal(static_cast<std::uint64_t>(i)));
  return t;
}

/// The plain loop that every product is held against.
Tensor plain_product(ConstMatrixView a, Transpose ta, ConstMatrixView b, Transpose tb) {
  const Size rows = ta == Transpose::no ? a.rows : a.cols, inner = ta == Transpose::no ? a.cols : a.rows;
  const Size cols = tb == Transpose::no ? b.cols : b.rows;
  Tensor c({rows, cols});
  for (Size i = 0; i < rows; ++i) {
    for (Size j = 0; j < cols; ++j) {
      double sum = 0;
      for (Size k = 0; k < inner; ++k) {
        sum += static_cast<double>(ta == Transpose::no ? a(i, k) : a(k, i)) *
               static_cast<double>(tb == Transpose::no ? b(k, j) : b(j, k));
      }
      c.matrix()(i, j) = static_cast<Real>(sum);
    }
  }
  return c;
}

double largest_error(ConstMatrixView got, ConstMatrixView want) {
  double worst = 0;
  for (Size i = 0; i < want.rows; ++i) {
    for (Size j = 0; j < want.cols; ++j)
      worst = std::max(worst, std::abs(static_cast<double>(got(i, j)) - static_cast<double>(want(i, j))));
  }
  return worst;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.size() == b.size() &&
         std::memcmp(a.data(), b.data(), sizeof(Real) * static_cast<std::size_t>(a.size())) == 0;
}

constexpr double tolerance = sizeof(Real) == sizeof(double) ? 1e-11 : 2e-3;

}  // namespace

TEST_CASE("products of every kind and shape equal the plain loop", "[core][product]") {
  struct Case {
    Size rows, inner, cols;
  };
  for (const Case s : {Case{1, 1, 1}, Case{1, 70, 33}, Case{7, 5, 3}, Case{300, 17, 64}, Case{65, 2500, 9},
                       Case{513, 1025, 31}}) {
    for (const Transpose ta : {Transpose::no, Transpose::yes}) {
      for (const Transpose tb : {Transpose::no, Transpose::yes}) {
        const Tensor a =
            ta == Transpose::no ? random_tensor(s.rows, s.inner, 1) : random_tensor(s.inner, s.rows, 1);
        const Tensor b =
            tb == Transpose::no ? random_tensor(s.inner, s.cols, 2) : random_tensor(s.cols, s.inner, 2);
        const Tensor want = plain_product(a.matrix(), ta, b.matrix(), tb);
        CAPTURE(s.rows, s.inner, s.cols, ta == Transpose::yes, tb == Transpose::yes);
        Tensor c({s.rows, s.cols});
        c.fill(Real{7});
        multiply(a.matrix(), ta, b.matrix(), tb, c.matrix());
        CHECK(largest_error(c.matrix(), want.matrix()) < tolerance);
        c.fill(Real{0});
        multiply_serial(a.matrix(), ta, b.matrix(), tb, c.matrix());
        multiply(a.matrix(), ta, b.matrix(), tb, c.matrix(), Write::add);
        for (Real& v : c.flat()) v /= 2;
        CHECK(largest_error(c.matrix(), want.matrix()) < tolerance);
      }
    }
  }
}

TEST_CASE("products read and write blocks of wider matrices and nothing beside them", "[core][product]") {
  const Tensor a = random_tensor(40, 60, 1), b = random_tensor(60, 90, 2);
  Tensor c({40, 100});
  c.fill(Real{-1});
  const MatrixView into = c.matrix().column_block(10, 40);
  multiply(a.matrix().column_block(5, 45), Transpose::no, b.matrix().row_block(3, 43).column_block(50, 80),
           Transpose::no, into);
  const Tensor want = plain_product(a.matrix().column_block(5, 45), Transpose::no,
                                    b.matrix().row_block(3, 43).column_block(50, 80), Transpose::no);
  CHECK(largest_error(into, want.matrix()) < tolerance);
  for (Size i = 0; i < 40; ++i) {
    for (Size j = 0; j < 100; ++j) {
      if (j < 10 || j >= 40) REQUIRE(c.matrix()(i, j) == Real{-1});
    }
  }
}

TEST_CASE("a product over nothing is zero, or leaves what it is added to", "[core][product]") {
  const Tensor a({3, 0}), b({0, 4});
  Tensor c({3, 4});
  c.fill(Real{5});
  multiply(a.matrix(), Transpose::no, b.matrix(), Transpose::no, c.matrix(), Write::add);
  CHECK(std::all_of(c.flat().begin(), c.flat().end(), [](Real v) { return v == 5; }));
  multiply(a.matrix(), Transpose::no, b.matrix(), Transpose::no, c.matrix());
  CHECK(std::all_of(c.flat().begin(), c.flat().end(), [](Real v) { return v == 0; }));
}

namespace {

/// m with every number rounded to bfloat16: its upper 16 bits, to nearest, ties to even.
Tensor rounded_to_bf16(ConstMatrixView m) {
  Tensor r({m.rows, m.cols});
  for (Size i = 0; i < m.rows; ++i) {
    for (Size j = 0; j < m.cols; ++j) {
      int exponent = 0;
      const double fraction =
          std::frexp(static_cast<double>(m(i, j)), &exponent);  // in [0.5, 1): 8 bits kept
      r.matrix()(i, j) = static_cast<Real>(std::ldexp(std::nearbyint(std::ldexp(fraction, 8)), exponent - 8));
    }
  }
  return r;
}

}  // namespace

TEST_CASE("a product in bfloat16 is the product of the rounded factors", "[core][product]") {
  INFO("own instructions: " << has_bf16_products());
  const Tensor big = random_tensor(2500, 70, 1), wide = random_tensor(2500, 33, 2),
               map = random_tensor(33, 70, 3);
  const Tensor a = rounded_to_bf16(big.matrix()), b = rounded_to_bf16(wide.matrix()),
               w = rounded_to_bf16(map.matrix());
  Tensor y({2500, 33}), dw({33, 70});
  y.fill(Real{1});
  dw.fill(Real{1});
  multiply(big.matrix(), Transpose::no, map.matrix(), Transpose::yes, y.matrix(), Write::add,
           ProductPrecision::bf16);
  multiply(wide.matrix(), Transpose::yes, big.matrix(), Transpose::no, dw.matrix(), Write::assign,
           ProductPrecision::bf16);
  Tensor want_y = plain_product(a.matrix(), Transpose::no, w.matrix(), Transpose::yes);
  for (Real& v : want_y.flat()) v += 1;
  CHECK(largest_error(y.matrix(), want_y.matrix()) < tolerance);
  CHECK(largest_error(dw.matrix(),
                      plain_product(b.matrix(), Transpose::yes, a.matrix(), Transpose::no).matrix()) <
        tolerance);
  Tensor exact({2500, 33});
  multiply(big.matrix(), Transpose::no, map.matrix(), Transpose::yes, exact.matrix());
  for (Real& v : exact.flat()) v += 1;
  CHECK(largest_error(y.matrix(), exact.matrix()) > tolerance);
}

TEST_CASE("products in bfloat16 have the same bits for any number of threads", "[core][product]") {
  const Tensor a = random_tensor(3000, 96, 1), b = random_tensor(96, 64, 2);
  const auto product = [&](int count) {
    const Threads threads(count);
    Tensor c({3000, 64});
    multiply(a.matrix(), Transpose::no, b.matrix(), Transpose::no, c.matrix(), Write::assign,
             ProductPrecision::bf16);
    return c;
  };
  const Tensor one = product(1);
  CHECK(same_bits(one, product(2)));
  CHECK(same_bits(one, product(4)));
}

TEST_CASE("products have the same bits for any number of threads", "[core][product]") {
  const Tensor a = random_tensor(3000, 96, 1), b = random_tensor(96, 64, 2), d = random_tensor(3000, 64, 3);
  const auto both = [&](int count) {
    const Threads threads(count);
    std::pair<Tensor, Tensor> result{Tensor({3000, 64}), Tensor({96, 64})};
    multiply(a.matrix(), Transpose::no, b.matrix(), Transpose::no, result.first.matrix());
    multiply(a.matrix(), Transpose::yes, d.matrix(), Transpose::no, result.second.matrix());
    return result;
  };
  const auto one = both(1);
  for (const int count : {2, 3, 4}) {
    const auto many = both(count);
    CHECK(same_bits(one.first, many.first));
    CHECK(same_bits(one.second, many.second));
  }
}

TEST_CASE("a row of a product has the same bits alone and among others", "[core][product]") {
  for (const Size inner : {1, 3, 8, 31, 128, 300}) {
    for (const Size cols : {1, 2, 5, 16, 64, 129}) {
      for (const Transpose tb : {Transpose::no, Transpose::yes}) {
        const Tensor a = random_tensor(300, inner, 1);
        const Tensor b = tb == Transpose::no ? random_tensor(inner, cols, 2) : random_tensor(cols, inner, 2);
        Tensor all({300, cols});
        multiply(a.matrix(), Transpose::no, b.matrix(), tb, all.matrix());
        for (const Write write : {Write::assign, Write::add}) {
          for (const Size rows : {1, 2, 3, 7, 15, 16, 17, 33, 100}) {
            for (const Size first : {0, 1, 37, 200}) {
              Tensor some({rows, cols});
              multiply(a.matrix().row_block(first, first + rows), Transpose::no, b.matrix(), tb,
                       some.matrix(), write);
              CAPTURE(inner, cols, tb == Transpose::yes, rows, first);
              CHECK(std::memcmp(some.data(), all.matrix().row(first),
                                sizeof(Real) * static_cast<std::size_t>(some.size())) == 0);
            }
          }
        }
      }
    }
  }
}

TEST_CASE("each block of rows is finished once, while it is in cache", "[core][product]") {
  const Tensor a = random_tensor(700, 8, 1), b = random_tensor(8, 5, 2);
  Tensor c({700, 5});
  multiply_rows(a.matrix(), b.matrix(), Transpose::no, c.matrix(), Write::assign,
                [](Size first, MatrixView block) {
                  for (Size i = 0; i < block.rows; ++i) block(i, 0) = static_cast<Real>(first + i);
                });
  for (Size i = 0; i < 700; ++i) REQUIRE(c.matrix()(i, 0) == static_cast<Real>(i));
}

TEST_CASE("signals that arrive during products destroy no memory", "[core][product]") {
  const Tensor a = random_tensor(256, 768, 1), b = random_tensor(768, 320, 2);
  Tensor c({256, 320});
  static volatile std::sig_atomic_t signals;
  signals = 0;
  std::signal(SIGALRM, [](int) { signals = signals + 1; });
  const itimerval often{{0, 200}, {0, 200}}, never{};
  ::setitimer(ITIMER_REAL, &often, nullptr);
  bool intact = true;
  while (signals < 400) {
    // Fresh neighbours on the heap each time, as the kernels' own buffers are.
    std::vector<std::vector<unsigned char>> neighbours;
    for (std::size_t k = 0; k < 64; ++k)
      neighbours.emplace_back(16 << (k % 12), static_cast<unsigned char>(k + 1));
    for (int k = 0; k < 8; ++k)
      multiply_serial(a.matrix(), Transpose::no, b.matrix(), Transpose::no, c.matrix());
    for (std::size_t k = 0; k < neighbours.size(); ++k) {
      intact = intact && std::all_of(neighbours[k].begin(), neighbours[k].end(),
                                     [&](unsigned char v) { return v == k + 1; });
    }
  }
  ::setitimer(ITIMER_REAL, &never, nullptr);
  std::signal(SIGALRM, SIG_DFL);
  CHECK(intact);
  CHECK(largest_error(c.matrix(),
                      plain_product(a.matrix(), Transpose::no, b.matrix(), Transpose::no).matrix()) <
        tolerance);
}
