// The tree as indented text.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "syntax/parser.hpp"

namespace cnnc::syntax {

namespace {

template <class... Forms>
struct Overloaded : Forms... {
  using Forms::operator()...;
};
template <class... Forms>
Overloaded(Forms...) -> Overloaded<Forms...>;

std::string_view word(BinaryOperator op) {
  static constexpr std::string_view kWords[] = {"**", "*", "/", "//", "%", "+", "-", "==", "!=", "<", "<=", ">", ">=", "in", "and", "or"};
  return kWords[static_cast<int>(op)];
}

std::string text(const Expression& expression);

std::string text(const Arguments& arguments) {
  std::vector<std::string> words;
  for (const Argument& argument : arguments.list) {
    words.push_back((argument.name ? argument.name->text + "=" : "") + text(*argument.value));
  }
  return fmt::format("({})", fmt::join(words, ", "));
}

std::string text(const std::optional<Arguments>& arguments) {
  return arguments ? text(*arguments) : "";
}

std::string text(const Slice& slice) {
  return fmt::format("[{}{}{}]", slice.first ? text(*slice.first) : "", slice.is_slice ? ":" : "", slice.last ? text(*slice.last) : "");
}

// Every operation in parentheses, so that precedence shows.
std::string text(const Expression& expression) {
  return std::visit(
      Overloaded{
          [](const IntegerLiteral& form) { return fmt::format("{}", form.value); },
          [](const FloatLiteral& form) { return fmt::format("{}", form.value); },
          [](const BooleanLiteral& form) { return fmt::format("{}", form.value); },
          [](const StringLiteral& form) { return fmt::format("\"{}\"", form.value); },
          [](const DimensionsLiteral& form) { return fmt::format("{}", fmt::join(form.extents, "x")); },
          [](const IdentityLiteral&) { return std::string("identity"); },
          [](const InputReference&) { return std::string("input"); },
          [](const ListExpression& form) {
            std::vector<std::string> words;
            for (const ExpressionPtr& element : form.elements) words.push_back(text(*element));
            return fmt::format("[{}]", fmt::join(words, ", "));
          },
          [](const Reference& form) { return form.name.text + text(form.arguments); },
          [](const MemberAccess& form) { return fmt::format("{}.{}", text(*form.object), form.member.text); },
          [](const IndexAccess& form) { return text(*form.object) + text(form.slice); },
          [](const Unary& form) { return fmt::format("({}{})", form.op == UnaryOperator::kNegate ? "-" : "not ", text(*form.operand)); },
          [](const Binary& form) { return fmt::format("({} {} {})", text(*form.left), word(form.op), text(*form.right)); },
          [](const Conditional& form) {
            return fmt::format("({} ? {} : {})", text(*form.condition), text(*form.then), text(*form.otherwise));
          },
      },
      expression.form);
}

// As written, but for expressions: "dense{(i + 1)}".
std::string text(const Template& words) {
  std::string result;
  for (const TemplatePart& part : words.parts) result += part.value ? fmt::format("{{{}}}", text(*part.value)) : part.text;
  return fmt::format("\"{}\"", result);
}

std::string name_text(const LayerName& name) {
  const auto* plain = std::get_if<Name>(&name);
  return plain != nullptr ? plain->text : text(std::get<Template>(name));
}

std::string text(const Call& call) {
  std::vector<std::string> parts;
  for (const CallPart& part : call.parts) parts.push_back(part.name.text + text(part.arguments));
  return fmt::format("{}", fmt::join(parts, "."));
}

std::string text(const Path& path) {
  std::vector<std::string> words;
  for (const PathComponent& component : path.components) {
    const std::string name = component.kind == PathComponent::Kind::kAny        ? "*"
                             : component.kind == PathComponent::Kind::kAnyDepth ? "**"
                                                                                : component.name;
    words.push_back(name + (component.prefix ? "*" : "") + (component.slice ? text(*component.slice) : ""));
  }
  return fmt::format("{}", fmt::join(words, "."));
}

std::string text(const Selector& selector) {
  if (const auto* path = std::get_if<Path>(&selector.form)) return text(*path);
  const auto& layers = std::get<LayersSelector>(selector.form);
  static constexpr std::string_view kWhich[] = {"all", "first", "last"};
  return fmt::format("{}{}{} layers{}", kWhich[static_cast<int>(layers.which)], layers.count ? " " + text(*layers.count) : "",
                     layers.kind ? " " + layers.kind->text : "", layers.of ? " of " + text(*layers.of) : "");
}

std::string text(const std::vector<Selector>& selectors) {
  std::vector<std::string> words;
  for (const Selector& selector : selectors) words.push_back(text(selector));
  return fmt::format("{}", fmt::join(words, ", "));
}

class Dump {
 public:
  std::string take() { return std::move(text_); }

