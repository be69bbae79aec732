// Carets stand below what they mean: tabs, wide and combining characters, long lines, ranges over several
// lines.
#include <gtest/gtest.h>

#include "support/diagnostics.hpp"
#include "support/messages.hpp"

namespace cnnc {
namespace {

// One error at `marked` in `text`, and what is shown of it.
std::string shown(const std::string& text, const std::string& marked) {
  Sources sources;
  Diagnostics diagnostics;
  const auto file = sources.add("a.cnn", text);
  const auto begin = static_cast<std::uint32_t>(text.find(marked));
  diagnostics
      .report({file, begin, begin + static_cast<std::uint32_t>(marked.size())}, messages::kUnexpected, "x")
      .label("here");
  return render(diagnostics, sources);
}

TEST(Render, Plain) {
  EXPECT_EQ(shown("cnn 1\n  relu bn\n", "relu"),
            "error: unexpected x\n  --> a.cnn:2:3\n 2 |   relu bn\n   |   ^^^^ here\n");
}

TEST(Render, TabsAreFourColumns) {
  EXPECT_EQ(shown("\trelu", "relu"),
            "error: unexpected x\n  --> a.cnn:1:2\n 1 |     relu\n   |     ^^^^ here\n");
  EXPECT_EQ(shown("ab\tc", "c"), "error: unexpected x\n  --> a.cnn:1:4\n 1 | ab  c\n   |     ^ here\n");
}

TEST(Render, WideCharactersTakeTwoColumns) {
  EXPECT_EQ(
      shown("\"\xE4\xBD\xA0\xE5\xA5\xBD\" bn", "bn"),
      "error: unexpected x\n  --> a.cnn:1:6\n 1 | \"\xE4\xBD\xA0\xE5\xA5\xBD\" bn\n   |        ^^ here\n");
  EXPECT_EQ(shown("a \xE4\xBD\xA0 b", "\xE4\xBD\xA0"),
            "error: unexpected x\n  --> a.cnn:1:3\n 1 | a \xE4\xBD\xA0 b\n   |   ^^ here\n");
}

TEST(Render, CombiningAccentsTakeNone) {
  EXPECT_EQ(shown("\"cafe\xCC\x81\" bn", "bn"),
            "error: unexpected x\n  --> a.cnn:1:9\n 1 | \"cafe\xCC\x81\" bn\n   |        ^^ here\n");
}

TEST(Render, ARangeOverSeveralLinesIsMarkedOnItsFirst) {
  EXPECT_EQ(shown("a = {\n  relu\n}\n", "{\n  relu\n}"),
            "error: unexpected x\n  --> a.cnn:1:5\n 1 | a = {\n   |     ^ here\n");
}

TEST(Render, LongLinesAreCut) {
  const std::string line(300, 'a');
  EXPECT_EQ(shown(line + " bn", "bn"), "error: unexpected x\n  --> a.cnn:1:302\n 1 | " + line.substr(0, 160) +
                                           " ...\n   | " + std::string(160, ' ') + "^ here\n");
}

TEST(Render, ControlCharactersAreShownAsQuestionMarks) {
  EXPECT_EQ(shown("a \x07 b", "b"), "error: unexpected x\n  --> a.cnn:1:5\n 1 | a ? b\n   |     ^ here\n");
}

TEST(Render, AnEmptyRangeAtTheEndOfTheText) {
  Sources sources;
  Diagnostics diagnostics;
  const auto file = sources.add("a.cnn", "relu\n");
  diagnostics.report({file, 5, 5}, messages::kUnexpected, "the end");
  EXPECT_EQ(render(diagnostics, sources), "error: unexpected the end\n  --> a.cnn:2:1\n 2 | \n   | ^\n");
}

}  // namespace
}  // namespace cnnc
