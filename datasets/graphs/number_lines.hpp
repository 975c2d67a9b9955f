#pragma once

#include "tarn/datasets/graphs/columns.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tarn::detail {

/// What a file of numbers must look like.
struct LineRule {
  Size cols = -1;         ///< any number, the same in every line
  Size rows = -1;         ///< any number
  std::string each;       ///< what a line belongs to, for messages: "node of MUTAG_graph_indicator.txt"
  bool may_miss = false;  ///< an empty field is a missing number, NaN; for doubles
};

/// Numbers of a text, one row a line: fields separated by commas with any blanks around them, lines by LF or
/// CRLF; a missing last newline and empty lines at the end are fine. One pass, no copies; whole numbers are
/// 64 bits wide. Throws DataError, `where:LINE: ...`, for anything else: an empty line, a field that is no
/// finite number (or no whole one), a wrong count of fields or lines.
[[nodiscard]] Columns<std::int64_t> read_whole_numbers(std::string_view text, const std::string& where,
                                                       const LineRule& rule);
[[nodiscard]] Columns<double> read_real_numbers(std::string_view text, const std::string& where,
                                                const LineRule& rule);

}  // namespace tarn::detail
