// From ANTLR's parse tree to ours. Only the sources beside this header include it.
#pragma once

#include <string>
#include <vector>

#include "CnnLexer.h"
#include "CnnParser.h"
#include "support/diagnostics.hpp"
#include "syntax/ast.hpp"

namespace cnnc::syntax {

using generated::CnnParser;

/// Byte offsets of a text's code points: ANTLR counts the latter, we the former. A byte order mark at the beginning,
/// which ANTLR drops, counts for nothing.
class Offsets {
 public:
  /// `base`: where in its file the text begins.
  explicit Offsets(std::string_view text, std::uint32_t base = 0);
  std::uint32_t byte(std::size_t code_point) const;

 private:
  std::vector<std::uint32_t> bytes_;  // empty for ASCII, where both are the same
  std::size_t size_;
  std::size_t mark_ = 0;  // bytes of the byte order mark
  std::uint32_t base_;
};

/// Builds the tree of a text that parsed without an error.
class TreeBuilder {
 public:
  TreeBuilder(std::uint32_t file, const Offsets& offsets, const Sources& sources, Diagnostics& diagnostics)
      : file_(file), offsets_(offsets), sources_(sources), diagnostics_(diagnostics) {}

  File file(CnnParser::SpecContext* context);

 private:
  Range range(const antlr4::Token* first, const antlr4::Token* last) const;
  Range range(antlr4::ParserRuleContext* context) const { return range(context->getStart(), context->getStop()); }
  Range range(antlr4::tree::TerminalNode* node) const { return range(node->getSymbol(), node->getSymbol()); }
  Name name(antlr4::ParserRuleContext* context) const { return {context->getText(), range(context)}; }
  Name string(antlr4::tree::TerminalNode* node);
  /// The text between quotes at `inside`, with escapes as what they stand for.
  std::string unescape(std::string_view quoted, std::uint32_t begin);

  // templates.cpp
  Template text_template(antlr4::tree::TerminalNode* node);
  ExpressionPtr embedded(std::string_view text, std::uint32_t begin);

  // expressions.cpp
  ExpressionPtr expression(CnnParser::ExprContext* context);
  void atom(CnnParser::AtomContext* context, Expression& result);
  std::int64_t integer(const std::string& digits, Range at);
  DimensionsLiteral dimensions(antlr4::tree::TerminalNode* node);
  ListExpression list(CnnParser::ListLitContext* context);
  Slice slice(CnnParser::SliceExprContext* context);
  std::optional<Arguments> arguments(CnnParser::ArgsContext* context);
  Call call(CnnParser::CallContext* context);
  Path path(CnnParser::PathContext* context);

  // bodies.cpp
  Body body(CnnParser::BodyContext* context);
  std::vector<Statement> statements(const std::vector<CnnParser::StmtContext*>& contexts);
  Statement statement(CnnParser::StmtContext* context);
  IfStatement if_statement(CnnParser::IfStmtContext* context);
  LayerStatement layer_statement(CnnParser::LayerStmtContext* context);
  Step step(CnnParser::StepContext* context);
  MergeStep merge(CnnParser::MergeStepContext* context);
  ModelItem model(CnnParser::ModelDeclContext* context);
  std::vector<Parameter> parameters(CnnParser::ParamsContext* context);
  Edit edit(CnnParser::EditContext* context);

  // config.cpp
  Item item(CnnParser::ItemContext* context);
  TrainItem train(CnnParser::TrainDeclContext* context);
  Config config(CnnParser::ConfigContext* context);
  ConfigStatement config_statement(CnnParser::ConfigStmtContext* context);
  Freezing freezing(CnnParser::FreezingContext* context);
  std::vector<Selector> selectors(CnnParser::SelectorsContext* context);
  Selector selector(CnnParser::SelectorContext* context);

  std::uint32_t file_;
  const Offsets& offsets_;
  const Sources& sources_;
  Diagnostics& diagnostics_;
};

}  // namespace cnnc::syntax
