// Walks an expression. Names are looked up here; what operators and functions do stands in operators.cpp,
// functions.cpp.
#include "sema/values/evaluate.hpp"

#include <algorithm>

#include "sema/arguments.hpp"
#include "sema/foreign_names.hpp"
#include "sema/values/operators.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

using ir::Value;
using Result = std::optional<Value>;

// Recursion goes as deep as the parser let operators and brackets nest.
class Evaluation {
 public:
  Evaluation(const Environment& environment, Diagnostics& diagnostics)
      : environment_(environment), diagnostics_(diagnostics) {}

  Result value(const syntax::Expression& expression) {
    Result result = std::visit([&](const auto& form) { return of(form, expression.range); }, expression.form);
    if (result && size_of(*result) > kMaxElements + 1) {
      diagnostics_.report(expression.range, messages::kValueTooLarge, kMaxElements);
      return std::nullopt;
    }
    return result;
  }

  std::optional<bool> condition(const syntax::Expression& expression, std::string_view what) {
    const auto operand = this->operand(expression);
    if (!operand) return std::nullopt;
    if (const auto* truth = operand->value.as<bool>()) return *truth;
    diagnostics_.report(expression.range, messages::kNotACondition, what, describe(operand->value));
    return std::nullopt;
  }

 private:
  Result of(const syntax::IntegerLiteral& literal, Range) { return Value{literal.value}; }
  Result of(const syntax::FloatLiteral& literal, Range) { return Value{literal.value}; }
  Result of(const syntax::BooleanLiteral& literal, Range) { return Value{literal.value}; }
  Result of(const syntax::StringLiteral& literal, Range) { return Value{literal.value}; }
  Result of(const syntax::DimensionsLiteral& literal, Range) {
    return Value{ir::Dimensions{literal.extents}};
  }
  Result of(const syntax::IdentityLiteral&, Range) { return Value{ir::Word{"identity"}}; }

  Result of(const syntax::InputReference&, Range range) {
    diagnostics_.report(range, messages::kInputAlone)
        .help("write input.channels, input.height or input.width");
    return std::nullopt;
  }

  Result of(const syntax::ListExpression& list, Range) {
    ir::List values;
    for (const auto& element : list.elements) {
      Result value = this->value(*element);
      if (!value) return std::nullopt;
      values.push_back(std::move(*value));
    }
    return Value{std::move(values)};
  }

  Result of(const syntax::Reference& reference, Range range) {
    if (reference.arguments) return call(reference, range);
    if (const Binding* binding = environment_.scope.find(reference.name.text)) return binding->value;
    return Value{ir::Word{reference.name.text}};
  }

  Result call(const syntax::Reference& reference, Range range) {
    const std::string& name = reference.name.text;
    if (!is_function(name)) {
      const std::string_view near = nearest(name, function_names());
      auto report = diagnostics_.report(reference.name.range, messages::kUnknownFunction, name);
      if (near.empty())
        report.help("the functions are " + enumerate(function_names()));
      else
        report.help(fmt::format("did you mean {}?", near));
      return std::nullopt;
    }
    std::vector<Operand> arguments;
    for (const syntax::Argument& argument : reference.arguments->list) {
      if (argument.name) {
        diagnostics_.report(argument.name->range, messages::kFunctionKeyword, name, argument.name->text);
        return std::nullopt;
      }
      auto operand = this->operand(*argument.value);
      if (!operand) return std::nullopt;
      arguments.push_back(std::move(*operand));
    }
    return call_function(reference.name, arguments, range, diagnostics_);
  }

  Result of(const syntax::MemberAccess& access, Range range) {
    const std::string& member = access.member.text;
    if (!std::holds_alternative<syntax::InputReference>(access.object->form)) {
      diagnostics_.report(range, messages::kNoMembers).help("only the input has members: input.channels");
      return std::nullopt;
    }
    if (environment_.input == nullptr) {
      diagnostics_.report(range, messages::kNoInputHere);
      return std::nullopt;
    }
    if (member == "channels") return Value{environment_.input->channels};
    if (member == "height") return Value{environment_.input->height};
    if (member == "width") return Value{environment_.input->width};
    diagnostics_.report(access.member.range, messages::kUnknownMember, member)
        .help("it has input.channels, input.height and input.width");
    return std::nullopt;
  }

  std::optional<std::int64_t> index(const syntax::Expression& expression) {
    const auto operand = this->operand(expression);
    if (!operand) return std::nullopt;
    if (const auto* number = operand->value.as<std::int64_t>()) return *number;
    diagnostics_.report(expression.range, messages::kWrongIndex, describe(operand->value));
    return std::nullopt;
  }