  void file(const File& file) {
    line(0, fmt::format("cnn {}", file.edition));
    for (const Item& each : file.items) item(each);
  }

 private:
  void line(int depth, const std::string& content) { text_ += fmt::format("{:{}}{}\n", "", 2 * depth, content); }

  std::string parameters(const std::vector<Parameter>& list) {
    std::vector<std::string> words;
    for (const Parameter& parameter : list) {
      words.push_back(parameter.name.text + (parameter.default_value ? " = " + text(*parameter.default_value) : ""));
    }
    return list.empty() ? "" : fmt::format("({})", fmt::join(words, ", "));
  }

  void item(const Item& item) {
    std::visit(Overloaded{
                   [&](const ImportItem& form) {
                     std::vector<std::string> names;
                     for (const Name& name : form.names) names.push_back(name.text);
                     line(1, fmt::format("import {} from \"{}\"", fmt::join(names, ", "), form.path.text));
                   },
                   [&](const LetItem& form) { line(1, fmt::format("let {} = {}", form.name.text, text(*form.value))); },
                   [&](const BlockItem& form) {
                     line(1, fmt::format("block {}{}", form.name.text, parameters(form.parameters)));
                     body(2, form.body);
                   },
                   [&](const ModelItem& form) { model(form); },
                   [&](const DataItem& form) {
                     line(1, "data " + form.name.text);
                     config(2, form.config);
                   },
                   [&](const RecipeItem& form) {
                     line(1, fmt::format("recipe {}{}", form.name.text, parameters(form.parameters)));
                     config(2, form.config);
                   },
                   [&](const TrainItem& form) {
                     std::vector<std::string> models;
                     for (const Call& call : form.models) models.push_back(text(call));
                     line(1, fmt::format("train {} on {}{}", fmt::join(models, ", "), form.data.text,
                                         form.recipe ? " using " + text(*form.recipe) : ""));
                     if (form.config) config(2, *form.config);
                   },
               },
               item.form);
  }

  void model(const ModelItem& form) {
    const std::string head = fmt::format("model {}{}", form.name.text, parameters(form.parameters));
    if (const auto* layers = std::get_if<Body>(&form.definition)) {
      line(1, head);
      body(2, *layers);
    } else if (const auto* alias = std::get_if<AliasBody>(&form.definition)) {
      line(1, fmt::format("{} = {}", head, text(alias->call)));
    } else {
      const auto& extended = std::get<ExtendsBody>(form.definition);
      line(1, fmt::format("{} extends {}", head, text(extended.call)));
      for (const Edit& each : extended.edits) edit(each);
    }
  }

  void edit(const Edit& edit) {
    std::visit(Overloaded{
                   [&](const ReplaceEdit& form) {
                     line(2, "replace " + text(form.path));
                     body(3, form.body);
                   },
                   [&](const RemoveEdit& form) { line(2, "remove " + text(form.path)); },
                   [&](const InsertEdit& form) {
                     line(2, fmt::format("insert {} {}", form.before ? "before" : "after", text(form.path)));
                     body(3, form.body);
                   },
                   [&](const SetEdit& form) {
                     std::vector<std::string> settings;
                     for (const Argument& each : form.settings) settings.push_back(each.name->text + "=" + text(*each.value));
                     line(2, fmt::format("set {} {}", text(form.path), fmt::join(settings, " ")));
                   },
               },
               edit.form);
  }

