#pragma once

#include "tarn/core/parallel.hpp"
#include "tarn/core/tensor.hpp"
#include "tarn/datasets/token_batches.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace tarn {

/// One pass over some rows in batches; the last one may be smaller.
struct BatchPlan {
  std::span<const Size> rows;  ///< of the texts; not none
  Size batch = 32;
  Shuffle shuffle = Shuffle::none;
  std::uint64_t seed = 0;  ///< the order is a function of rows, shuffle, seed and epoch
  Size epoch = 0;
};

inline namespace TARN_PRECISION {

/// States of some texts. Views: valid while the callback that gets it runs.
struct TextBatch {
  std::span<const Size> rows;        ///< which texts
  std::array<ConstMatrixView, 2> x;  ///< [N, D] packed states of the texts and, for pairs, of their partners
  std::array<Segments, 2> sets;      ///< over the rows of x
};

/// Labelled texts (or pairs of texts) with frozen states, wherever these lie. Several threads may read.
class Texts {
 public:
  virtual ~Texts() = default;
  [[nodiscard]] virtual Size rows() const = 0;
  [[nodiscard]] virtual Size dim() const = 0;
  /// 1, or 2 for pairs.
  [[nodiscard]] virtual Size num_texts() const = 0;
  /// A class number or a real value; NaN without a label.
  [[nodiscard]] virtual double label(Size row) const = 0;
  virtual void for_batches(const BatchPlan& plan, FunctionRef<void(const TextBatch&)> f) const = 0;
};

/// States in memory, which somebody else owns. Batches in file order are views; others are gathered into one
/// buffer per pass.
class MemoryTexts final : public Texts {
 public:
  struct Side {
    ConstMatrixView x;
    Segments sets;  ///< a set per text
  };
  /// One side, or two for pairs. Throws ShapeError unless sides and labels have one set and label per text.
  MemoryTexts(std::vector<Side> sides, std::vector<double> labels);

  Size rows() const override { return static_cast<Size>(labels_.size()); }
  Size dim() const override { return sides_.front().x.cols; }
  Size num_texts() const override { return static_cast<Size>(sides_.size()); }
  double label(Size row) const override { return labels_[static_cast<std::size_t>(row)]; }
  void for_batches(const BatchPlan& plan, FunctionRef<void(const TextBatch&)> f) const override;

 private:
  std::vector<Side> sides_;
  std::vector<double> labels_;
};

/// A split of a token store, read ahead by a thread of its own. Shuffle::full becomes the order that the
/// store reads quickly.
class StoreTexts final : public Texts {
 public:
  /// Throws ValueError for a selection that leaves several layers side by side.
  StoreTexts(TokenSplit split, LayerSelection layers);

  Size rows() const override { return split_.rows(); }
  Size dim() const override { return split_.dim(); }
  Size num_texts() const override { return split_.num_texts(); }
  double label(Size row) const override { return split_.label(row); }
  void for_batches(const BatchPlan& plan, FunctionRef<void(const TextBatch&)> f) const override;
  [[nodiscard]] const TokenSplit& split() const { return split_; }

 private:
  TokenSplit split_;
  LayerSelection layers_;
};

}  // namespace TARN_PRECISION

/// 0 .. count-1.
[[nodiscard]] std::vector<Size> first_rows(Size count);

}  // namespace tarn
