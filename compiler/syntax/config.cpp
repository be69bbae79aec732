// Items of a file, and the settings of data, recipes, trainings and phases in the tree.
#include "support/internal_error.hpp"
#include "support/messages.hpp"
#include "syntax/tree.hpp"

namespace cnnc::syntax {

File TreeBuilder::file(CnnParser::SpecContext* context) {
  File result;
  result.file = file_;
  result.edition = integer(context->INT_LIT()->getText(), range(context->INT_LIT()));
  if (result.edition != 1) {
    diagnostics_.report(range(context->INT_LIT()), messages::kUnknownEdition, result.edition).help("write 'cnn 1'");
  }
  for (auto* each : context->item()) result.items.push_back(item(each));
  return result;
}

Item TreeBuilder::item(CnnParser::ItemContext* context) {
  const Range at = range(context);
  if (auto* import = context->importDecl()) {
    ImportItem result{{}, string(import->STRING_LIT())};
    for (auto* word : import->ident()) result.names.push_back(name(word));
    return {at, std::move(result)};
  }
  if (auto* let = context->letDecl()) return {at, LetItem{name(let->ident()), expression(let->expr())}};
  if (auto* block = context->blockDecl()) {
    return {at, BlockItem{name(block->ident()), parameters(block->params()), body(block->body())}};
  }
  if (auto* definition = context->modelDecl()) return {at, model(definition)};
  if (auto* data = context->dataDecl()) return {at, DataItem{name(data->ident()), config(data->config())}};
  if (auto* recipe = context->recipeDecl()) {
    return {at, RecipeItem{name(recipe->ident()), parameters(recipe->params()), config(recipe->config())}};
  }
  if (auto* training = context->trainDecl()) return {at, train(training)};
  throw InternalError("syntax", "an item of an unknown form");
}

TrainItem TreeBuilder::train(CnnParser::TrainDeclContext* context) {
  TrainItem result{{}, name(context->ident()), {}, {}};
  auto calls = context->call();
  // The call after `using` is the recipe's; all before it are models.
  bool with_recipe = false;
  for (auto* child : context->children) with_recipe |= child->getText() == "using" && dynamic_cast<antlr4::tree::TerminalNode*>(child) != nullptr;
  if (with_recipe) {
    result.recipe = call(calls.back());
    calls.pop_back();
  }
  for (auto* each : calls) result.models.push_back(call(each));
  if (auto* settings = context->config()) result.config = config(settings);
  return result;
}

Config TreeBuilder::config(CnnParser::ConfigContext* context) {
  Config result{{}, range(context)};
  for (auto* each : context->configStmt()) result.statements.push_back(config_statement(each));
  return result;
}

ConfigStatement TreeBuilder::config_statement(CnnParser::ConfigStmtContext* context) {
  const Range at = range(context);
  if (auto* setting = dynamic_cast<CnnParser::SettingContext*>(context)) {
    return {at, Setting{name(setting->configName()), expression(setting->expr())}};
  }
  if (auto* transforms = dynamic_cast<CnnParser::TransformsContext*>(context)) {
    const antlr4::Token* word = transforms->getStart();
    return {at, Transforms{{word->getText(), range(word, word)}, body(transforms->body())}};
  }
  if (auto* frozen = dynamic_cast<CnnParser::FreezingContext*>(context)) return {at, freezing(frozen)};
  if (auto* group = dynamic_cast<CnnParser::ParamGroupContext*>(context)) {
    return {at, ParameterGroup{selectors(group->selectors()), config(group->config())}};
  }
  if (auto* init = dynamic_cast<CnnParser::InitWeightsContext*>(context)) {
    return {at, InitWeights{path(init->path()), string(init->STRING_LIT()), arguments(init->args())}};
  }
  if (auto* phase = dynamic_cast<CnnParser::PhaseDeclContext*>(context)) {
    return {at, Phase{name(phase->ident()), config(phase->config())}};
  }
  if (auto* callback = dynamic_cast<CnnParser::CallbackContext*>(context)) {
    Call called{{}, at};
    called.parts.push_back({name(callback->configName()), arguments(callback->args())});
    return {at, Callback{std::move(called)}};
  }
  throw InternalError("syntax", "a setting of an unknown form");
}

Freezing TreeBuilder::freezing(CnnParser::FreezingContext* context) {
  Freezing result{context->getStart()->getText() == "freeze", selectors(context->selectors(0)), {}};
  if (context->selectors().size() > 1) result.except = selectors(context->selectors(1));
  return result;
}

std::vector<Selector> TreeBuilder::selectors(CnnParser::SelectorsContext* context) {
  std::vector<Selector> result;
  for (auto* each : context->selector()) result.push_back(selector(each));
  return result;
}

Selector TreeBuilder::selector(CnnParser::SelectorContext* context) {
  const Range at = range(context);
  const bool by_layers = context->layerKind() != nullptr || context->children.size() > 1;
  if (!by_layers) return {at, path(context->path())};
  LayersSelector result;
  const std::string first = context->getStart()->getText();
  if (context->expr() != nullptr) {
    result.which = first == "first" ? LayersSelector::Which::kFirst : LayersSelector::Which::kLast;
    result.count = expression(context->expr());
  }
  if (auto* kind = context->layerKind()) result.kind = name(kind);
  if (auto* of = context->path()) result.of = path(of);
  return {at, std::move(result)};
}

}  // namespace cnnc::syntax
