// Network bodies, models and their edits in the tree.
#include "support/internal_error.hpp"
#include "syntax/tree.hpp"

namespace cnnc::syntax {

Body TreeBuilder::body(CnnParser::BodyContext* context) {
  return {statements(context->stmt()), range(context)};
}

std::vector<Statement> TreeBuilder::statements(const std::vector<CnnParser::StmtContext*>& contexts) {
  std::vector<Statement> result;
  for (auto* context : contexts) result.push_back(statement(context));
  return result;
}

Statement TreeBuilder::statement(CnnParser::StmtContext* context) {
  const Range at = range(context);
  if (auto* let = context->letDecl()) return {at, LetStatement{name(let->ident()), expression(let->expr())}};
  if (auto* require = context->requireStmt()) {
    RequireStatement result{expression(require->expr()), {}};
    if (auto* message = require->STRING_LIT()) result.message = text_template(message);
    return {at, std::move(result)};
  }
  if (auto* input = context->inputStmt()) {
    auto shape = std::make_unique<Expression>();
    shape->range = range(input->shape());
    if (auto* extents = input->shape()->DIMS_LIT()) shape->form = dimensions(extents);
    else shape->form = list(input->shape()->listLit());
    InputStatement result{{}, std::move(shape)};
    if (auto* word = input->ident()) result.name = name(word);
    return {at, std::move(result)};
  }
  if (auto* aux = context->auxStmt()) return {at, AuxStatement{name(aux->ident()), arguments(aux->args()), body(aux->body())}};
  if (auto* choice = context->ifStmt()) return {at, if_statement(choice)};
  if (auto* layer = context->layerStmt()) return {at, layer_statement(layer)};
  throw InternalError("syntax", "a statement of an unknown form");
}

IfStatement TreeBuilder::if_statement(CnnParser::IfStmtContext* context) {
  IfStatement result{expression(context->expr()), body(context->body(0)), {}};
  if (auto* chained = context->ifStmt()) {
    Body otherwise{{}, range(chained)};
    otherwise.statements.push_back({range(chained), if_statement(chained)});
    result.otherwise = std::move(otherwise);
  } else if (context->body().size() > 1) {
    result.otherwise = body(context->body(1));
  }
  return result;
}

LayerStatement TreeBuilder::layer_statement(CnnParser::LayerStmtContext* context) {
  LayerStatement result;
  if (auto* word = context->ident()) {
    result.name = name(word);
  } else if (auto* text = context->STRING_LIT()) {
    result.name = text_template(text);
  }
  for (auto* each : context->step()) result.steps.push_back(step(each));
  return result;
}

MergeStep TreeBuilder::merge(CnnParser::MergeStepContext* context) {
  const antlr4::Token* word = context->getStart();
  MergeStep result{{word->getText(), range(word, word)}, arguments(context->args()), {}};
  for (auto* each : context->arm()) result.arms.push_back({statements(each->stmt()), range(each)});
  return result;
}

Step TreeBuilder::step(CnnParser::StepContext* context) {
  const Range at = range(context);
  if (auto* arms = dynamic_cast<CnnParser::MergeStepContext*>(context)) return {at, merge(arms)};
  if (auto* repeat = dynamic_cast<CnnParser::RepeatStepContext*>(context)) {
    return {at, RepeatStep{expression(repeat->expr()), body(repeat->body())}};
  }
  if (auto* loop = dynamic_cast<CnnParser::ForStepContext*>(context)) {
    ForStep result{name(loop->ident(0)), {}, expression(loop->expr()), body(loop->body())};
    if (loop->ident().size() > 1) result.second = name(loop->ident(1));
    return {at, std::move(result)};
  }
  if (auto* tap = dynamic_cast<CnnParser::TapStepContext*>(context)) return {at, TapStep{path(tap->path())}};
  if (dynamic_cast<CnnParser::IdentityStepContext*>(context) != nullptr) return {at, IdentityStep{}};
  if (auto* sequence = dynamic_cast<CnnParser::SeqStepContext*>(context)) return {at, SequenceStep{body(sequence->body())}};
  if (auto* called = dynamic_cast<CnnParser::CallStepContext*>(context)) return {at, CallStep{call(called->call())}};
  throw InternalError("syntax", "a step of an unknown form");
}

std::vector<Parameter> TreeBuilder::parameters(CnnParser::ParamsContext* context) {
  std::vector<Parameter> result;
  if (context == nullptr) return result;
  for (auto* each : context->param()) {
    result.push_back({name(each->ident()), each->expr() != nullptr ? expression(each->expr()) : nullptr});
  }
  return result;
}

ModelItem TreeBuilder::model(CnnParser::ModelDeclContext* context) {
  ModelItem result{name(context->ident()), parameters(context->params()), {}};
  if (auto* layers = context->body()) {
    result.definition = body(layers);
  } else if (auto* edits = context->edits()) {
    ExtendsBody extended{call(context->call()), {}};
    for (auto* each : edits->edit()) extended.edits.push_back(edit(each));
    result.definition = std::move(extended);
  } else {
    result.definition = AliasBody{call(context->call())};
  }
  return result;
}

Edit TreeBuilder::edit(CnnParser::EditContext* context) {
  const Range at = range(context);
  if (auto* replace = dynamic_cast<CnnParser::ReplaceEditContext*>(context)) {
    return {at, ReplaceEdit{path(replace->path()), body(replace->body())}};
  }
  if (auto* remove = dynamic_cast<CnnParser::RemoveEditContext*>(context)) return {at, RemoveEdit{path(remove->path())}};
  if (auto* insert = dynamic_cast<CnnParser::InsertEditContext*>(context)) {
    const bool before = insert->children.at(1)->getText() == "before";
    return {at, InsertEdit{before, path(insert->path()), body(insert->body())}};
  }
  auto* set = dynamic_cast<CnnParser::SetEditContext*>(context);
  if (set == nullptr) throw InternalError("syntax", "an edit of an unknown form");
  SetEdit result{path(set->path()), {}};
  for (std::size_t i = 0; i < set->ident().size(); ++i) {
    result.settings.push_back({name(set->ident(i)), expression(set->expr(i)), range(set->ident(i)->getStart(), set->expr(i)->getStop())});
  }
  return {at, std::move(result)};
}

}  // namespace cnnc::syntax
