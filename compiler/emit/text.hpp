// Pieces of C++ text: literals and calls that keep to the line's width.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cnnc::emit {

/// 0.1f, 1e-05f, 1.0f: the shortest text that reads back as the same float.
std::string float_literal(double value);
/// The same for a double.
std::string double_literal(double value);
/// A quoted string with escapes.
std::string string_literal(std::string_view text);
/// Several quoted lines, each on a line of its own and indented by `indent` spaces; begins with the line's break.
std::string long_string_literal(std::string_view text, int indent);
/// "61,706".
std::string with_commas(std::int64_t number);
/// A constant array of rows and an empty line; nothing where there are no rows.
std::string table(std::string_view type, std::string_view name, const std::vector<std::string>& rows);
/// What a span to such a table is made of: its name, or {} where it is left out.
std::string table_name(std::string_view name, bool empty);
/// `head(a, b, c)tail`, broken between operands where it passes 110 columns, and where an operand has lines of its own.
std::string call_text(std::string_view head, const std::vector<std::string>& operands, std::string_view tail, int indent);
/// `head{a, b, c};` on one line, or, where that passes 110 columns, its members on lines of their own, indented by four.
std::string braced_text(std::string_view head, const std::vector<std::string>& members);

}  // namespace cnnc::emit
