#pragma once

#include "tarn/core/errors.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include "module_walk.hpp"

#include <functional>

/// Readouts made from options, and what they give.
namespace tarn::test {

/// Rows of four sets, one of them empty.
inline const Segments sample_sets({0, 4, 5, 5, 12});

inline Segments one_set(Size rows) {
  return Segments::uniform(1, rows);
}

inline Value options(std::initializer_list<std::pair<std::string, Value>> entries) {
  Value v{Value::Table{}};
  for (const auto& [key, value] : entries) v.set(key, value);
  return v;
}

inline std::unique_ptr<Readout> readout(const char* name, Size dim, const Value& o = {}) {
  auto made = make_readout(name, dim, o);
  made->init(Rng(1));
  return made;
}

/// Changes an input before it is pooled.
using Change = std::function<void(Tape&, SetInput&)>;

inline std::vector<Real> pooled(Readout& r, const Tensor& x, const Segments& sets, const Change& change = {},
                                Pass pass = {}) {
  Tape tape;
  tape.reset(pass);
  SetInput in{.x = tape.input(x), .sets = sets};
  if (change) change(tape, in);
  return numbers(r.forward(in).y.value());
}
inline std::vector<Real> pooled(const char* name, const Tensor& x, const Segments& sets,
                                const Value& o = {}) {
  return pooled(*readout(name, x.shape().cols(), o), x, sets);
}

/// The gradient of x where every number of the result has the gradient 1.
inline std::vector<Real> gradient(Readout& r, const Tensor& x, const Segments& sets,
                                  const Change& change = {}) {
  Tape tape;
  tape.reset();
  SetInput in{.x = tape.input(x, NeedsGrad::yes), .sets = sets};
  if (change) change(tape, in);
  const Var y = r.forward(in).y;
  Tensor ones(y.shape());
  ones.fill(1);
  const std::pair<Var, ConstMatrixView> seed{y, std::as_const(ones).matrix()};
  tape.backward(std::span(&seed, 1));
  return numbers(tape.grad(in.x));
}

template <std::size_t n>
Tensor tensor(const Shape& shape, const double (&values)[n]) {
  Tensor t(shape);
  REQUIRE(t.size() == static_cast<Size>(n));
  for (std::size_t i = 0; i < n; ++i) t.data()[i] = static_cast<Real>(values[i]);
  return t;
}

}  // namespace tarn::test
