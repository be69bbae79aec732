// The table of contents of sema: declarations, values, data, then each train with its models, then what
// nothing trains.
#include "sema/analyze.hpp"

#include <algorithm>

#include "sema/arguments.hpp"
#include "sema/data.hpp"
#include "sema/models.hpp"
#include "sema/train.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

class Analysis {
 public:
  Analysis(const syntax::File& file, const ir::OpRegistry& ops, const Overrides& overrides,
           const Sources& sources, Diagnostics& diagnostics)
      : syntax_(file), file_{ops, overrides, sources, diagnostics} {}

  std::vector<Program> run() {
    declare();
    check_overrides();
    bind_values();
    read_all_data();
    for (const syntax::Item& item : syntax_.items) {
      if (const auto* train = std::get_if<syntax::TrainItem>(&item.form)) read_train_item(*train, item.range);
    }
    add_untrained();
    name_programs();
    return std::move(programs_);
  }

 private:
  // ---------- declarations ----------

  void declare() {
    for (const syntax::Item& item : syntax_.items) {
      std::visit([&](const auto& form) { declare_item(form, item.range); }, item.form);
    }
  }

  // False, after a message, where the name was declared before.
  bool take(const syntax::Name& name) {
    const auto [place, fresh] = declared_.try_emplace(name.text, name.range);
    if (fresh) return true;
    file_.diagnostics.report(name.range, messages::kNameTaken, name.text)
        .also(place->second, "it is declared here");
    return false;
  }

  void unsupported(const syntax::Name& name, Range range, std::string_view what) {
    take(name);
    file_.unsupported_names.insert(name.text);
    file_.diagnostics.report(range, messages::kNotYetSupported, what);
  }

  void declare_item(const syntax::ImportItem& import, Range range) {
    for (const syntax::Name& name : import.names) file_.unsupported_names.insert(name.text);
    for (const syntax::Name& name : import.names) take(name);
    file_.diagnostics.report(range, messages::kNotYetSupported, "'import'");
  }
  void declare_item(const syntax::BlockItem& block, Range) {
    unsupported(block.name, block.name.range, "a block");
  }
  void declare_item(const syntax::RecipeItem& recipe, Range) {
    unsupported(recipe.name, recipe.name.range, "a recipe");
  }
  void declare_item(const syntax::LetItem& let, Range) { take(let.name); }
  void declare_item(const syntax::TrainItem&, Range) {}
  void declare_item(const syntax::DataItem& data, Range) {
    if (take(data.name)) file_.data.emplace(data.name.text, &data);
  }
  void declare_item(const syntax::ModelItem& model, Range) {
    if (std::holds_alternative<syntax::AliasBody>(model.definition)) {
      unsupported(model.name, model.name.range, "a model made from another one ('model A = B(...)')");
    } else if (std::holds_alternative<syntax::ExtendsBody>(model.definition)) {
      unsupported(model.name, model.name.range, "'extends'");
    } else if (take(model.name)) {
      file_.models.emplace(model.name.text, &model);
      file_.model_names.insert(model.name.text);
      order_.push_back(&model);
    }
  }

  // ---------- --set ----------

  bool has_parameter(std::string_view name) const {
    return std::ranges::any_of(order_, [&](const syntax::ModelItem* model) {
      return std::ranges::any_of(model->parameters,
                                 [&](const syntax::Parameter& one) { return one.name.text == name; });
    });
  }

  bool has_train() const {
    return std::ranges::any_of(syntax_.items, [](const syntax::Item& item) {
      return std::holds_alternative<syntax::TrainItem>(item.form);
    });
  }

  std::vector<std::string_view> settable() const {
    std::vector<std::string_view> names;
    for (const syntax::ModelItem* model : order_) {
      for (const syntax::Parameter& parameter : model->parameters) {
        if (std::ranges::find(names, parameter.name.text) == names.end())
          names.push_back(parameter.name.text);
      }
    }
    if (has_train())
      names.insert(names.end(), std::begin(kOverridableSettings), std::end(kOverridableSettings));
    return names;
  }

  void check_overrides() {
    const auto names = settable();
    for (const auto& [name, text] : file_.overrides) {
      if (std::ranges::find(names, name) == names.end()) {
        auto report = file_.diagnostics.report_general(messages::kUnknownOverride, name);
        if (const auto near = nearest(name, names); !near.empty())
          report.help(fmt::format("did you mean {}?", near));
        report.help(names.empty() ? "nothing in this file can be set"
                                  : fmt::format("what can be set: {}", enumerate(names)));
      } else if (!parse_literal(text)) {
        file_.diagnostics.report_general(messages::kUnreadableOverride, name, text)
            .help("write it as in a spec: classes=5, hidden=[512, 256], act=relu");
      }
    }
  }

  // ---------- values and data ----------

  void bind_values() {
    for (const syntax::Item& item : syntax_.items) {
      const auto* let = std::get_if<syntax::LetItem>(&item.form);
      if (let == nullptr) continue;
      auto value = evaluate(*let->value, {file_.values, nullptr}, file_.diagnostics);
      if (value && value->as<ir::Word>() != nullptr && !is_word(value->as<ir::Word>()->text)) {
        report_unknown_name(value->as<ir::Word>()->text, let->value->range, file_.values, file_.diagnostics);
        value.reset();
      }
      if (file_.values.find_here(let->name.text) == nullptr) {
        file_.values.define(let->name.text, {std::move(value), let->name.range});
      }
    }
  }

  bool is_word(const std::string& word) const {
    return word == "identity" || word == "same" || file_.ops.find(word) != nullptr ||
           file_.unsupported_names.contains(word);
  }

