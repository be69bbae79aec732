// The functions of expressions: range len floor ceil round8 min max normal.
#include <algorithm>
#include <cmath>

#include "sema/values/evaluate.hpp"
#include "sema/values/operators.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

using ir::Value;
using Result = std::optional<Value>;

struct Call {
  std::string_view name;
  const std::vector<Operand>& arguments;
  Range range;
  Diagnostics& diagnostics;

  Result takes(const Operand& argument, std::string_view wanted) const {
    diagnostics.report(argument.range, messages::kWrongFunctionArgument, name, wanted,
                       describe(argument.value));
    return std::nullopt;
  }
};

Result range_of(const Call& call) {
  std::vector<std::int64_t> bounds;
  for (const Operand& argument : call.arguments) {
    const auto* number = argument.value.as<std::int64_t>();
    if (number == nullptr) return call.takes(argument, "whole numbers");
    bounds.push_back(*number);
  }
  const std::int64_t begin = bounds.size() == 1 ? 0 : bounds[0];
  const std::int64_t end = bounds.size() == 1 ? bounds[0] : bounds[1];
  const std::int64_t step = bounds.size() == 3 ? bounds[2] : 1;
  if (step == 0) return call.takes(call.arguments[2], "a step other than 0");
  ir::List list;
  for (std::int64_t i = begin; step > 0 ? i < end : i > end;) {
    if (static_cast<std::int64_t>(list.size()) == kMaxElements) {
      call.diagnostics.report(call.range, messages::kValueTooLarge, kMaxElements);
      return std::nullopt;
    }
    list.push_back({i});
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return Value{std::move(list)};
}

Result len(const Call& call) {
  const Operand& argument = call.arguments[0];
  if (const auto* list = argument.value.as<ir::List>()) return Value{static_cast<std::int64_t>(list->size())};
  if (const auto* text = argument.value.as<std::string>())
    return Value{static_cast<std::int64_t>(text->size())};
  if (const auto* size = argument.value.as<ir::Dimensions>())
    return Value{static_cast<std::int64_t>(size->extents.size())};
  return call.takes(argument, "a list, a text or a size");
}

Result rounded(const Call& call, double (*round)(double)) {
  const Operand& argument = call.arguments[0];
  if (argument.value.as<std::int64_t>() != nullptr) return argument.value;
  const auto* number = argument.value.as<double>();
  if (number == nullptr) return call.takes(argument, "a number");
  const double result = round(*number);
  if (std::abs(result) < 9.2e18) return Value{static_cast<std::int64_t>(result)};
  return call.takes(argument, "a number within 64 bits");
}

// The nearest multiple of 8, at least 8, and never below 90 % of the number: how EfficientNet and MobileNet
// round widths.
Result round8(const Call& call) {
  const auto number = number_of(call.arguments[0].value);
  if (!number || *number <= 0 || *number > 1e15) return call.takes(call.arguments[0], "a number above 0");
  double result = std::max(8.0, std::floor((*number + 4) / 8) * 8);
  if (result < 0.9 * *number) result += 8;
  return Value{static_cast<std::int64_t>(result)};
}

Result normal(const Call& call) {
  const auto deviation = number_of(call.arguments[0].value);
  if (!deviation || *deviation <= 0 || *deviation > 1e6)
    return call.takes(call.arguments[0], "a standard deviation above 0");
  return Value{ir::Normal{*deviation}};
}

Result extreme(const Call& call, bool smallest) {
  std::vector<Operand> candidates = call.arguments;
  if (candidates.size() == 1) {
    const auto* list = call.arguments[0].value.as<ir::List>();
    if (list == nullptr || list->empty())
      return call.takes(call.arguments[0], "numbers or a list of numbers");
    candidates.clear();
    for (const Value& element : *list) candidates.push_back({element, call.arguments[0].range});
  }
  const Operand* best = nullptr;
  for (const Operand& candidate : candidates) {
    const auto number = number_of(candidate.value);
    if (!number) return call.takes(candidate, "numbers or a list of numbers");
    if (best == nullptr) best = &candidate;
    const double known = *number_of(best->value);
    if (smallest ? *number < known : *number > known) best = &candidate;
  }
  return best->value;
}

struct Function {
  std::string_view name;
  std::size_t least, most;
  std::string_view count;  // of arguments, in words
  Result (*apply)(const Call&);
};

constexpr std::size_t kAnyNumber = 1000;
const Function kFunctions[] = {
    {"range", 1, 3, "1 to 3 arguments", range_of},
    {"len", 1, 1, "1 argument", len},
    {"floor", 1, 1, "1 argument", [](const Call& call) { return rounded(call, std::floor); }},
    {"ceil", 1, 1, "1 argument", [](const Call& call) { return rounded(call, std::ceil); }},
    {"round8", 1, 1, "1 argument", round8},
    {"min", 1, kAnyNumber, "1 argument or more", [](const Call& call) { return extreme(call, true); }},
    {"max", 1, kAnyNumber, "1 argument or more", [](const Call& call) { return extreme(call, false); }},
    {"normal", 1, 1, "1 argument", normal},
};

}  // namespace

bool is_function(std::string_view name) {
  return std::ranges::any_of(kFunctions, [&](const Function& function) { return function.name == name; });
}

const std::vector<std::string_view>& function_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> list;
    for (const Function& function : kFunctions) list.push_back(function.name);
    return list;
  }();
  return names;
}

Result call_function(const syntax::Name& name, const std::vector<Operand>& arguments, Range range,
                     Diagnostics& diagnostics) {
  const auto* function = std::ranges::find(kFunctions, name.text, &Function::name);
  if (arguments.size() < function->least || arguments.size() > function->most) {
    diagnostics.report(range, messages::kWrongArgumentCount, name.text, function->count, arguments.size());
    return std::nullopt;
  }
  return function->apply({name.text, arguments, range, diagnostics});
}

}  // namespace cnnc::sema
