// Binding arguments to the table's rows, and checking that each value is of its row's type and range.
#include "sema/arguments.hpp"

#include <algorithm>

#include "sema/foreign_names.hpp"
#include "support/internal_error.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

using ir::ArgumentDef;
using ir::ArgumentType;
using ir::Value;

std::vector<std::string_view> names_of(std::span<const ArgumentDef> arguments) {
  std::vector<std::string_view> names;
  for (const ArgumentDef& argument : arguments) names.push_back(argument.name);
  return names;
}

// conv(out, kernel, ...)
std::string signature(const Callee& callee) {
  std::string text;
  bool more = false;
  for (const ArgumentDef& argument : callee.arguments) {
    const bool shown = argument.positional || !argument.default_value;
    more |= !shown;
    if (!shown) continue;
    text += fmt::format("{}{}{}", text.empty() ? "" : ", ", argument.name, argument.positional ? "" : "=");
  }
  if (more) text += text.empty() ? "..." : ", ...";
  return fmt::format("{}({})", callee.name, text);
}

void report_unknown(const Callee& callee, const syntax::Name& name, Diagnostics& diagnostics) {
  auto report = diagnostics.report(name.range, messages::kUnknownOption, name.text, callee.name);
  const auto known = names_of(callee.arguments);
  if (const std::string_view foreign = foreign_option(callee.name, name.text); !foreign.empty()) {
    report.help(std::string(foreign));
  } else if (const std::string_view near = nearest(name.text, known); !near.empty()) {
    report.help(fmt::format("did you mean {}?", near));
  } else if (known.empty()) {
    report.help(fmt::format("'{}' takes no options", callee.name));
  } else {
    report.help(fmt::format("'{}' takes {}", callee.name, enumerate(known)));
  }
}

void report_superfluous(const Callee& callee, const syntax::Argument& argument, std::size_t positions,
                        Diagnostics& diagnostics) {
  auto report = diagnostics.report(argument.range, messages::kTooManyArguments, callee.name, positions);
  if (const std::string_view foreign = foreign_extra(callee.name); !foreign.empty())
    report.help(std::string(foreign));
  else if (positions == 0 && std::holds_alternative<syntax::Reference>(argument.value->form))
    report.help(fmt::format("a layer takes the current tensor by itself: write {}", callee.name));
  else if (positions < callee.arguments.size())
    report.help(fmt::format("give the others by name: {}", signature(callee)));
}

// Where in the table the argument belongs; none after a message.
std::optional<std::size_t> place_of(const Callee& callee, const syntax::Argument& argument,
                                    std::size_t position, std::size_t positions, bool after_named,
                                    Diagnostics& diagnostics) {
  if (!argument.name) {
    if (position >= positions) {
      report_superfluous(callee, argument, positions, diagnostics);
      return std::nullopt;
    }
    if (!after_named) return position;
    diagnostics.report(argument.range, messages::kPositionalAfterNamed, callee.name);
    return std::nullopt;
  }
  const auto row = std::ranges::find(callee.arguments, argument.name->text, &ArgumentDef::name);
  if (row != callee.arguments.end()) return static_cast<std::size_t>(row - callee.arguments.begin());
  report_unknown(callee, *argument.name, diagnostics);
  return std::nullopt;
}

std::string_view wanted(const ArgumentDef& definition) {
  switch (definition.type) {
    case ArgumentType::kInteger:
      return "a whole number";
    case ArgumentType::kPair:
      return "a number or height x width, such as 1x7";
    case ArgumentType::kPadding:
      return "a number, height x width such as 0x3, same or same_tf";
    case ArgumentType::kNumber:
      return "a number";
    case ArgumentType::kBoolean:
      return "true or false";
    case ArgumentType::kWord:
      return "a word";
    case ArgumentType::kActivation:
      return "an activation";
    case ArgumentType::kText:
      return "a text in quotes";
    case ArgumentType::kNumbers:
      return "a number or a list of numbers";
    case ArgumentType::kPart:
      return definition.choices.empty() ? "a fraction between 0 and 1 or a count of images"
                                        : "a fraction between 0 and 1, a count of images or test";
  }
  return "";
}

std::vector<std::string_view> words_for(const ArgumentDef& definition, const ir::OpRegistry& ops) {
  const bool by_choices = definition.type == ArgumentType::kWord || definition.type == ArgumentType::kPart ||
                          definition.type == ArgumentType::kPadding;
  if (by_choices) return definition.choices;
  std::vector<std::string_view> words;
  if (definition.type != ArgumentType::kActivation) return words;
  for (const ir::OpDef& op : ops.all()) {
    if (op.traits.activation) words.push_back(op.name);
  }
  words.push_back("identity");
  return words;
}

bool is_pair(const Value& value) {
  const auto* dimensions = value.as<ir::Dimensions>();
  return value.as<std::int64_t>() != nullptr || (dimensions != nullptr && dimensions->extents.size() == 2);
}

bool is_number(const Value& value) {
  return number_of(value).has_value();
}

bool is_part(const Value& value) {
  const auto* count = value.as<std::int64_t>();
  const auto* fraction = value.as<double>();
  return (count != nullptr && *count >= 1) || (fraction != nullptr && *fraction > 0 && *fraction < 1);
}

