#pragma once

#include "tarn/experiments/mesh/mesh_network.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// Draws the weights of linear layers named fc*: normal(0, gain); xavier, normal with deviation gain sqrt(2 /
/// (in + out)); kaiming, normal with deviation sqrt(2 / in); orthogonal rows or columns, times gain. Weights
/// of norms named bn* that have running statistics: normal(1, gain). All else stays as it is.
void draw_network_weights(Module& module, WeightInit type, double gain, const Rng& rng);

}  // namespace TARN_PRECISION
}  // namespace tarn
