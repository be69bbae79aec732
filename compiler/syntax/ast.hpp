// The syntax tree of a .cnn file: what was written, with ranges, before anything is looked up.
// A closed set of forms, so structs in variants; parser.cpp builds them, sema and the tools walk them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "support/source.hpp"

namespace cnnc::syntax {

struct Name {
  std::string text;
  Range range;
};

// ---------- expressions ----------

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

/// `key=value` or `value` between parentheses.
struct Argument {
  std::optional<Name> name;
  ExpressionPtr value;
  Range range;
};

/// Between '(' and ')'; `range` includes the parentheses.
struct Arguments {
  std::vector<Argument> list;
  Range range;
};

struct IntegerLiteral { std::int64_t value; };
struct FloatLiteral { double value; };
struct BooleanLiteral { bool value; };
struct StringLiteral { std::string value; };  // unescaped
struct DimensionsLiteral { std::vector<std::int64_t> extents; };
struct IdentityLiteral {};
struct InputReference {};  // the word `input`, as in input.channels
struct ListExpression { std::vector<ExpressionPtr> elements; };
struct Reference { Name name; std::optional<Arguments> arguments; };
struct MemberAccess { ExpressionPtr object; Name member; };

/// `[i]` when only `first`; `[a:b]`, `[a:]`, `[:b]` when `is_slice`.
struct Slice {
  ExpressionPtr first;
  bool is_slice = false;
  ExpressionPtr last;
};
struct IndexAccess { ExpressionPtr object; Slice slice; };

enum class UnaryOperator { kNegate, kNot };
enum class BinaryOperator {
  kPower, kMultiply, kDivide, kFloorDivide, kModulo, kAdd, kSubtract,
  kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kIn, kAnd, kOr,
};
struct Unary { UnaryOperator op; ExpressionPtr operand; };
struct Binary { BinaryOperator op; ExpressionPtr left; ExpressionPtr right; Range op_range; };
struct Conditional { ExpressionPtr condition; ExpressionPtr then; ExpressionPtr otherwise; };

struct Expression {
  Range range;
  std::variant<IntegerLiteral, FloatLiteral, BooleanLiteral, StringLiteral, DimensionsLiteral, IdentityLiteral,
               InputReference, ListExpression, Reference, MemberAccess, IndexAccess, Unary, Binary, Conditional>
      form;
};

// ---------- paths and selectors ----------

/// `**`, `*`, `name`, `name*`, `name[i]`, `name[a:b]`.
struct PathComponent {
  enum class Kind { kName, kAny, kAnyDepth } kind = Kind::kName;
  std::string name;
  bool prefix = false;  // name*
  std::optional<Slice> slice;
  Range range;
};
struct Path {
  std::vector<PathComponent> components;
  Range range;
};

/// `all layers`, `last 4 weighted layers of backbone`, `bn layers`.
struct LayersSelector {
  enum class Which { kAll, kFirst, kLast } which = Which::kAll;
  ExpressionPtr count;             // for kFirst and kLast
  std::optional<Name> kind;        // `weighted` or a layer type
  std::optional<Path> of;
};
struct Selector {
  Range range;
  std::variant<LayersSelector, Path> form;
};

// ---------- network bodies ----------

struct Statement;

struct Body {
  std::vector<Statement> statements;
  Range range;
};

/// `Model.section`, `conv(6, 5)`, `VGG(stages).features`.
struct CallPart {
  Name name;
  std::optional<Arguments> arguments;
};
struct Call {
  std::vector<CallPart> parts;
  Range range;
};

struct Arm {
  std::vector<Statement> statements;
  Range range;  // from the '|'
};
struct MergeStep { Name kind; std::optional<Arguments> arguments; std::vector<Arm> arms; };
struct RepeatStep { ExpressionPtr count; Body body; };
struct ForStep { Name first; std::optional<Name> second; ExpressionPtr sequence; Body body; };
struct TapStep { Path path; };
struct IdentityStep {};
struct SequenceStep { Body body; };
struct CallStep { Call call; };

struct Step {
  Range range;
  std::variant<MergeStep, RepeatStep, ForStep, TapStep, IdentityStep, SequenceStep, CallStep> form;
};

/// A text with expressions in it: "dense{i + 1}". `{{` and `}}` are braces.
struct TemplatePart {
  std::string text;          // unescaped; empty where `value` stands
  ExpressionPtr value;
};
struct Template {
  std::vector<TemplatePart> parts;
  Range range;  // with the quotes
};

/// `name =` or `"dense{i + 1}" =`.
using LayerName = std::variant<Name, Template>;

struct LetStatement { Name name; ExpressionPtr value; };
struct RequireStatement { ExpressionPtr condition; std::optional<Template> message; };
struct InputStatement { std::optional<Name> name; ExpressionPtr shape; };           // dimensions or a list
struct AuxStatement { Name name; std::optional<Arguments> arguments; Body body; };
struct IfStatement {
  ExpressionPtr condition;
  Body then;
  std::optional<Body> otherwise;  // `else if` is an otherwise with one IfStatement
};
struct LayerStatement { std::optional<LayerName> name; std::vector<Step> steps; };

struct Statement {
  Range range;
  std::variant<LetStatement, RequireStatement, InputStatement, AuxStatement, IfStatement, LayerStatement> form;
};

// ---------- the file ----------

struct Parameter { Name name; ExpressionPtr default_value; };  // null: required

struct ImportItem { std::vector<Name> names; Name path; };
struct LetItem { Name name; ExpressionPtr value; };
struct BlockItem { Name name; std::vector<Parameter> parameters; Body body; };

struct ReplaceEdit { Path path; Body body; };
struct RemoveEdit { Path path; };
struct InsertEdit { bool before = false; Path path; Body body; };
struct SetEdit { Path path; std::vector<Argument> settings; };
struct Edit {
  Range range;
  std::variant<ReplaceEdit, RemoveEdit, InsertEdit, SetEdit> form;
};
struct AliasBody { Call call; };
struct ExtendsBody { Call call; std::vector<Edit> edits; };
struct ModelItem { Name name; std::vector<Parameter> parameters; std::variant<Body, AliasBody, ExtendsBody> definition; };

struct ConfigStatement;
struct Config {
  std::vector<ConfigStatement> statements;
  Range range;
};
struct Setting { Name name; ExpressionPtr value; };
struct Transforms { Name kind; Body body; };  // kind: prepare or augment
struct Freezing { bool freeze = true; std::vector<Selector> selectors; std::vector<Selector> except; };
struct ParameterGroup { std::vector<Selector> selectors; Config config; };
struct InitWeights { Path path; Name file; std::optional<Arguments> arguments; };
struct Phase { Name name; Config config; };
struct Callback { Call call; };
struct ConfigStatement {
  Range range;
  std::variant<Setting, Transforms, Freezing, ParameterGroup, InitWeights, Phase, Callback> form;
};

struct DataItem { Name name; Config config; };
struct RecipeItem { Name name; std::vector<Parameter> parameters; Config config; };
struct TrainItem { std::vector<Call> models; Name data; std::optional<Call> recipe; std::optional<Config> config; };

struct Item {
  Range range;
  std::variant<ImportItem, LetItem, BlockItem, ModelItem, DataItem, RecipeItem, TrainItem> form;
};

struct File {
  std::uint32_t file = 0;
  std::int64_t edition = 1;
  std::vector<Item> items;
};

}  // namespace cnnc::syntax
