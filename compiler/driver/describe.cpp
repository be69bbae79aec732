// The reference of layers as text.
#include "driver/describe.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace cnnc::driver {

namespace {

std::string type_text(const ir::ArgumentDef& argument) {
  switch (argument.type) {
    case ir::ArgumentType::kInteger: return "integer";
    case ir::ArgumentType::kPair: return "3 or 1x7";
    case ir::ArgumentType::kPadding: return "1, 0x3 or same";
    case ir::ArgumentType::kNumber: return "number";
    case ir::ArgumentType::kBoolean: return "true or false";
    case ir::ArgumentType::kWord: return fmt::format("{}", fmt::join(argument.choices, " | "));
    case ir::ArgumentType::kActivation: return "an activation";
    case ir::ArgumentType::kText: return "text";
    case ir::ArgumentType::kNumbers: return "number or list of numbers";
    case ir::ArgumentType::kPart: return "fraction, count or test";
  }
  return "";
}

}  // namespace

std::string describe(const ir::OpDef& card) {
  std::vector<std::string> signature;
  for (const ir::ArgumentDef& argument : card.arguments) {
    signature.push_back(argument.default_value ? fmt::format("{}={}", argument.name, to_text(*argument.default_value))
                                               : std::string(argument.name));
  }
  std::string text = card.arguments.empty() ? std::string(card.name) : fmt::format("{}({})", card.name, fmt::join(signature, ", "));
  text += fmt::format("\n  {}\n", card.summary);
  for (const ir::ArgumentDef& argument : card.arguments) {
    text += fmt::format("\n  {:12} {}\n{:15}{}{}\n", argument.name, argument.summary, "", type_text(argument),
                        argument.default_value ? fmt::format("; default {}", to_text(*argument.default_value)) : "; required");
  }
  return text;
}

std::string describe_all(const ir::OpRegistry& ops) {
  std::string text;
  for (const ir::OpDef& card : ops.all()) text += fmt::format("{:10} {}\n", card.name, card.summary);
  return text + "\nMore about one: cnnc describe LAYER\n";
}

}  // namespace cnnc::driver