bool has_type(const Value& value, const ArgumentDef& definition, const std::vector<std::string_view>& words) {
  const auto* word = value.as<ir::Word>();
  const bool known_word = word != nullptr && std::ranges::find(words, word->text) != words.end();
  if (definition.also != nullptr && definition.also(value)) return true;
  switch (definition.type) {
    case ArgumentType::kInteger:
      return value.as<std::int64_t>() != nullptr;
    case ArgumentType::kNumber:
      return number_of(value).has_value();
    case ArgumentType::kBoolean:
      return value.as<bool>() != nullptr;
    case ArgumentType::kPair:
      return is_pair(value);
    case ArgumentType::kPadding:
      return is_pair(value) || known_word;
    case ArgumentType::kText:
      return value.as<std::string>() != nullptr;
    case ArgumentType::kNumbers:
      return is_number(value) || (value.as<ir::List>() != nullptr && std::ranges::all_of(*value.as<ir::List>(), is_number));
    case ArgumentType::kPart:
      return is_part(value) || known_word;
    case ArgumentType::kWord:
    case ArgumentType::kActivation:
      return known_word;
  }
  return false;
}

// Help for a value of the wrong type: what was probably meant.
std::string help_for(const ArgumentDef& definition, const Value& value,
                     const std::vector<std::string_view>& words) {
  if (const auto* word = value.as<ir::Word>()) {
    if (const auto foreign = foreign_word(definition.name, word->text); !foreign.empty())
      return std::string(foreign);
    if (definition.type == ArgumentType::kText) return fmt::format("write {}=\"{}\"", definition.name, word->text);
    const std::string_view near = nearest(word->text, words);
    return near.empty() ? "" : fmt::format("did you mean {}?", near);
  }
  if (const auto* text = value.as<std::string>()) {
    if (const auto foreign = foreign_word(definition.name, *text); !foreign.empty())
      return std::string(foreign);
    if (std::ranges::find(words, *text) != words.end())
      return fmt::format("write {}={}, without quotes", definition.name, *text);
    return "";
  }
  const auto* list = value.as<ir::List>();
  const bool pairs = definition.type == ArgumentType::kPair || definition.type == ArgumentType::kPadding;
  if (!pairs || list == nullptr || list->size() != 2) return "";
  return fmt::format("write {}={}x{}", definition.name, to_text((*list)[0]), to_text((*list)[1]));
}

void report_wrong_type(const Callee& callee, const ArgumentDef& definition, const Operand& operand,
                       const std::vector<std::string_view>& words, Diagnostics& diagnostics) {
  std::string expected(wanted(definition));
  const bool chosen = definition.type == ArgumentType::kWord || definition.type == ArgumentType::kActivation;
  if (definition.type == ArgumentType::kWord) {
    std::vector<std::string_view> all = words;
    if (definition.also != nullptr) all.push_back(definition.also_text);
    expected = enumerate(all, "or");
  } else if (definition.also != nullptr) {
    expected += fmt::format(" or {}", definition.also_text);
  }
  if (definition.type == ArgumentType::kActivation) expected += fmt::format(" ({})", enumerate(words, "or"));
  auto report = chosen ? diagnostics.report(operand.range, messages::kNotAChoice, definition.name,
                                            callee.name, expected, describe(operand.value))
                       : diagnostics.report(operand.range, messages::kWrongType, definition.name, callee.name,
                                            expected, describe(operand.value));
  if (const std::string help = help_for(definition, operand.value, words); !help.empty()) report.help(help);
}

std::string number_text(double number) {
  return number == static_cast<double>(static_cast<std::int64_t>(number)) ? fmt::format("{:.0f}", number)
                                                                          : fmt::format("{}", number);
}

bool in_range(const Callee& callee, const ArgumentDef& definition, const Operand& operand,
              Diagnostics& diagnostics) {
  std::vector<double> numbers;
  if (const auto number = number_of(operand.value)) numbers.push_back(*number);
  if (const auto* list = operand.value.as<ir::List>()) {
    for (const Value& element : *list) numbers.push_back(number_of(element).value_or(definition.minimum));
  }
  if (const auto* dimensions = operand.value.as<ir::Dimensions>()) {
    numbers.assign(dimensions->extents.begin(), dimensions->extents.end());
  }
  const auto outside = [&](double number) {
    return number < definition.minimum || number > definition.maximum;
  };
  if (std::ranges::none_of(numbers, outside)) return true;
  const std::string bounds =
      definition.maximum < 1e300
          ? fmt::format("from {} to {}", number_text(definition.minimum), number_text(definition.maximum))
          : fmt::format("at least {}", number_text(definition.minimum));
  diagnostics.report(operand.range, messages::kOutOfRange, definition.name, callee.name, bounds,
                     to_text(operand.value));
  return false;
}

}  // namespace

std::string enumerate(const std::vector<std::string_view>& names, std::string_view last_word) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? fmt::format(" {} ", last_word) : ", ";
    text += names[i];
  }
  return text;
}

