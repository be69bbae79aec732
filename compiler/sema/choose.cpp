// Choosing from a table by a call or a bare word.
#include "sema/choose.hpp"

#include <algorithm>

#include "sema/foreign_names.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

// The name that an expression chooses by: a word, or what a recipe's parameter stands for.
std::string chosen_name(const syntax::Expression& expression, const Scope& values) {
  const auto* reference = std::get_if<syntax::Reference>(&expression.form);
  if (reference == nullptr) {
    const auto* text = std::get_if<syntax::StringLiteral>(&expression.form);
    return text == nullptr ? "" : text->value;
  }
  const Binding* binding = values.find(reference->name.text);
  const auto* word = binding != nullptr && binding->value ? binding->value->as<ir::Word>() : nullptr;
  return word != nullptr ? word->text : reference->name.text;
}

}  // namespace

std::optional<Chosen> choose(const std::vector<Callable>& table, std::string_view what, const syntax::Expression& expression,
                             const Scope& values, const FileScope& file) {
  const std::string name = chosen_name(expression, values);
  const auto found = std::ranges::find(table, name, &Callable::name);
  const auto* reference = std::get_if<syntax::Reference>(&expression.form);
  if (found != table.end() && reference != nullptr) {
    auto arguments = check_arguments({found->name, reference->name.range, found->arguments}, reference->arguments, file.ops,
                                     {values, nullptr}, file.diagnostics);
    if (!arguments) return std::nullopt;
    return Chosen{&*found, std::move(*arguments), expression.range};
  }
  auto report = file.diagnostics.report(expression.range, messages::kUnknownChoice, file.sources.text(expression.range), what);
  const auto names = names_of(table);
  if (found != table.end())
    report.help(fmt::format("write {} without quotes", name));
  else if (const auto foreign = foreign_word(what, name); !foreign.empty())
    report.help(std::string(foreign));
  else if (const auto near = nearest(name, names); !near.empty())
    report.help(fmt::format("did you mean {}?", near));
  else
    report.help(fmt::format("there are {}", enumerate(names)));
  return std::nullopt;
}

}  // namespace cnnc::sema
