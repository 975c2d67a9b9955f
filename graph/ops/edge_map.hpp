#pragma once

#include "tarn/core/ops/vector.hpp"
#include "tarn/graph/ops/edge_weights.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// A linear map of edge features that is applied edge by edge, so that no [E, D] matrix exists: t_e = W a_e,
/// with W [D, F] kept transposed. For loops of their own the features are those of the loops.
class EdgeMap {
 public:
  /// attr [E, F], loop_attr [N, F] or not given, weight [D, F]; all not given: no features.
  EdgeMap(Tape& tape, Var attr, Var loop_attr, Var weight)
      : attr_(attr), loop_attr_(loop_attr), weight_(weight) {
    if (!weight.given()) return;
    const ConstMatrixView w = weight.value();
    transposed_ = tape.allocate({w.cols, w.rows});
    for (Size f = 0; f < w.cols; ++f) {
      for (Size c = 0; c < w.rows; ++c) transposed_(f, c) = w(c, f);
    }
  }

  [[nodiscard]] bool given() const { return weight_.given(); }
  [[nodiscard]] Size num_features() const { return transposed_.rows; }
  [[nodiscard]] const Real* features(const AttentionEdge& e) const {
    return e.loop ? loop_attr_.value().row(e.row) : attr_.value().row(e.row);
  }
  /// W^T by rows: row f holds what feature f adds, [F, D].
  [[nodiscard]] ConstMatrixView rows() const { return transposed_; }
  /// row [D] += W a_e.
  void add(const AttentionEdge& e, Real* row) const {
    const Real* a = features(e);
    for (Size f = 0; f < transposed_.rows; ++f) add_scaled(a[f], transposed_.row(f), row, transposed_.cols);
  }

  /// Where gradients of the features go; without data where none is wanted.
  struct FeatureGradients {
    MatrixView edges, loops;
    [[nodiscard]] Real* of(const AttentionEdge& e) const {
      const MatrixView m = e.loop ? loops : edges;
      return m.data != nullptr ? m.row(e.row) : nullptr;
    }
  };
  [[nodiscard]] FeatureGradients feature_gradients(Tape& tape) const {
    const auto of = [&](Var v) { return v.given() && v.needs_grad() ? tape.grad(v) : MatrixView{}; };
    return {of(attr_), of(loop_attr_)};
  }
  /// Adds sums [F * D] of the gradient of W^T.
  void add_weight_gradient(Tape& tape, const double* sums) const {
    if (!weight_.given() || !weight_.needs_grad()) return;
    const MatrixView dw = tape.grad(weight_);
    for (Size c = 0; c < dw.rows; ++c) {
      for (Size f = 0; f < dw.cols; ++f) dw(c, f) += static_cast<Real>(sums[f * dw.rows + c]);
    }
  }

 private:
  Var attr_, loop_attr_, weight_;
  MatrixView transposed_{};
};

}  // namespace TARN_PRECISION
}  // namespace tarn