std::optional<Bound> bind_arguments(const Callee& callee, const std::optional<syntax::Arguments>& arguments,
                                    Diagnostics& diagnostics) {
  Bound bound(callee.arguments.size(), nullptr);
  const auto positions =
      static_cast<std::size_t>(std::ranges::count(callee.arguments, true, &ArgumentDef::positional));
  bool well = true;
  bool named = false;
  std::size_t position = 0;
  static const std::vector<syntax::Argument> kNone;
  for (const syntax::Argument& argument : arguments ? arguments->list : kNone) {
    const auto place = place_of(callee, argument, position, positions, named, diagnostics);
    named |= argument.name.has_value();
    if (!argument.name && ++position > positions && !place)
      return std::nullopt;  // one message for all that follow
    if (!place) {
      well = false;
    } else if (bound[*place] != nullptr) {
      diagnostics.report(argument.range, messages::kGivenTwice, callee.arguments[*place].name, callee.name)
          .also(bound[*place]->range, "first given here");
      well = false;
    } else {
      bound[*place] = &argument;
    }
  }
  if (!well) return std::nullopt;
  for (std::size_t i = 0; i < bound.size(); ++i) {
    if (bound[i] != nullptr || callee.arguments[i].default_value) continue;
    diagnostics
        .report(arguments ? arguments->range : callee.range, messages::kMissingArgument,
                callee.arguments[i].name, callee.name)
        .help("write " + signature(callee));
    return std::nullopt;
  }
  return bound;
}

std::optional<Value> convert_argument(const Callee& callee, const ArgumentDef& definition,
                                      const Operand& operand, const ir::OpRegistry& ops,
                                      const Environment& environment, Diagnostics& diagnostics) {
  const auto words = words_for(definition, ops);
  if (has_type(operand.value, definition, words)) {
    return in_range(callee, definition, operand, diagnostics) ? std::optional(operand.value) : std::nullopt;
  }
  const auto* word = operand.value.as<ir::Word>();
  const bool unknown = word != nullptr && words.empty() && environment.scope.find(word->text) == nullptr;
  if (unknown && definition.type != ArgumentType::kText) {
    report_unknown_name(word->text, operand.range, environment.scope, diagnostics);
  } else {
    report_wrong_type(callee, definition, operand, words, diagnostics);
  }
  return std::nullopt;
}

std::optional<Range> CheckedArguments::range(std::string_view name) const {
  const auto found = std::ranges::find(written, name, [](const auto& one) { return one.first; });
  return found == written.end() ? std::nullopt : std::optional(found->second->range);
}

Range CheckedArguments::value_range(std::string_view name) const {
  const auto found = std::ranges::find(written, name, [](const auto& one) { return one.first; });
  ensure(found != written.end(), "sema", fmt::format("the argument '{}' was not written", name));
  return found->second->value->range;
}

std::optional<std::vector<WrittenArgument>> evaluate_arguments(const Callee& callee,
                                                               const std::optional<syntax::Arguments>& arguments,
                                                               const Environment& environment, Diagnostics& diagnostics,
                                                               const std::vector<ArgumentOverride>& overrides) {
  const auto bound = bind_arguments(callee, arguments, diagnostics);
  if (!bound) return std::nullopt;
  std::vector<WrittenArgument> written;
  for (const syntax::Argument* argument : *bound) written.push_back({argument, {}, &environment});
  for (const ArgumentOverride& one : overrides) {
    const auto row = std::ranges::find(callee.arguments, one.argument->name->text, &ArgumentDef::name);
    if (row == callee.arguments.end()) {
      report_unknown(callee, *one.argument->name, diagnostics);
      return std::nullopt;
    }
    written[static_cast<std::size_t>(row - callee.arguments.begin())] = {one.argument, {}, &one.environment};
  }
  for (WrittenArgument& one : written) {
    if (one.argument != nullptr) one.value = evaluate(*one.argument->value, *one.environment, diagnostics);
  }
  return written;
}

std::optional<CheckedArguments> check_arguments(const Callee& callee,
                                                const std::optional<syntax::Arguments>& arguments,
                                                const ir::OpRegistry& ops, const Environment& environment,
                                                Diagnostics& diagnostics,
                                                const std::vector<ArgumentOverride>& overrides) {
  auto written = evaluate_arguments(callee, arguments, environment, diagnostics, overrides);
  if (!written) return std::nullopt;
  CheckedArguments checked;
  bool well = true;
  for (std::size_t i = 0; i < written->size(); ++i) {
    const ArgumentDef& definition = callee.arguments[i];
    WrittenArgument& one = (*written)[i];
    if (one.argument == nullptr) {
      checked.values.set(definition.name, *definition.default_value);
      continue;
    }
    if (one.value) {
      one.value = convert_argument(callee, definition, {std::move(*one.value), one.argument->value->range}, ops,
                                   *one.environment, diagnostics);
    }
    well &= one.value.has_value();
    if (one.value) checked.values.set(definition.name, std::move(*one.value));
    checked.written.emplace_back(definition.name, one.argument);
  }
  return well ? std::optional(std::move(checked)) : std::nullopt;
}

}  // namespace cnnc::sema
