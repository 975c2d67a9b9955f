#pragma once

#include "tarn/datasets/mesh/polygon_soup.hpp"

#include <string_view>

/// Inside of `parse_mesh`: one reader per format.
namespace tarn::detail {

[[nodiscard]] PolygonSoup read_obj(std::string_view bytes, std::string_view name);
[[nodiscard]] PolygonSoup read_off(std::string_view bytes, std::string_view name);
[[nodiscard]] PolygonSoup read_ply(std::string_view bytes, std::string_view name);
[[nodiscard]] PolygonSoup read_stl(std::string_view bytes, std::string_view name);

}  // namespace tarn::detail
