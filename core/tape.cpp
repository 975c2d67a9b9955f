#include "tarn/core/tape.hpp"

#include <algorithm>
#include <cassert>

namespace tarn {

namespace {

/// Rows of about 64k numbers.
Size rows_per_block(Size cols) {
  return std::max<Size>(1, 65536 / std::max<Size>(cols, 1));
}

void clear(MatrixView m) {
  for_blocks(m.rows, rows_per_block(m.cols), [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) std::fill_n(m.row(i), m.cols, Real{0});
  });
}

}  // namespace

inline namespace TARN_PRECISION {

Shape Var::shape() const {
  return tape_->node(*this).shape;
}
ConstMatrixView Var::value() const {
  return tape_->node(*this).value;
}
bool Var::needs_grad() const {
  return tape_->node(*this).needs_grad;
}

Tape::~Tape() {
  reset();
}

void Tape::reset(Pass pass) {
  for (const Node& n : nodes_) {
    if (n.destroy != nullptr) n.destroy(n.closure);
  }
  nodes_.clear();
  arena_.reset();
  pass_ = pass;
  draws_ = 0;
  ++generation_;
}

Var Tape::push(Node n) {
  nodes_.push_back(std::move(n));
  return {this, static_cast<std::int32_t>(nodes_.size() - 1), generation_};
}

Tape::Node& Tape::node(Var v) {
  assert(v.tape_ == this && v.generation_ == generation_ && "a Var of an earlier pass");
  return nodes_[static_cast<std::size_t>(v.id_)];
}

const Tape::Node& Tape::node(Var v) const {
  return const_cast<Tape*>(this)->node(v);
}

Var Tape::input(ConstMatrixView value, Shape shape, NeedsGrad needs_grad) {
  return push(
      {.value = value, .shape = shape, .operation = "input", .needs_grad = needs_grad == NeedsGrad::yes});
}

Var Tape::parameter(Parameter& p) {
  return push({.value = std::as_const(p.value).matrix(),
               .shape = p.value.shape(),
               .operation = "parameter",
               .needs_grad = p.trainable,
               .parameter = &p});
}

MatrixView Tape::allocate(const Shape& shape) {
  const auto run = allocate_array<Real>(shape.count());
  return {run.data(), shape.rows(), shape.cols()};
}

GradSink Tape::sink(Var v) {
  Node& n = node(v);
  assert(n.needs_grad);
  if (n.parameter != nullptr) {
    const bool first = !std::exchange(n.parameter->has_grad, true);
    return {n.parameter->grad.matrix(), first ? Write::assign : Write::add};
  }
  const bool first = !std::exchange(n.has_grad, true);
  if (first) n.grad = allocate(n.shape);
  return {n.grad, first ? Write::assign : Write::add};
}

MatrixView Tape::grad(Var v) {
  const GradSink s = sink(v);
  if (s.write == Write::assign) clear(s.view);
  return s.view;
}

void Tape::backward(Var loss) {
  assert(loss.shape().count() == 1);
  static constexpr Real one = 1;
  const std::pair<Var, ConstMatrixView> seed{loss, ConstMatrixView(&one, 1, 1)};
  backward(std::span(&seed, 1));
}

void Tape::backward(std::span<const std::pair<Var, ConstMatrixView>> cotangents) {
  for (const auto& [v, dy] : cotangents) {
    if (v.needs_grad()) pass_gradient(dy, sink(v));
  }
  run_backward();
}

void Tape::run_backward() {
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    // A closure may allocate but never records, so the reference stays good.
    const Node& n = nodes_[i];
    if (n.run != nullptr && n.has_grad) n.run(n.closure, n.grad);
  }
}

void pass_gradient(ConstMatrixView dy, GradSink to) {
  for_blocks(dy.rows, rows_per_block(dy.cols), [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) {
      const Real* from = dy.row(i);
      Real* out = to.view.row(i);
      if (to.write == Write::assign) {
        std::copy_n(from, dy.cols, out);
      } else {
        for (Size j = 0; j < dy.cols; ++j) out[j] += from[j];
      }
    }
  });
}

void settle_grads(std::span<Parameter* const> parameters) {
  for (Parameter* p : parameters) {
    if (!p->trainable || p->has_grad) continue;
    p->grad.fill(0);
    p->has_grad = true;
  }
}

}  // namespace TARN_PRECISION
}  // namespace tarn
