#pragma once

#include "tarn/core/registry.hpp"
#include "tarn/core/tape.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// A loss over paired vectors: a, b [B, D], and labels [B] for those that take them -> [1].
class Loss {
 public:
  virtual ~Loss() = default;
  [[nodiscard]] virtual bool takes_labels() const = 0;
  [[nodiscard]] virtual Var forward(Var a, Var b, Var labels) const = 0;
};

[[nodiscard]] Registry<Loss>& losses();
void register_losses(Registry<Loss>& registry);

}  // namespace TARN_PRECISION
}  // namespace tarn
