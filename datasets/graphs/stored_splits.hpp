#pragma once

#include "tarn/core/h5.hpp"
#include "tarn/datasets/graphs/split_lists.hpp"

#include <vector>

namespace tarn::detail {

/// The group `splits` of a store: splits/NAME/{train,validation,test}/K, with attributes `about` and `folds`
/// on splits/NAME. Lists that are empty are left out.
void write_splits(h5::File& file, const std::vector<SplitLists>& splits);

/// None if there is no such group. Throws DataError for a number of folds that cannot be.
[[nodiscard]] std::vector<SplitLists> read_splits(const h5::File& file);

}  // namespace tarn::detail
