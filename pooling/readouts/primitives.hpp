#pragma once

#include "tarn/core/registry.hpp"

#include <string>
#include <utility>
#include <vector>

namespace tarn {

/// On which operations an operator stands, beside its name. The five primitives of set readouts:
///
/// - P1 `segment_reduce`: sum, mean, extrema, product, variance per set and column, any subset in one pass;
///   `segment_power_mean` its form under powers, `segment_pool` with given weights its weighted form
/// - P2 `segment_pool`, `segment_feature_pool`: softmax over a set and weighted sum, of whole rows or per
/// column
/// - P3 `ragged_attention`, `segment_query_pool`: multi-head attention between sets, or with shared queries
/// - P4 row maps: `linear` with bias and activation, gated maps, norms, on rows of x or on results
/// - P5 `segment_quantile`, `segment_top_rows`, `segment_recurrent`, `set_linear`: what reads rows in an
/// order
using Primitives = std::vector<std::pair<std::string, std::string>>;

/// Hands operators to `register_` functions and notes to the catalogue from one list: a family writes
/// `template <class Add> void list(Add add) { add(Op<Mean>(), "mean", "P1", {"formula", "paper"}); ... }`.
template <class T>
struct Op {
  using Type = T;
};

/// Adds every operator of a list to a registry.
template <class Family>
auto adding_to(Registry<Family>& registry) {
  return [&registry](auto op, const char* name, const char*, OperatorDocs docs) {
    registry.template add<typename decltype(op)::Type>(name, std::move(docs));
  };
}

/// Takes the notes of every operator of a list.
inline auto noting_in(Primitives& notes) {
  return [&notes](auto, const char* name, const char* primitives, const OperatorDocs&) {
    notes.emplace_back(name, primitives);
  };
}

/// The primitives of the built-in set readouts.
[[nodiscard]] Primitives readout_primitives();

}  // namespace tarn
