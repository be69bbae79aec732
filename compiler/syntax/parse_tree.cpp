// ANTLR's lexer and parser at work.
#include "syntax/parse_tree.hpp"

#include "support/internal_error.hpp"
#include "support/messages.hpp"
#include "syntax/error_strategy.hpp"

namespace cnnc::syntax {

namespace {

// The first thing in a file is its edition; without it nothing else is worth saying.
bool has_edition(antlr4::CommonTokenStream& tokens, const Offsets& offsets, std::uint32_t file,
                 Diagnostics& diagnostics) {
  tokens.fill();
  const antlr4::Token* first = tokens.LT(1);
  if (first->getText() == "cnn" && first->getType() != antlr4::Token::EOF) return true;
  const std::uint32_t begin = offsets.byte(first->getStartIndex());
  const std::uint32_t end =
      first->getType() == antlr4::Token::EOF ? begin : offsets.byte(first->getStopIndex() + 1);
  diagnostics.report({file, begin, end}, messages::kNoEdition).help("write 'cnn 1' above everything else");
  return false;
}

// The text is known not to be what `parse` reads: what is to be said of it.
void report_errors(antlr4::CommonTokenStream& stream, const auto& parse, const Offsets& offsets,
                   std::uint32_t file, Diagnostics& diagnostics) {
  TokenList list(stream, file, offsets);
  ReportedLines lines;
  const int errors_before = diagnostics.errors();
  mend_characters(list, diagnostics, lines);
  if (!mend_brackets(list, diagnostics, lines)) return;
  std::vector<std::unique_ptr<antlr4::Token>> copies;
  for (antlr4::Token* token : list.tokens) copies.push_back(std::make_unique<antlr4::CommonToken>(token));
  antlr4::ListTokenSource source(std::move(copies));
  antlr4::CommonTokenStream mended(&source);
  mended.fill();
  CnnParser parser(&mended);
  parser.removeErrorListeners();
  parser.setErrorHandler(std::make_shared<ErrorStrategy>(list, diagnostics, lines));
  parse(parser);
  ensure(diagnostics.errors() > errors_before, "syntax", "a text that does not parse, and no error");
}

// What `parse` gives; null where the text is no such thing, which is reported.
template <class Parse>
auto parse_or_report(ParseTree& parsed, const Parse& parse, const Offsets& offsets, std::uint32_t file,
                     Diagnostics& diagnostics) -> decltype(parse(parsed.parser)) {
  parsed.parser.setErrorHandler(std::make_shared<antlr4::BailErrorStrategy>());
  try {
    return parse(parsed.parser);
  } catch (const antlr4::ParseCancellationException&) {
    parsed.tokens.fill();
    report_errors(parsed.tokens, parse, offsets, file, diagnostics);
    return nullptr;
  }
}

}  // namespace

ParseTree::ParseTree(const std::string& text) : input(text), lexer(&input), tokens(&lexer), parser(&tokens) {
  lexer.removeErrorListeners();
  parser.removeErrorListeners();
}

std::unique_ptr<ParseTree> parse_tree(const Sources& sources, std::uint32_t file, const Offsets& offsets,
                                      Diagnostics& diagnostics) {
  auto result = std::make_unique<ParseTree>(std::string(sources.file(file).text()));
  if (!has_edition(result->tokens, offsets, file, diagnostics)) return nullptr;
  const auto spec = [](CnnParser& parser) { return parser.spec(); };
  result->spec = parse_or_report(*result, spec, offsets, file, diagnostics);
  return result->spec == nullptr ? nullptr : std::move(result);
}

CnnParser::EmbeddedContext* parse_embedded(ParseTree& parsed, std::uint32_t file, const Offsets& offsets,
                                           Diagnostics& diagnostics) {
  const auto embedded = [](CnnParser& parser) { return parser.embedded(); };
  return parse_or_report(parsed, embedded, offsets, file, diagnostics);
}

}  // namespace cnnc::syntax
