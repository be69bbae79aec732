// Texts that nobody should write: whatever comes in, a tree or an error comes out, in bounded time, and
// nothing crashes.
#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "parsed.hpp"

namespace cnnc::syntax {
namespace {

// A tree without an error or no tree with one; what is formatted keeps its tree.
void is_answered(const std::string& text) {
  const Parsed parsed(text);
  ASSERT_EQ(parsed.file.has_value(), !parsed.diagnostics.failed()) << text.substr(0, 2000);
  EXPECT_LE(parsed.diagnostics.all().size(), 100u) << text.substr(0, 2000);
  (void)parsed.messages();
  if (parsed.file) {
    EXPECT_EQ(tree(formatted(text)), dump(*parsed.file)) << text.substr(0, 2000);
  }
}

std::string repeated(const std::string& part, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += part;
  return text;
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

TEST(Hostile, TenMegabytesAreRefused) {
  EXPECT_EQ(tree("cnn 1\n" + repeated("# comment\n", 1 << 20)),
            "error: spec.cnn has 10 MiB; a spec may have 1\n");
}

TEST(Hostile, NestingOfEveryKind) {
  constexpr std::size_t kDeep = 60000;
  const std::string opens[] = {"(", "[", "f(", "a[", "-", "not ", "1 + (", "{"};
  for (const std::string& open : opens) {
    const std::string text = "cnn 1\nlet a = " + repeated(open, kDeep);
    EXPECT_EQ(first_line(tree(text)), "error: nested deeper than 256 levels") << open;
  }
  const std::string bodies[] = {"{ ",          "a = { ",  "add { | ",    "repeat 2 { ",
                                "for x in y{", "if a { ", "if a{}else ", "aux a { "};
  for (const std::string& body : bodies) {
    const std::string text = "cnn 1\nmodel M { " + repeated(body, kDeep);
    EXPECT_EQ(first_line(tree(text)), "error: nested deeper than 256 levels") << body;
  }
  EXPECT_EQ(first_line(tree("cnn 1\ntrain A on B { " + repeated("phase a { ", kDeep))),
            "error: nested deeper than 256 levels");
  EXPECT_EQ(first_line(tree("cnn 1\nlet a = 1" + repeated(" ? 2 : 3", kDeep))),
            "error: nested deeper than 256 levels");
  EXPECT_EQ(first_line(tree("cnn 1\nlet a = b" + repeated(".c", kDeep))),
            "error: nested deeper than 256 levels");
}

// The limit counts each bracket once.
TEST(Hostile, TheLimitOfNesting) {
  const auto nested = [](int depth) {
    return "cnn 1\nlet a = " + repeated("(", depth) + "1" + repeated(")", depth) + "\n";
  };
  EXPECT_EQ(tree(nested(256)), "cnn 1\n  let a = 1\n");
  EXPECT_EQ(first_line(tree(nested(257))), "error: nested deeper than 256 levels");
  const auto bodies = [](int depth) {
    return "cnn 1\nmodel M " + repeated("{ ", depth) + repeated("}", depth) + "\n";
  };
  EXPECT_TRUE(tree(bodies(256)).starts_with("cnn 1\n  model M\n    sequence\n"));
  EXPECT_EQ(first_line(tree(bodies(257))), "error: nested deeper than 256 levels");
}

TEST(Hostile, NestingWithinATextCountsToo) {
  const std::string text = "cnn 1\nmodel M { \"a{" + repeated("(", 100000) + "}\" = relu }\n";
  EXPECT_EQ(first_line(tree(text)), "error: nested deeper than 256 levels");
}

TEST(Hostile, BytesThatAreNoText) {
  EXPECT_EQ(first_line(tree(std::string("cnn 1\nlet a = 1\0", 16))),
            "error: byte 0x00 is not valid in UTF-8 text");
  EXPECT_EQ(first_line(tree("cnn 1\n# \xC3\x28\n")), "error: byte 0xc3 is not valid in UTF-8 text");
  EXPECT_EQ(first_line(tree("cnn 1\n# \xED\xA0\x80\n")), "error: byte 0xed is not valid in UTF-8 text");
  EXPECT_EQ(first_line(tree("cnn 1\n# \xF5\x80\x80\x80\n")), "error: byte 0xf5 is not valid in UTF-8 text");
  EXPECT_EQ(first_line(tree("\xFF\xFE"
                            "c\0n\0")),
            "error: byte 0xff is not valid in UTF-8 text");
}

TEST(Hostile, NextToNothing) {
  EXPECT_EQ(tree(""),
            "error: the file does not begin with its edition\n  --> spec.cnn:1:1\n 1 | \n   | ^\n   help: "
            "write 'cnn 1' above everything else\n");
  for (const char* text : {"\xEF\xBB\xBF", "\n", "\r", "# only a comment", "   ", "{", "\"", "1", "cnn"}) {
    const Parsed parsed{text};
    EXPECT_FALSE(parsed.file) << text;
    EXPECT_EQ(parsed.diagnostics.errors(), 1) << text << parsed.messages();
  }
  EXPECT_EQ(tree("cnn 1"), "cnn 1\n");
  EXPECT_EQ(tree("\xEF\xBB\xBF"
                 "cnn 1\r\n"),
            "cnn 1\n");
}

class HostileLength : public testing::TestWithParam<const char*> {};

// A quarter of a MiB of one thing: a hundred thousand tokens, each of which may be a mistake. What is
// quadratic shows.
TEST_P(HostileLength, IsAnsweredInTime) {
  const std::string part = GetParam();
  const auto begin = std::chrono::steady_clock::now();
  const Parsed parsed("cnn 1\nmodel M {\n" + repeated(part, (1 << 18) / part.size()) + "\n}\n");
  EXPECT_EQ(parsed.file.has_value(), !parsed.diagnostics.failed());
  EXPECT_LE(parsed.diagnostics.all().size(), 100u);
  (void)parsed.messages();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

INSTANTIATE_TEST_SUITE_P(Of, HostileLength,
                         testing::Values("a ", ")", "}\n", "; ", "'", "\"\n", "1x ", "a -> ", "// ", "a // ",
                                         "=> ", "| ", "3 \n", ".5 ", "] (", "a(1, 2)\n", "a = (\n",
                                         "} model M {\n", "\xE2\x80\x9C"));

// Words and marks of the language in any order, most of them wrong.
TEST(Hostile, TokenSoup) {
  static const char* const kTokens[] = {
      "cnn 1",    "import",  "let",    "block",  "model",    "data",    "recipe", "train",    "on",
      "using",    "{",       "}",      "{",      "}",        "(",       ")",      "[",        "]",
      "|",        "->",      ",",      "=",      ".",        ":",       "?",      "*",        "**",
      "/",        "//",      "-",      "+",      "%",        "==",      "<",      "in",       "and",
      "or",       "not",     "if",     "else",   "for",      "repeat",  "from",   "identity", "input",
      "aux",      "require", "add",    "concat", "mul",      "true",    "freeze", "group",    "init",
      "phase",    "prepare", "all",    "last",   "layers",   "of",      "except", "weighted", "replace",
      "with",     "remove",  "insert", "before", "set",      "extends", "a",      "b",        "Net",
      "conv",     "3",       "2.5",    "3x3",    "\"text\"", "\n",      "\n",     "\n",       "# comment\n",
      ";",        "'",       "\"",     "=>",     "/*",       "*/",      "@",      ".5",       "1_000",
      "\xC3\xA9", "\t",      "\r\n"};
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string text = "cnn 1\n";
    if (round % 2 == 0) text += "model M {\n";
    if (round % 4 == 1) text += "train A on B {\n";
    for (unsigned count = random() % 60; count > 0; --count) {
      text += kTokens[random() % std::size(kTokens)];
      if (random() % 8 != 0) text += ' ';
    }
    if (round % 3 == 0) text += "\n}\n";
    is_answered(text);
    if (HasFatalFailure()) return;
  }
}

// Specs with a token taken out, doubled, or put in another's place: near to what people get wrong.
TEST(Hostile, SpecsWithOneMistake) {
  std::mt19937 random(2);
  const auto specs = specs_in(SPECS);
  static const char* const kWrong[] = {"",   ";", "{",  "}", "(", ")", "[", "]",  "=",  ",",
                                       "->", "|", "\"", "'", ":", "x", "3", "in", "\n", "model"};
  for (int round = 0; round < 600; ++round) {
    std::string text = read_file(specs[round % specs.size()]);
    const std::size_t at = 6 + random() % (text.size() - 6);
    text.replace(at, random() % 3, kWrong[random() % std::size(kWrong)]);
    is_answered(text);
    if (HasFatalFailure()) return;
  }
}

TEST(Hostile, RandomBytes) {
  std::mt19937 random(3);
  for (int round = 0; round < 1500; ++round) {
    std::string text = round % 3 == 0 ? "" : "cnn 1\n";
    const bool ascii = round % 2 == 0;
    for (unsigned count = random() % 200; count > 0; --count)
      text += static_cast<char>(ascii ? 9 + random() % 118 : random() % 256);
    is_answered(text);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace cnnc::syntax
