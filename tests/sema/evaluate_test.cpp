// What expressions evaluate to, and which do not.
#include <gtest/gtest.h>

#include "sema/values/evaluate.hpp"
#include "syntax/parser.hpp"

namespace cnnc {
namespace {

struct Evaluated {
  std::string text;  // the value as it would be written; empty where there is none
  std::string ids;   // of the diagnostics
};

Evaluated evaluate(const std::string& expression) {
  Sources sources;
  Diagnostics diagnostics;
  const auto file =
      syntax::parse(sources, sources.add("test.cnn", "cnn 1\nlet x = " + expression + "\n"), diagnostics);
  Evaluated result;
  if (file && !diagnostics.failed()) {
    sema::Scope scope;
    scope.define("n", {ir::Value{std::int64_t{7}}, {}});
    scope.define("widths",
                 {ir::Value{ir::List{{std::int64_t{16}}, {std::int64_t{32}}, {std::int64_t{64}}}}, {}});
    scope.define("broken", {std::nullopt, {}});
    const ir::Shape input{.channels = 3, .height = 20, .width = 30};
    const auto value = sema::evaluate(*std::get<syntax::LetItem>(file->items.front().form).value,
                                      {scope, &input}, diagnostics);
    if (value) result.text = to_text(*value);
  }
  for (const Diagnostic& diagnostic : diagnostics.all()) result.ids += diagnostic.id;
  return result;
}

struct Row {
  const char* expression;
  const char* value;
};

class Value : public testing::TestWithParam<Row> {};

TEST_P(Value, IsAsWritten) {
  const Evaluated result = evaluate(GetParam().expression);
  EXPECT_EQ(result.text, GetParam().value) << GetParam().expression;
  EXPECT_EQ(result.ids, "") << GetParam().expression;
}

INSTANTIATE_TEST_SUITE_P(
    Arithmetic, Value,
    testing::Values(Row{"1 + 2 * 3", "7"}, Row{"(1 + 2) * 3", "9"}, Row{"2 ** 3 ** 2", "512"},
                    Row{"-2 ** 2", "-4"}, Row{"6 / 3", "2"}, Row{"7 / 2.0", "3.5"}, Row{"7 // 2", "3"},
                    Row{"-7 // 2", "-4"}, Row{"-7 % 3", "2"}, Row{"7 % -3", "-2"}, Row{"7.5 // 2", "3.0"},
                    Row{"-7.5 % 2", "0.5"}, Row{"2 ** -1", "0.5"}, Row{"1e-3 * 2", "0.002"},
                    Row{"10 - 4 - 3", "3"}, Row{"n * n", "49"}, Row{"2 ** 62", "4611686018427387904"},
                    Row{"0 - 9223372036854775807 - 1", "-9223372036854775808"}, Row{"5 / -1", "-5"}));

INSTANTIATE_TEST_SUITE_P(
    Logic, Value,
    testing::Values(Row{"1 < 2", "true"}, Row{"2 <= 1.5", "false"}, Row{"3 == 3.0", "true"},
                    Row{"\"a\" != \"b\"", "true"}, Row{"relu == relu", "true"}, Row{"relu == tanh", "false"},
                    Row{"not 1 > 2", "true"}, Row{"true and false", "false"}, Row{"true or false", "true"},
                    Row{"false and 1 // 0 == 1", "false"}, Row{"true or 1 // 0 == 1", "true"},
                    Row{"32 in widths", "true"}, Row{"33 in widths", "false"}, Row{"n > 5 ? 1 : 1 // 0", "1"},
                    Row{"n == 1 ? 1 : n == 7 ? 2 : 3", "2"}, Row{"[1, [2]] == [1, [2]]", "true"}));

INSTANTIATE_TEST_SUITE_P(Lists, Value,
                         testing::Values(Row{"[1, 2.5, true, \"x\", relu]", "[1, 2.5, true, \"x\", relu]"},
                                         Row{"widths[0]", "16"}, Row{"widths[-1]", "64"},
                                         Row{"widths[1:]", "[32, 64]"}, Row{"widths[:1]", "[16]"},
                                         Row{"widths[1:2]", "[32]"}, Row{"widths[2:1]", "[]"},
                                         Row{"widths[:99]", "[16, 32, 64]"}, Row{"widths[-2:]", "[32, 64]"},
                                         Row{"widths + [128]", "[16, 32, 64, 128]"},
                                         Row{"\"a\" + \"b\"", "\"ab\""}, Row{"3x224x225[1]", "224"},
                                         Row{"[[1, 2], [3, 4]][1][0]", "3"}));

INSTANTIATE_TEST_SUITE_P(
    Functions, Value,
    testing::Values(Row{"range(3)", "[0, 1, 2]"}, Row{"range(2, 5)", "[2, 3, 4]"},
                    Row{"range(5, 0, -2)", "[5, 3, 1]"}, Row{"range(0)", "[]"}, Row{"len(widths)", "3"},
                    Row{"len(3x32x32)", "3"}, Row{"floor(1.7)", "1"}, Row{"floor(-1.2)", "-2"},
                    Row{"ceil(1.2)", "2"}, Row{"ceil(4)", "4"}, Row{"round8(35)", "32"},
                    Row{"round8(36)", "40"}, Row{"round8(3)", "8"}, Row{"round8(11)", "16"},
                    Row{"min(3, 1, 2)", "1"}, Row{"max(widths)", "64"}, Row{"max(1, 2.5)", "2.5"},
                    Row{"input.channels", "3"}, Row{"input.height * input.width", "600"}));

class NoValue : public testing::TestWithParam<Row> {};

TEST_P(NoValue, IsReportedOnce) {
  const Evaluated result = evaluate(GetParam().expression);
  EXPECT_EQ(result.text, "") << GetParam().expression;
  EXPECT_EQ(result.ids, GetParam().value) << GetParam().expression;
}

INSTANTIATE_TEST_SUITE_P(
    Mistakes, NoValue,
    testing::Values(Row{"7 / 2", "division-not-exact"}, Row{"1 % 0", "division-by-zero"},
                    Row{"1 / 0.0", "division-by-zero"}, Row{"2 ** 63", "number-overflow"},
                    Row{"3000000000 * 4000000000", "number-overflow"},
                    Row{"-(0 - 9223372036854775807 - 1)", "number-overflow"},
                    Row{"(0 - 9223372036854775807 - 1) // -1", "number-overflow"},
                    Row{"1e300 * 1e300", "not-finite"}, Row{"(0 - 1.0) ** 0.5", "not-finite"},
                    Row{"widths[3]", "index-out-of-range"}, Row{"widths[-4]", "index-out-of-range"},
                    Row{"unbound + 1", "unknown-name"}, Row{"[unbound + 1, 1 // 0]", "unknown-name"},
                    Row{"1 and true", "not-a-condition"}, Row{"relu == 3", "wrong-operands"},
                    Row{"range(100001)", "value-too-large"}));

// A name whose own definition failed was reported there.
TEST(Evaluate, WhatIsBrokenElsewhereIsSilent) {
  const Evaluated result = evaluate("broken + 1");
  EXPECT_EQ(result.text, "");
  EXPECT_EQ(result.ids, "");
}

TEST(Evaluate, AnUnboundNameIsAWord) {
  EXPECT_EQ(evaluate("he_normal").text, "he_normal");
}

TEST(Literals, AreReadAsInASpec) {
  const auto read = [](const char* text) {
    const auto value = sema::parse_literal(text);
    return value ? to_text(*value) : std::string("none");
  };
  EXPECT_EQ(read("5"), "5");
  EXPECT_EQ(read("-5"), "-5");
  EXPECT_EQ(read(" 1e-3 "), "0.001");
  EXPECT_EQ(read("true"), "true");
  EXPECT_EQ(read("relu"), "relu");
  EXPECT_EQ(read("3x32x32"), "3x32x32");
  EXPECT_EQ(read("[512, [256,],]"), "[512, [256]]");
  EXPECT_EQ(read("\"a \\\"b\\\"\""), "\"a \\\"b\\\"\"");
  for (const char* text :
       {"", "5 6", "[1", "[,]", "\"open", "3x", "3x-1", "1e999", "99999999999999999999", "+5", "a.b", "-"}) {
    EXPECT_EQ(read(text), "none") << text;
  }
}

}  // namespace
}  // namespace cnnc
