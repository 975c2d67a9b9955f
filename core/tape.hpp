#pragma once

#include "tarn/core/arena.hpp"
#include "tarn/core/product.hpp"
#include "tarn/core/rng.hpp"
#include "tarn/core/tensor.hpp"

#include <cstdint>
#include <new>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace tarn {
inline namespace TARN_PRECISION {

class Tape;

/// A trainable tensor, or (not trainable) state that travels with the parameters, such as running means.
struct Parameter {
  std::string name;  ///< dotted, as PyTorch has it: `score_layer.0.weight`
  Tensor value;
  Tensor grad;            ///< same shape; meaningful while has_grad
  bool has_grad = false;  ///< false: counts as zero, and the next backward pass assigns instead of adding
  bool trainable = true;
};

/// A value on a tape: a handle, cheap to copy, valid until the tape is reset.
class Var {
 public:
  Var() = default;
  /// False for a default-made handle, which stands for "not given".
  [[nodiscard]] bool given() const { return tape_ != nullptr; }
  [[nodiscard]] Tape& tape() const { return *tape_; }
  [[nodiscard]] Shape shape() const;
  /// Leading dimensions x last dimension.
  [[nodiscard]] ConstMatrixView value() const;
  [[nodiscard]] Size rows() const { return value().rows; }
  [[nodiscard]] Size cols() const { return value().cols; }
  [[nodiscard]] bool needs_grad() const;

 private:
  friend class Tape;
  Var(Tape* tape, std::int32_t id, std::uint32_t generation)
      : tape_(tape), id_(id), generation_(generation) {}
  Tape* tape_ = nullptr;
  std::int32_t id_ = -1;
  std::uint32_t generation_ = 0;
};

/// Where an operation's backward pass writes an input's gradient: the first writer may assign, later ones
/// add.
struct GradSink {
  MatrixView view;
  Write write = Write::add;
};

/// Whether the pass is one of training (dropout draws, batch statistics), the random numbers of this step,
/// and what linear maps round their factors to.
struct Pass {
  bool training = false;
  Rng rng{};
  ProductPrecision products = ProductPrecision::full;
};

enum class NeedsGrad { no, yes };

/// Eager reverse-mode differentiation. Operations compute at once and record a closure for the backward pass;
/// values, gradients and closures live in an arena that is kept from step to step. Nothing is recorded for
/// operations none of whose inputs needs a gradient. Gradients of gradients are not offered. One tape is used
/// by one thread at a time; operations are parallel inside.
class Tape {
 public:
  Tape() = default;
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// Forgets all values and starts a pass; every Var made before is invalid.
  void reset(Pass pass = {});
  [[nodiscard]] const Pass& pass() const { return pass_; }
  /// A stream of random numbers of its own for the next operation that draws; the same for the same program
  /// and pass.
  [[nodiscard]] Rng next_rng() { return pass_.rng.split(draws_++); }

  // === Leaves
  /// A value that lives outside and outlives the pass; rows may be strided.
  Var input(ConstMatrixView value, Shape shape, NeedsGrad needs_grad = NeedsGrad::no);
  Var input(const Tensor& value, NeedsGrad needs_grad = NeedsGrad::no) {
    return input(value.matrix(), value.shape(), needs_grad);
  }
  /// A leaf whose gradient is `parameter.grad` itself.
  Var parameter(Parameter& parameter);
  /// The same; not given for null.
  Var parameter(Parameter* one) { return one != nullptr ? parameter(*one) : Var{}; }

  // === Operations
  /// Uninitialised memory of this pass.
  [[nodiscard]] MatrixView allocate(const Shape& shape);
  template <class T>
  [[nodiscard]] std::span<T> allocate_array(Size count) {
    static_assert(std::is_trivially_destructible_v<T>);
    return {static_cast<T*>(arena_.allocate(static_cast<std::size_t>(count) * sizeof(T))),
            static_cast<std::size_t>(count)};
  }
  /// Enters a computed value. `backward(dy)` adds into the gradients of the inputs that need one; it is
  /// dropped if none does. Captures must be handles and views by value.
  template <class Backward>
  Var record(const char* operation, const Shape& shape, ConstMatrixView value, std::span<const Var> inputs,
             Backward&& backward) {
    bool needed = false;
    for (const Var& v : inputs) needed = needed || (v.given() && v.needs_grad());
    Node node{.value = value, .shape = shape, .operation = operation, .needs_grad = needed};
    if (needed) {
      using Closure = std::decay_t<Backward>;
      void* memory = arena_.allocate(sizeof(Closure));
      node.closure = new (memory) Closure(std::forward<Backward>(backward));
      node.run = [](void* closure, ConstMatrixView dy) { (*static_cast<Closure*>(closure))(dy); };
      if constexpr (!std::is_trivially_destructible_v<Closure>) {
        node.destroy = [](void* closure) { static_cast<Closure*>(closure)->~Closure(); };
      }
    }
    return push(std::move(node));
  }
  template <class Backward>
  Var record(const char* operation, const Shape& shape, ConstMatrixView value,
             std::initializer_list<Var> inputs, Backward&& backward) {
    return record(operation, shape, value, std::span<const Var>(inputs.begin(), inputs.size()),
                  std::forward<Backward>(backward));
  }

  // === Backward
  /// From a loss of one element, with dL/dL = 1.
  void backward(Var loss);
  /// From several outputs with their cotangents dL/d(output).
  void backward(std::span<const std::pair<Var, ConstMatrixView>> cotangents);
  /// Where to write the gradient of v; only for v that needs one. Marks it as written.
  [[nodiscard]] GradSink sink(Var v);
  /// The gradient of v to add to, zero before the first writer.
  [[nodiscard]] MatrixView grad(Var v);

  [[nodiscard]] const Arena& arena() const { return arena_; }

 private:
  friend class Var;
  struct Node {
    ConstMatrixView value;
    Shape shape;
    const char* operation = "";
    bool needs_grad = false;
    bool has_grad = false;
    MatrixView grad{};
    Parameter* parameter = nullptr;
    void* closure = nullptr;
    void (*run)(void*, ConstMatrixView) = nullptr;
    void (*destroy)(void*) = nullptr;
  };
  Var push(Node node);
  Node& node(Var v);
  const Node& node(Var v) const;
  void run_backward();

  Arena arena_;
  std::vector<Node> nodes_;
  Pass pass_;
  std::uint64_t draws_ = 0;
  std::uint32_t generation_ = 0;
};

/// Passes a gradient on as it is.
void pass_gradient(ConstMatrixView dy, GradSink to);

/// Gives the unset gradients of parameters the value zero; for who reads gradients rather than steps by them.
void settle_grads(std::span<Parameter* const> parameters);

}  // namespace TARN_PRECISION
}  // namespace tarn
