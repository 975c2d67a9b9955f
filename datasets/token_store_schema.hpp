#pragma once

#include "tarn/core/h5.hpp"
#include "tarn/datasets/token_store.hpp"

/// Inside of the token store: what its writer and its converter share.
namespace tarn::detail {

/// All root attributes.
void write_info(h5::File& file, const StoreInfo& info);
/// Tokens in a chunk of `hidden`: about 256 KiB.
[[nodiscard]] Size chunk_tokens(Size hidden_size, StateType type);

}  // namespace tarn::detail
