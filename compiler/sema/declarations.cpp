// Declarations are taken first, so that their order in a file never matters; `let`s are bound in their order.
#include "sema/declarations.hpp"

#include <algorithm>

#include "sema/arguments.hpp"
#include "sema/models.hpp"
#include "sema/train.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

class Declaring {
 public:
  Declaring(const syntax::Module& module, std::deque<FileScope>& files) : module_(module), files_(files), file_(files.back()) {}

  void run() {
    std::size_t import = 0;
    for (const syntax::Item& item : module_.tree.items) {
      if (const auto* names = std::get_if<syntax::ImportItem>(&item.form)) take_imports(*names, module_.imports[import++]);
    }
    for (const syntax::Item& item : module_.tree.items) {
      std::visit([&](const auto& form) { take(form, item.range); }, item.form);
    }
    for (const syntax::Item& item : module_.tree.items) {
      if (const auto* let = std::get_if<syntax::LetItem>(&item.form)) bind(*let);
    }
  }

 private:
  // False, after a message, where the name was declared before.
  bool add(const syntax::Name& name, const Declaration& declaration) {
    const auto [place, fresh] = file_.declarations.try_emplace(name.text, declaration);
    if (!fresh) {
      file_.diagnostics.report(name.range, messages::kNameTaken, name.text)
          .also(place->second.name, "it is declared here");
      return false;
    }
    const bool callable = declaration.as<syntax::BlockItem>() != nullptr || declaration.as<syntax::ModelItem>() != nullptr;
    if (callable) file_.values.define(name.text, {ir::Value{ir::Word{name.text, declaration.home->index}}, name.range});
    return true;
  }

  template <class Item>
  void take(const Item& item, Range range) {
    if constexpr (!std::is_same_v<Item, syntax::ImportItem> && !std::is_same_v<Item, syntax::TrainItem>) {
      add(item.name, {&item, &file_, range, item.name.range});
    }
  }

  void take_imports(const syntax::ImportItem& import, std::optional<std::size_t> module) {
    for (const syntax::Name& name : import.names) {
      if (!module) {
        file_.broken.insert(name.text);
        continue;
      }
      const FileScope& other = files_.at(*module);
      const auto found = other.declarations.find(name.text);
      if (found == other.declarations.end()) {
        report_not_declared(name, import, other);
        continue;
      }
      Declaration declaration = found->second;
      const bool value = declaration.as<syntax::LetItem>() != nullptr;
      declaration.name = name.range;
      const Binding* binding = value ? other.values.find_here(name.text) : nullptr;
      if (add(name, declaration) && binding != nullptr) file_.values.define(name.text, {binding->value, name.range});
    }
  }

  void report_not_declared(const syntax::Name& name, const syntax::ImportItem& import, const FileScope& other) {
    file_.broken.insert(name.text);
    if (other.broken.contains(name.text)) return;
    auto report = file_.diagnostics.report(name.range, messages::kNotDeclared, import.path.text, name.text);
    std::vector<std::string_view> known;
    for (const auto& [known_name, declaration] : other.declarations) known.push_back(known_name);
    if (const auto near = nearest(name.text, known); !near.empty())
      report.help(fmt::format("did you mean {}?", near));
    else
      report.help(known.empty() ? "it declares nothing" : fmt::format("it declares {}", enumerate(known)));
  }

  void bind(const syntax::LetItem& let) {
    const auto declared = file_.declarations.find(let.name.text);
    if (declared == file_.declarations.end() || declared->second.as<syntax::LetItem>() != &let) return;
    auto value = evaluate(*let.value, {file_.values, nullptr}, file_.diagnostics);
    const auto* word = value ? value->as<ir::Word>() : nullptr;
    if (word != nullptr && !is_known(*word)) {
      report_unbound(*word, let);
      value.reset();
    }
    file_.values.define(let.name.text, {std::move(value), let.name.range});
  }

  bool is_known(const ir::Word& word) const {
    return word.file >= 0 || word.text == "identity" || word.text == "same" || word.text == "same_tf" ||
           file_.ops.find(word.text) != nullptr;
  }

  // A let that stands further down, or itself, has no value yet.
  void report_unbound(const ir::Word& word, const syntax::LetItem& let) {
    const auto later = file_.declarations.find(word.text);
    if (later == file_.declarations.end() || later->second.as<syntax::LetItem>() == nullptr) {
      report_unknown_name(word.text, let.value->range, file_.values, file_.diagnostics);
      return;
    }
    file_.diagnostics.report(let.value->range, messages::kNoValueYet, word.text)
        .also(later->second.name, "it gets its value here")
        .help("a let may use what stands above it");
  }

  const syntax::Module& module_;
  std::deque<FileScope>& files_;
  FileScope& file_;
};