  void body(int depth, const Body& body) {
    for (const Statement& each : body.statements) statement(depth, each);
  }

  void statement(int depth, const Statement& statement) {
    std::visit(Overloaded{
                   [&](const LetStatement& form) { line(depth, fmt::format("let {} = {}", form.name.text, text(*form.value))); },
                   [&](const RequireStatement& form) {
                     line(depth, fmt::format("require {}{}", text(*form.condition), form.message ? " " + text(*form.message) : ""));
                   },
                   [&](const InputStatement& form) {
                     line(depth, fmt::format("input {}{}", form.name ? form.name->text + " " : "", text(*form.shape)));
                   },
                   [&](const AuxStatement& form) {
                     line(depth, fmt::format("aux {}{}", form.name.text, text(form.arguments)));
                     body(depth + 1, form.body);
                   },
                   [&](const IfStatement& form) {
                     line(depth, "if " + text(*form.condition));
                     body(depth + 1, form.then);
                     if (!form.otherwise) return;
                     line(depth, "else");
                     body(depth + 1, *form.otherwise);
                   },
                   [&](const LayerStatement& form) {
                     if (form.name) line(depth, name_text(*form.name) + " =");
                     for (const Step& each : form.steps) step(form.name ? depth + 1 : depth, each);
                   },
               },
               statement.form);
  }

  void step(int depth, const Step& step) {
    std::visit(Overloaded{
                   [&](const MergeStep& form) {
                     line(depth, form.kind.text + text(form.arguments));
                     for (const Arm& arm : form.arms) {
                       line(depth + 1, "|");
                       for (const Statement& each : arm.statements) statement(depth + 2, each);
                     }
                   },
                   [&](const RepeatStep& form) {
                     line(depth, "repeat " + text(*form.count));
                     body(depth + 1, form.body);
                   },
                   [&](const ForStep& form) {
                     line(depth, fmt::format("for {}{} in {}", form.first.text, form.second ? ", " + form.second->text : "", text(*form.sequence)));
                     body(depth + 1, form.body);
                   },
                   [&](const TapStep& form) { line(depth, "from " + text(form.path)); },
                   [&](const IdentityStep&) { line(depth, "identity"); },
                   [&](const SequenceStep& form) {
                     line(depth, "sequence");
                     body(depth + 1, form.body);
                   },
                   [&](const CallStep& form) { line(depth, text(form.call)); },
               },
               step.form);
  }

  void config(int depth, const Config& config) {
    for (const ConfigStatement& each : config.statements) config_statement(depth, each);
  }

  void config_statement(int depth, const ConfigStatement& statement) {
    std::visit(Overloaded{
                   [&](const Setting& form) { line(depth, fmt::format("{} = {}", form.name.text, text(*form.value))); },
                   [&](const Transforms& form) {
                     line(depth, form.kind.text);
                     body(depth + 1, form.body);
                   },
                   [&](const Freezing& form) {
                     line(depth, fmt::format("{} {}{}", form.freeze ? "freeze" : "unfreeze", text(form.selectors),
                                             form.except.empty() ? "" : " except " + text(form.except)));
                   },
                   [&](const ParameterGroup& form) {
                     line(depth, "group " + text(form.selectors));
                     config(depth + 1, form.config);
                   },
                   [&](const InitWeights& form) {
                     line(depth, fmt::format("init {} from \"{}\"{}", text(form.path), form.file.text, text(form.arguments)));
                   },
                   [&](const Phase& form) {
                     line(depth, "phase " + form.name.text);
                     config(depth + 1, form.config);
                   },
                   [&](const Callback& form) { line(depth, text(form.call)); },
               },
               statement.form);
  }

  std::string text_;
};

}  // namespace

std::string dump(const File& file) {
  Dump dump;
  dump.file(file);
  return dump.take();
}

}  // namespace cnnc::syntax
