// The table of contents of sema: each file's names, then data, then each train with its models, then what nothing trains.
#include "sema/analyze.hpp"

#include <algorithm>

#include "sema/arguments.hpp"
#include "sema/data.hpp"
#include "sema/declarations.hpp"
#include "sema/models.hpp"
#include "sema/train.hpp"
#include "support/messages.hpp"

namespace cnnc::sema {

namespace {

class Analysis {
 public:
  Analysis(const syntax::Modules& modules, const ir::OpRegistry& ops, const Overrides& overrides, const Sources& sources,
           Diagnostics& diagnostics)
      : syntax_(modules.back().tree), files_(declare(modules, {ops, overrides, sources, diagnostics})),
        file_(files_.back()) {}

  std::vector<Program> run() {
    check_overrides(syntax_, file_);
    for (const syntax::Item& item : syntax_.items) {
      if (const auto* data = std::get_if<syntax::DataItem>(&item.form)) read_named_data(data->name.text);
    }
    for (const syntax::Item& item : syntax_.items) {
      if (const auto* train = std::get_if<syntax::TrainItem>(&item.form)) read_train_item(*train, item.range);
    }
    add_untrained();
    name_programs();
    return std::move(programs_);
  }

 private:
  // The data, of this file or imported, read once; null where there is none of that name.
  std::optional<DataFacts>* read_named_data(const std::string& name) {
    if (const auto found = data_.find(name); found != data_.end()) return &found->second;
    const Declaration* declared = file_.find<syntax::DataItem>(name);
    if (declared == nullptr) return nullptr;
    return &data_.emplace(name, read_data(*declared->as<syntax::DataItem>(), declared->range, *declared->home)).first->second;
  }

  // The data of a train; null after a message, or silently where its import failed.
  std::optional<DataFacts>* find_data(const syntax::TrainItem& train) {
    if (file_.broken.contains(train.data.text)) return nullptr;
    if (auto* found = read_named_data(train.data.text)) return found;
    auto report = file_.diagnostics.report(train.data.range, messages::kUnknownData, train.data.text);
    if (const auto near = nearest(train.data.text, file_.names<syntax::DataItem>()); !near.empty())
      report.help(fmt::format("did you mean {}?", near));
    else
      report.help(fmt::format("declare it: data {} {{ source = idx(\"DIR\", val=0.1) classes = 10 }}",
                              train.data.text));
    return nullptr;
  }

  const Declaration* find_model(const syntax::Call& call) {
    const syntax::Name& name = call.parts.front().name;
    if (file_.broken.contains(name.text)) return nullptr;
    if (call.parts.size() > 1) {
      file_.diagnostics.report(call.range, messages::kWholeModelOnly)
          .help("make a model of the section: model Part { input 3x224x224  backbone = " +
                std::string(file_.sources.text(call.range)) + " }");
      return nullptr;
    }
    if (const Declaration* found = file_.find<syntax::ModelItem>(name.text)) return found;
    auto report = file_.diagnostics.report(name.range, messages::kUnknownModel, name.text);
    if (const auto near = nearest(name.text, file_.names<syntax::ModelItem>()); !near.empty())
      report.help(fmt::format("did you mean {}?", near));
    else if (file_.find<syntax::BlockItem>(name.text) != nullptr)
      report.help("it is a block: a model has an input of its own");
    return nullptr;
  }

  // Each model with the same arguments is expanded once, so that its mistakes are reported once.
  const std::optional<ExpandedModel>& expand(const Declaration& model, const syntax::CallPart* call) {
    const bool arguments = call != nullptr && call->arguments && !call->arguments->list.empty();
    const std::string key = model.as<syntax::ModelItem>()->name.text +
                            (arguments ? std::string(file_.sources.text(call->arguments->range)) : "");
    const auto found = expanded_.find(key);
    if (found != expanded_.end()) return found->second;
    return expanded_.emplace(key, expand_model(model, call, file_, files_)).first->second;
  }

  void read_train_item(const syntax::TrainItem& train, Range range) {
    std::optional<DataFacts>* data = find_data(train);
    const bool well = data != nullptr && data->has_value();
    // What data says of its batch is not known where it has a mistake; a batch that is missing is not reported then.
    const std::optional<std::int64_t> batch = well ? (*data)->batch : std::optional<std::int64_t>(1);
    const auto lines = read_train(train, first_words(train, range), batch, file_);
    for (const syntax::Call& call : train.models) {
      const Declaration* declared = find_model(call);
      if (declared == nullptr) continue;
      trained_.push_back(declared);
      const auto& model = expand(*declared, &call.parts.front());
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

  // A model that others are made from, or use a part of, may well be incomplete by itself.
  void add_untrained() {
    const auto used = names_used_by_models(syntax_);
    for (const syntax::Item& item : syntax_.items) {
      const auto* model = std::get_if<syntax::ModelItem>(&item.form);
      const Declaration* declared = model == nullptr ? nullptr : file_.find<syntax::ModelItem>(model->name.text);
      if (declared == nullptr || declared->as<syntax::ModelItem>() != model) continue;
      if (std::ranges::find(trained_, declared) != trained_.end()) continue;
      if (const std::string missing = missing_parameters(*declared); !missing.empty()) {
        if (used.contains(model->name.text)) continue;
        file_.diagnostics.report(model->name.range, messages::kModelIncomplete, model->name.text, missing)
            .help("give it a default, or a value with --set");
        continue;
      }
      const auto& expanded = expand(*declared, nullptr);
      if (expanded) programs_.push_back({"", expanded->model, std::nullopt, std::nullopt});
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
  std::deque<FileScope> files_;
  const FileScope& file_;
  std::map<std::string, std::optional<DataFacts>, std::less<>> data_;
  std::map<std::string, std::optional<ExpandedModel>, std::less<>> expanded_;
  std::vector<const Declaration*> trained_;
  std::vector<Program> programs_;
};

}  // namespace

std::vector<Program> analyze(const syntax::Modules& modules, const ir::OpRegistry& ops, const Overrides& overrides,
                             const Sources& sources, Diagnostics& diagnostics) {
  return Analysis(modules, ops, overrides, sources, diagnostics).run();
}

}  // namespace cnnc::sema