bool has_train(const syntax::File& spec) {
  return std::ranges::any_of(spec.items, [](const syntax::Item& item) {
    return std::holds_alternative<syntax::TrainItem>(item.form);
  });
}

// The models that --set reaches: those of the spec itself and those that it trains.
std::vector<const Declaration*> settable_models(const syntax::File& spec, const FileScope& file) {
  std::vector<const Declaration*> models;
  for (const syntax::Item& item : spec.items) {
    const auto* model = std::get_if<syntax::ModelItem>(&item.form);
    if (model != nullptr) models.push_back(file.find<syntax::ModelItem>(model->name.text));
    const auto* train = std::get_if<syntax::TrainItem>(&item.form);
    if (train == nullptr) continue;
    for (const syntax::Call& call : train->models) models.push_back(file.find<syntax::ModelItem>(call.parts.front().name.text));
  }
  std::erase(models, nullptr);
  return models;
}

std::vector<std::string_view> settable(const syntax::File& spec, const FileScope& file) {
  std::vector<std::string_view> names;
  for (const Declaration* model : settable_models(spec, file)) {
    for (const ParameterFacts& parameter : parameters_of(*model)) {
      if (std::ranges::find(names, parameter.name) == names.end()) names.push_back(parameter.name);
    }
  }
  if (has_train(spec)) names.insert(names.end(), std::begin(kOverridableSettings), std::end(kOverridableSettings));
  return names;
}

void collect(const syntax::Body& body, std::set<std::string, std::less<>>& names);

void collect(const std::vector<syntax::Statement>& statements, std::set<std::string, std::less<>>& names) {
  for (const syntax::Statement& statement : statements) {
    if (const auto* choice = std::get_if<syntax::IfStatement>(&statement.form)) {
      collect(choice->then, names);
      if (choice->otherwise) collect(*choice->otherwise, names);
    }
    const auto* layer = std::get_if<syntax::LayerStatement>(&statement.form);
    if (layer == nullptr) continue;
    for (const syntax::Step& step : layer->steps) {
      if (const auto* call = std::get_if<syntax::CallStep>(&step.form)) names.insert(call->call.parts.front().name.text);
      else if (const auto* sequence = std::get_if<syntax::SequenceStep>(&step.form)) collect(sequence->body, names);
      else if (const auto* repeat = std::get_if<syntax::RepeatStep>(&step.form)) collect(repeat->body, names);
      else if (const auto* loop = std::get_if<syntax::ForStep>(&step.form)) collect(loop->body, names);
      else if (const auto* merge = std::get_if<syntax::MergeStep>(&step.form)) {
        for (const syntax::Arm& arm : merge->arms) collect(arm.statements, names);
      }
    }
  }
}

void collect(const syntax::Body& body, std::set<std::string, std::less<>>& names) {
  collect(body.statements, names);
}

}  // namespace

std::deque<FileScope> declare(const syntax::Modules& modules, const Analyzed& shared) {
  std::deque<FileScope> files;
  for (const syntax::Module& module : modules) {
    files.push_back({shared.ops, shared.overrides, shared.sources, shared.diagnostics,
                     static_cast<std::int32_t>(files.size()), module.folder});
    Declaring(module, files).run();
  }
  return files;
}

void check_overrides(const syntax::File& spec, const FileScope& file) {
  const auto names = settable(spec, file);
  for (const auto& [name, text] : file.overrides) {
    if (std::ranges::find(names, name) == names.end()) {
      auto report = file.diagnostics.report_general(messages::kUnknownOverride, name);
      if (const auto near = nearest(name, names); !near.empty()) report.help(fmt::format("did you mean {}?", near));
      report.help(names.empty() ? "nothing in this file can be set"
                                : fmt::format("what can be set: {}", enumerate(names)));
    } else if (!parse_literal(text)) {
      file.diagnostics.report_general(messages::kUnreadableOverride, name, text)
          .help("write it as in a spec: classes=5, hidden=[512, 256], act=relu");
    }
  }
}

std::set<std::string, std::less<>> names_used_by_models(const syntax::File& file) {
  std::set<std::string, std::less<>> names;
  for (const syntax::Item& item : file.items) {
    if (const auto* block = std::get_if<syntax::BlockItem>(&item.form)) collect(block->body, names);
    const auto* model = std::get_if<syntax::ModelItem>(&item.form);
    if (model == nullptr) continue;
    if (const auto* body = std::get_if<syntax::Body>(&model->definition)) collect(*body, names);
    else if (const auto* alias = std::get_if<syntax::AliasBody>(&model->definition)) names.insert(alias->call.parts.front().name.text);
    else names.insert(std::get<syntax::ExtendsBody>(model->definition).call.parts.front().name.text);
  }
  return names;
}

}  // namespace cnnc::sema
