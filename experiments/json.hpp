#pragma once

#include "tarn/core/value.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tarn {

/// Reads one JSON value. `where` names the text in errors: `results.json:3:14: expected ...` as a DataError.
/// Whole numbers beyond 64 bits read as doubles; a key given twice is an error.
[[nodiscard]] Value parse_json(std::string_view text, const std::string& where);

/// One value for each line of `text`. A last line without its end is left out: it was being written when its
/// process died. Throws DataError naming the line.
[[nodiscard]] std::vector<Value> parse_json_lines(std::string_view text, const std::string& where);

/// What becomes of NaN and infinity, which JSON cannot express.
enum class NonFinite { refuse, null };

/// JSON text of a value: on one line with `indent` below 0, else with that many spaces a level. Doubles read
/// back as the same doubles. Throws ValueError, naming the path of the number, where NonFinite::refuse meets
/// NaN or infinity.
[[nodiscard]] std::string to_json(const Value& value, int indent = -1,
                                  NonFinite non_finite = NonFinite::refuse);

}  // namespace tarn