  Result of(const syntax::IndexAccess& access, Range range) {
    const auto object = operand(*access.object);
    if (!object) return std::nullopt;
    ir::List list;
    if (const auto* elements = object->value.as<ir::List>()) {
      list = *elements;
    } else if (const auto* size = object->value.as<ir::Dimensions>()) {
      for (const std::int64_t extent : size->extents) list.push_back({extent});
    } else {
      diagnostics_.report(access.object->range, messages::kNotIndexable, describe(object->value));
      return std::nullopt;
    }
    const auto length = static_cast<std::int64_t>(list.size());
    if (access.slice.is_slice) return sliced(access.slice, list, length);
    const auto wanted = index(*access.slice.first);
    if (!wanted) return std::nullopt;
    const auto place = resolve_index(*wanted, length);
    if (place) return list[static_cast<std::size_t>(*place)];
    diagnostics_.report(range, messages::kIndexOutOfRange, *wanted, length);
    return std::nullopt;
  }

  // As in Python: bounds beyond the ends are the ends.
  Result sliced(const syntax::Slice& slice, const ir::List& list, std::int64_t length) {
    std::int64_t bounds[] = {0, length};
    const syntax::Expression* written[] = {slice.first.get(), slice.last.get()};
    for (int i = 0; i < 2; ++i) {
      if (written[i] == nullptr) continue;
      const auto bound = index(*written[i]);
      if (!bound) return std::nullopt;
      bounds[i] = std::clamp(*bound < 0 ? *bound + length : *bound, std::int64_t{0}, length);
    }
    if (bounds[0] >= bounds[1]) return Value{ir::List{}};
    return Value{ir::List(list.begin() + bounds[0], list.begin() + bounds[1])};
  }

  Result of(const syntax::Unary& unary, Range range) {
    if (unary.op == syntax::UnaryOperator::kNot) {
      const auto truth = condition(*unary.operand, "not");
      return truth ? Result(Value{!*truth}) : std::nullopt;
    }
    const auto operand = this->operand(*unary.operand);
    return operand ? negate(*operand, range, diagnostics_) : std::nullopt;
  }

  Result of(const syntax::Binary& binary, Range range) {
    const bool conjunction = binary.op == syntax::BinaryOperator::kAnd;
    if (conjunction || binary.op == syntax::BinaryOperator::kOr) {
      const auto left = condition(*binary.left, spelling(binary.op));
      if (!left) return std::nullopt;
      if (*left != conjunction) return Value{*left};
      const auto right = condition(*binary.right, spelling(binary.op));
      return right ? Result(Value{*right}) : std::nullopt;
    }
    // Words may be compared, as in `act == relu`; anywhere else they are names that nobody bound.
    const bool words = binary.op == syntax::BinaryOperator::kEqual ||
                       binary.op == syntax::BinaryOperator::kNotEqual ||
                       binary.op == syntax::BinaryOperator::kIn;
    const auto left = words ? plain(*binary.left) : operand(*binary.left);
    if (!left) return std::nullopt;
    const auto right = words ? plain(*binary.right) : operand(*binary.right);
    if (!right) return std::nullopt;
    return apply(binary.op, *left, *right, range, diagnostics_);
  }

  Result of(const syntax::Conditional& conditional, Range) {
    const auto truth = condition(*conditional.condition, "?");
    if (!truth) return std::nullopt;
    return value(*truth ? *conditional.then : *conditional.otherwise);
  }

  std::optional<Operand> plain(const syntax::Expression& expression) {
    Result value = this->value(expression);
    if (!value) return std::nullopt;
    return Operand{std::move(*value), expression.range};
  }

  // A value to compute with: a bare word that names nothing is a mistake here.
  std::optional<Operand> operand(const syntax::Expression& expression) {
    auto operand = plain(expression);
    if (!operand || operand->value.as<ir::Word>() == nullptr) return operand;
    const auto* reference = std::get_if<syntax::Reference>(&expression.form);
    if (reference == nullptr || environment_.scope.find(reference->name.text) != nullptr) return operand;
    report_unknown_name(reference->name.text, expression.range, environment_.scope, diagnostics_);
    return std::nullopt;
  }

  const Environment& environment_;
  Diagnostics& diagnostics_;
};

}  // namespace

Result evaluate(const syntax::Expression& expression, const Environment& environment,
                Diagnostics& diagnostics) {
  return Evaluation(environment, diagnostics).value(expression);
}

std::optional<bool> evaluate_condition(const syntax::Expression& expression, std::string_view what,
                                       const Environment& environment, Diagnostics& diagnostics) {
  return Evaluation(environment, diagnostics).condition(expression, what);
}

void report_unknown_name(std::string_view name, Range range, const Scope& scope, Diagnostics& diagnostics) {
  auto report = diagnostics.report(range, messages::kUnknownName, name);
  const std::string_view foreign = foreign_word("", name), near = nearest(name, scope.visible());
  if (!foreign.empty()) report.help(std::string(foreign));
  else if (!near.empty()) report.help(fmt::format("did you mean {}?", near));
}

std::optional<std::int64_t> resolve_index(std::int64_t index, std::int64_t length) {
  const std::int64_t place = index < 0 ? index + length : index;
  if (place < 0 || place >= length) return std::nullopt;
  return place;
}

}  // namespace cnnc::sema
