#include "tarn/core/ops/vector_math.hpp"

#include "core/op_fixture.hpp"

#include <array>

using namespace tarn;
using namespace tarn::test;

namespace {

struct Function {
  void (*in_place)(Real*, Size);
  double (*plain)(double);
};

constexpr std::array functions{
    Function{tanh_in_place, [](double x) { return std::tanh(x); }},
    Function{exp_in_place, [](double x) { return std::exp(x); }},
    Function{log_in_place, [](double x) { return std::log(x); }},
    Function{log1p_in_place, [](double x) { return std::log1p(x); }},
    Function{sigmoid_in_place, [](double x) { return 1 / (1 + std::exp(-x)); }},
    Function{erf_in_place, [](double x) { return std::erf(x); }},
};

}  // namespace

TEST_CASE("functions of runs equal those of the standard library", "[core][math]") {
  for (const Function& f : functions) {
    std::vector<Real> x;
    for (int i = 1; i < 700; ++i) x.push_back(static_cast<Real>(0.01 * i));
    if (f.in_place != log_in_place && f.in_place != log1p_in_place) {
      for (int i = 0; i < 700; ++i) x.push_back(static_cast<Real>(-0.03 * i));
    }
    std::vector<Real> y = x;
    f.in_place(y.data(), static_cast<Size>(y.size()));
    for (std::size_t i = 0; i < x.size(); ++i) {
      CHECK(static_cast<double>(y[i]) == Approx(f.plain(static_cast<double>(x[i])))
                                             .epsilon(rounding(1e-6, 1e-13))
                                             .margin(rounding(3e-7, 1e-14)));
    }
  }
}

TEST_CASE("log1p is exact near zero, and minus infinity at -1", "[core][math]") {
  std::vector<Real> x{0, Real(1e-3), Real(-1e-3), Real(1e-12), Real(-1e-12), Real(-0.5), Real(-0.999)};
  std::vector<Real> y = x;
  log1p_in_place(y.data(), static_cast<Size>(y.size()));
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto want = Approx(std::log1p(static_cast<double>(x[i]))).epsilon(rounding(1e-6, 1e-13));
    CHECK(static_cast<double>(y[i]) == want);
  }
  Real end = -1;
  log1p_in_place(&end, 1);
  CHECK(end == -std::numeric_limits<Real>::infinity());
}

TEST_CASE("a number has the same bits wherever it stands", "[core][math]") {
  for (const Function& f : functions) {
    for (const double value : {0.37, 1.9, 4.21}) {
      Real want = static_cast<Real>(value);
      f.in_place(&want, 1);
      std::vector<Real> run(200, static_cast<Real>(value));
      for (const std::size_t start : {0U, 1U, 7U, 33U}) {
        std::vector<Real> copy = run;
        f.in_place(copy.data() + start, static_cast<Size>(copy.size() - start));
        CHECK(std::all_of(copy.begin() + static_cast<std::ptrdiff_t>(start), copy.end(),
                          [&](Real v) { return v == want; }));
      }
    }
  }
}

TEST_CASE("a NaN stays one, and the exponential of minus infinity is zero", "[core][math]") {
  for (const Function& f : functions) {
    std::vector<Real> run(70, std::numeric_limits<Real>::quiet_NaN());
    f.in_place(run.data(), 70);
    CHECK(std::all_of(run.begin(), run.end(), [](Real v) { return std::isnan(v); }));
  }
  Real none = -std::numeric_limits<Real>::infinity();
  exp_in_place(&none, 1);
  CHECK(none == 0);
}

TEST_CASE("the sigmoid of numbers of any size is finite", "[core][math]") {
  std::array<Real, 4> x{-10000, -80, 80, 10000};
  sigmoid_in_place(x.data(), 4);
  CHECK(x[0] == 0);
  CHECK(x[1] > 0);
  CHECK(x[3] == 1);
}
