// How paths become identifiers.
#include "plan/names.hpp"

#include <fmt/format.h>

#include <cctype>

namespace cnnc::plan {

namespace {

const std::set<std::string, std::less<>> kKeywords = {
    "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch", "char",
    "char8_t", "char16_t", "char32_t", "class", "compl", "concept", "const", "consteval", "constexpr", "constinit",
    "const_cast", "continue", "co_await", "co_return", "co_yield", "decltype", "default", "delete", "do", "double",
    "dynamic_cast", "else", "enum", "explicit", "export", "extern", "false", "float", "for", "friend", "goto", "if",
    "inline", "int", "long", "mutable", "namespace", "new", "noexcept", "not", "not_eq", "nullptr", "operator", "or",
    "or_eq", "private", "protected", "public", "register", "reinterpret_cast", "requires", "return", "short", "signed",
    "sizeof", "static", "static_assert", "static_cast", "struct", "switch", "template", "this", "thread_local", "throw",
    "true", "try", "typedef", "typeid", "typename", "union", "unsigned", "using", "virtual", "void", "volatile",
    "wchar_t", "while", "xor", "xor_eq"};

}  // namespace

std::string identifier(std::string_view path) {
  std::string name;
  for (const char c : path) {
    const bool separator = c == '.' || c == '[' || !(std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == ']');
    if (separator) {
      // Two underscores in a row, and one at the beginning before a capital, belong to the implementation.
      if (!name.empty() && name.back() != '_') name += '_';
    } else if (c != ']' && !(c == '_' && (name.empty() || name.back() == '_'))) {
      name += c;
    }
  }
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) name.insert(0, "n");
  // Constants are kName, so no variable may look like one.
  const bool constant = name.size() > 1 && name[0] == 'k' && !std::islower(static_cast<unsigned char>(name[1]));
  if (constant || kKeywords.contains(name)) name += '_';
  return name;
}

std::string camel_case(std::string_view path) {
  std::string name;
  bool upper = true;
  for (const char c : identifier(path)) {
    if (c == '_') {
      upper = true;
      continue;
    }
    const bool digits_meet = !name.empty() && std::isdigit(static_cast<unsigned char>(name.back())) &&
                             std::isdigit(static_cast<unsigned char>(c)) && upper;
    if (digits_meet) name += '_';
    name += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = false;
  }
  return name;
}

std::string UniqueNames::give(const std::string& wish) {
  std::string name = wish;
  for (int number = 2; !taken_.insert(name).second; ++number) name = fmt::format("{}_{}", wish, number);
  return name;
}

const std::set<std::string>& reserved_names() {
  static const std::set<std::string> names = {"images",     "labels",    "batch",   "random", "optimizer", "count",
                                              "scratch",    "blocked",   "floats",  "bytes",  "cnn",       "models",
                                              "parameters", "gradients", "scores",  "losses", "phase",     "std",
                                              "step",       "predict",   "evaluate", "tensor", "threads",   "description",
                                              // Macros of standard headers and of GNU's dialects.
                                              "NULL",       "EOF",       "errno",    "assert", "stdin",     "stdout",
                                              "stderr",     "linux",     "unix",
                                              "part"};
  return names;
}

}  // namespace cnnc::plan
