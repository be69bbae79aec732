// How pieces of C++ text are written.
#include "emit/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace cnnc::emit {

namespace {

constexpr std::size_t kWidth = 110;

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '"': result += "\\\""; break;
      case '\\': result += "\\\\"; break;
      case '\n': result += "\\n"; break;
      case '\t': result += "\\t"; break;
      case '?': result += "\\?"; break;  // no trigraphs
      default:
        if (static_cast<unsigned char>(c) < 0x20) result += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
        else result += c;
    }
  }
  return result;
}

}  // namespace

std::string float_literal(double value) {
  std::string text = fmt::format("{}", static_cast<float>(value));
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text + "f";
}

std::string double_literal(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string string_literal(std::string_view text) {
  return fmt::format("\"{}\"", escaped(text));
}

std::string long_string_literal(std::string_view text, int indent) {
  std::string result;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::size_t length = end == std::string_view::npos ? text.size() : end + 1;
    result += fmt::format("\n{:{}}{}", "", indent, string_literal(text.substr(0, length)));
    text.remove_prefix(length);
  }
  return result.empty() ? " \"\"" : result;
}

std::string with_commas(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t sign = number < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > sign + 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string table(std::string_view type, std::string_view name, const std::vector<std::string>& rows) {
  if (rows.empty()) return "";
  return fmt::format("constexpr {} {}[] = {{\n    {},\n}};\n\n", type, name, fmt::join(rows, ",\n    "));
}

std::string table_name(std::string_view name, bool empty) {
  return empty ? "{}" : std::string(name);
}

std::string call_text(std::string_view head, const std::vector<std::string>& operands, std::string_view tail, int indent) {
  std::string text = fmt::format("{:{}}{}(", "", indent, head);
  std::size_t column = text.size();
  const std::size_t hanging = column;
  const auto new_line = [&] {
    text += fmt::format("\n{:{}}", "", hanging);
    column = hanging;
  };
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const bool last = i + 1 == operands.size();
    const std::string operand = operands[i] + (last ? fmt::format("){}", tail) : std::string(","));
    std::string_view piece = operand;
    const std::size_t needed = std::min(piece.size(), piece.find('\n')) + (i == 0 ? 0 : 1);
    if (i != 0 && column + needed > kWidth) {
      new_line();
    } else if (i != 0) {
      text += ' ';
      ++column;
    }
    for (std::size_t end = piece.find('\n'); end != std::string_view::npos; end = piece.find('\n')) {
      text += piece.substr(0, end);
      piece.remove_prefix(end + 1);
      new_line();
    }
    text += piece;
    column += piece.size();
  }
  if (operands.empty()) text += fmt::format("){}", tail);
  return text + "\n";
}

std::string braced_text(std::string_view head, const std::vector<std::string>& members) {
  const std::string line = fmt::format("{}{{{}}};\n", head, fmt::join(members, ", "));
  if (line.size() <= kWidth + 1) return line;
  constexpr std::string_view kIndent = "    ";
  std::string text = fmt::format("{}{{\n{}", head, kIndent);
  std::size_t column = kIndent.size();
  for (std::size_t i = 0; i < members.size(); ++i) {
    const std::string piece = members[i] + (i + 1 == members.size() ? "};" : ",");
    if (i != 0 && column + 1 + piece.size() > kWidth) {
      text += fmt::format("\n{}", kIndent);
      column = kIndent.size();
    } else if (i != 0) {
      text += ' ';
      ++column;
    }
    text += piece;
    column += piece.size();
  }
  return text + "\n";
}

}  // namespace cnnc::emit
