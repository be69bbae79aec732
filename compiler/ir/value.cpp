// The text forms of compile-time values, and access to a layer's arguments.
#include "ir/value.hpp"

#include <fmt/format.h>

#include "support/internal_error.hpp"

namespace cnnc::ir {

namespace {

std::string float_text(double number) {
  std::string text = fmt::format("{}", number);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

std::string string_text(const std::string& string) {
  std::string text = "\"";
  for (const char c : string) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

struct TextOf {
  std::string operator()(std::int64_t number) const { return fmt::format("{}", number); }
  std::string operator()(double number) const { return float_text(number); }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(const std::string& string) const { return string_text(string); }
  std::string operator()(const Word& word) const { return word.text; }
  std::string operator()(const Dimensions& dimensions) const {
    std::string text;
    for (const std::int64_t extent : dimensions.extents)
      text += fmt::format("{}{}", text.empty() ? "" : "x", extent);
    return text;
  }
  std::string operator()(const Normal& normal) const { return fmt::format("normal({})", float_text(normal.deviation)); }
  std::string operator()(const List& list) const {
    std::string text = "[";
    for (const Value& element : list) text += (text.size() == 1 ? "" : ", ") + to_text(element);
    return text + "]";
  }
};

struct DescriptionOf {
  std::string operator()(std::int64_t number) const { return fmt::format("the number {}", number); }
  std::string operator()(double number) const { return fmt::format("the number {}", float_text(number)); }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(const std::string& string) const { return "the text " + string_text(string); }
  std::string operator()(const Word& word) const { return fmt::format("the word '{}'", word.text); }
  std::string operator()(const Dimensions& dimensions) const { return "the size " + TextOf{}(dimensions); }
  std::string operator()(const Normal& normal) const { return TextOf{}(normal); }
  std::string operator()(const List& list) const {
    if (list.empty()) return "an empty list";
    const std::string text = TextOf{}(list);
    return text.size() <= 40 ? "the list " + text : fmt::format("a list of {} elements", list.size());
  }
};

}  // namespace

bool operator==(const Value& left, const Value& right) {
  return left.form == right.form;
}

std::string to_text(const Value& value) {
  return std::visit(TextOf{}, value.form);
}

std::string describe(const Value& value) {
  return std::visit(DescriptionOf{}, value.form);
}

const Value& ArgumentValues::at(std::string_view name) const {
  const auto found = values_.find(name);
  ensure(found != values_.end(), "ir", fmt::format("a layer has no argument '{}'", name));
  return found->second;
}

std::int64_t ArgumentValues::integer(std::string_view name) const {
  const auto* number = at(name).as<std::int64_t>();
  ensure(number != nullptr, "ir", fmt::format("argument '{}' is not a whole number", name));
  return *number;
}

double ArgumentValues::number(std::string_view name) const {
  const Value& value = at(name);
  if (const auto* whole = value.as<std::int64_t>()) return static_cast<double>(*whole);
  const auto* number = value.as<double>();
  ensure(number != nullptr, "ir", fmt::format("argument '{}' is not a number", name));
  return *number;
}

bool ArgumentValues::boolean(std::string_view name) const {
  const auto* value = at(name).as<bool>();
  ensure(value != nullptr, "ir", fmt::format("argument '{}' is neither true nor false", name));
  return *value;
}

const std::string& ArgumentValues::word(std::string_view name) const {
  const auto* word = at(name).as<Word>();
  ensure(word != nullptr, "ir", fmt::format("argument '{}' is not a word", name));
  return word->text;
}

std::pair<std::int64_t, std::int64_t> ArgumentValues::pair(std::string_view name) const {
  const Value& value = at(name);
  if (const auto* both = value.as<std::int64_t>()) return {*both, *both};
  const auto* dimensions = value.as<Dimensions>();
  ensure(dimensions != nullptr && dimensions->extents.size() == 2, "ir",
         fmt::format("argument '{}' is not a pair", name));
  return {dimensions->extents[0], dimensions->extents[1]};
}

}  // namespace cnnc::ir
