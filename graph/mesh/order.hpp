#pragma once

#include "tarn/core/real.hpp"

#include <span>
#include <string_view>

namespace tarn {

/// Throws ShapeError or ValueError, naming `where`, unless `order` holds every number from 0 to count - 1
/// once.
void require_permutation(std::string_view where, std::span<const NodeId> order, Size count);

}  // namespace tarn