  void read_all_data() {
    for (const syntax::Item& item : syntax_.items) {
      const auto* data = std::get_if<syntax::DataItem>(&item.form);
      if (data == nullptr || data_.contains(data->name.text)) continue;
      data_.emplace(data->name.text, read_data(*data, item.range, file_));
    }
  }

  // ---------- programs ----------

  // Each model with the same arguments is expanded once, so that its mistakes are reported once.
  const std::optional<ExpandedModel>& expand(const syntax::ModelItem& item, const syntax::CallPart* call) {
    const bool arguments = call != nullptr && call->arguments && !call->arguments->list.empty();
    const std::string key =
        item.name.text + (arguments ? std::string(file_.sources.text(call->arguments->range)) : "");
    const auto found = expanded_.find(key);
    if (found != expanded_.end()) return found->second;
    return expanded_.emplace(key, expand_model(item, call, file_)).first->second;
  }

  // The data of a train; null after a message, or silently where the data itself has a mistake.
  std::optional<DataFacts>* find_data(const syntax::TrainItem& train) {
    const auto found = data_.find(train.data.text);
    if (found != data_.end()) return &found->second;
    if (file_.unsupported_names.contains(train.data.text)) return nullptr;
    std::vector<std::string_view> known;
    for (const auto& [name, data] : data_) known.push_back(name);
    auto report = file_.diagnostics.report(train.data.range, messages::kUnknownData, train.data.text);
    if (const auto near = nearest(train.data.text, known); !near.empty())
      report.help(fmt::format("did you mean {}?", near));
    else
      report.help(fmt::format("declare it: data {} {{ source = idx(\"DIR\", val=0.1) classes = 10 }}",
                              train.data.text));
    return nullptr;
  }

  const syntax::ModelItem* find_model(const syntax::Call& call) {
    const syntax::Name& name = call.parts.front().name;
    if (file_.unsupported_names.contains(name.text)) return nullptr;
    if (call.parts.size() > 1) {
      file_.diagnostics.report(call.range, messages::kNotYetSupported, "training a section of a model");
      return nullptr;
    }
    const auto found = file_.models.find(name.text);
    if (found != file_.models.end()) return found->second;
    const std::vector<std::string_view> known(file_.model_names.begin(), file_.model_names.end());
    auto report = file_.diagnostics.report(name.range, messages::kUnknownModel, name.text);
    if (const auto near = nearest(name.text, known); !near.empty())
      report.help(fmt::format("did you mean {}?", near));
    return nullptr;
  }

  void read_train_item(const syntax::TrainItem& train, Range range) {
    std::optional<DataFacts>* data = find_data(train);
    const bool well = data != nullptr && data->has_value();
    // What data says of its batch is not known where it has a mistake; a batch that is missing is not
    // reported then.
    const std::optional<std::int64_t> batch = well ? (*data)->batch : std::optional<std::int64_t>(1);
    const auto lines = read_train(train, first_words(train, range), batch, file_);
    for (const syntax::Call& call : train.models) {
      const syntax::ModelItem* item = find_model(call);
      if (item == nullptr) continue;
      trained_.push_back(item);
      const auto& model = expand(*item, &call.parts.front());
      if (!model || !lines || !well) continue;
      DataFacts facts = **data;
      auto training = check_training(*lines, *model, facts, file_);
      if (!training) continue;
      programs_.push_back({"", model->model, std::move(facts.data), std::move(training)});
    }
  }

  // `train M on D`, for messages about the train as a whole.
  static Range first_words(const syntax::TrainItem& train, Range range) {
    return {range.file, range.begin, std::max(train.data.range.end, range.begin + 1)};
  }

  void add_untrained() {
    for (const syntax::ModelItem* item : order_) {
      if (std::ranges::find(trained_, item) != trained_.end()) continue;
      if (const std::string missing = missing_parameters(*item, file_); !missing.empty()) {
        file_.diagnostics.report(item->name.range, messages::kModelIncomplete, item->name.text, missing)
            .help("give it a default, or a value with --set");
        continue;
      }
      const auto& model = expand(*item, nullptr);
      if (model) programs_.push_back({"", model->model, std::nullopt, std::nullopt});
    }
  }

  // ---------- names ----------

  std::string stem() const {
    std::string name = file_.sources.file(syntax_.file).name();
    name = name.substr(name.find_last_of("/\\") + 1);
    const std::size_t dot = name.rfind('.');
    return dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
  }

  void name_programs() {
    const std::string stem = this->stem();
    std::set<std::string> names, twice;
    for (Program& program : programs_) {
      program.name = programs_.size() == 1 ? stem : fmt::format("{}_{}", stem, program.model.name);
      if (names.insert(program.name).second) continue;
      twice.insert(program.name);
      file_.diagnostics.report(program.model.range, messages::kProgramTwice, program.name)
          .help("a file has one train for each model: write the other into a file of its own");
    }
    std::erase_if(programs_, [&](const Program& program) { return twice.contains(program.name); });
  }

  const syntax::File& syntax_;
  FileScope file_;
  std::map<std::string, Range, std::less<>> declared_;
  std::vector<const syntax::ModelItem*> order_;
  std::map<std::string, std::optional<DataFacts>, std::less<>> data_;
  std::map<std::string, std::optional<ExpandedModel>, std::less<>> expanded_;
  std::vector<const syntax::ModelItem*> trained_;
  std::vector<Program> programs_;
};

}  // namespace

std::vector<Program> analyze(const syntax::File& file, const ir::OpRegistry& ops, const Overrides& overrides,
                             const Sources& sources, Diagnostics& diagnostics) {
  return Analysis(file, ops, overrides, sources, diagnostics).run();
}

}  // namespace cnnc::sema
