// The formatter's promises on every spec there is and on thousands of disfigured ones: the same tree, every
// comment kept, and a second run that changes nothing. The disfiguring is deterministic.
#include <gtest/gtest.h>

#include <random>

#include "parsed.hpp"

namespace cnnc::syntax {
namespace {

namespace fs = std::filesystem;

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
}

struct Token {
  std::string text;
  bool blank = false;  // blanks or line ends
  bool comment = false;
};

// A lexer of its own, so that the formatter's is not its own judge: runs of blanks, comments, texts, words,
// and marks.
std::vector<Token> split(const std::string& text) {
  static const std::string kLong[] = {"->", "**", "//", "==", "!=", "<=", ">="};
  std::vector<Token> tokens;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    const auto while_any = [&](const char* set) {
      end = std::min(text.find_first_not_of(set, i), text.size());
    };
    const auto until_any = [&](const char* set) { end = std::min(text.find_first_of(set, i), text.size()); };
    const bool blank = std::string(" \t\r\n").find(text[i]) != std::string::npos;
    const bool word = std::isalnum(static_cast<unsigned char>(text[i])) || text[i] == '_';
    if (blank)
      while_any(" \t\r\n");
    else if (text[i] == '#')
      until_any("\r\n");
    else if (text[i] == '"') {
      while (text[end] != '"') end += text[end] == '\\' ? 2 : 1;
      ++end;
    } else if (word) {
      const auto more = [&] { return end < text.size() && is_word(text[end]); };
      while (more()) ++end;
      if (std::isdigit(static_cast<unsigned char>(text[i])) && end < text.size()) {
        if (text[end] == '.') ++end;
        while (more()) ++end;
        if (text[end - 1] == 'e' && text[end] == '-') ++end;
        while (more()) ++end;
      }
    } else {
      for (const std::string& mark : kLong) {
        if (text.compare(i, 2, mark) == 0) end = i + 2;
      }
    }
    tokens.push_back({text.substr(i, end - i), blank, text[i] == '#'});
    i = end;
  }
  return tokens;
}

// Whether two tokens stay two without a blank between them.
bool stay_apart(const std::string& a, const std::string& b) {
  if (is_word(a.back()) && is_word(b.front())) return false;
  if (std::isdigit(static_cast<unsigned char>(a.back())) && b.front() == '.') return false;
  static const std::string kMarks = "-*/=!<>";
  return kMarks.find(a.back()) == std::string::npos || kMarks.find(b.front()) == std::string::npos;
}

std::vector<std::string> comments_in(const std::string& text) {
  std::vector<std::string> found;
  for (Token& token : split(text)) {
    if (!token.comment) continue;
    token.text.erase(token.text.find_last_not_of(" \t") + 1);
    found.push_back(token.text);
  }
  return found;
}

enum class Disfigure { kNoBlanks, kMoreBlanks, kNewlines, kComments, kAll, kOneNewlineEach };

std::string disfigured(const std::string& text, Disfigure how, unsigned seed) {
  std::mt19937 random(seed);
  const auto one_in = [&](unsigned n) { return random() % n == 0; };
  std::string result;
  const Token* before = nullptr;
  bool blanks = false;
  const auto tokens = split(text);
  int count = 0;
  for (const Token& token : tokens) {
    if (token.blank) {
      blanks = true;
      if (before != nullptr && before->comment) result += "\n";
      if (how != Disfigure::kNoBlanks && how != Disfigure::kAll)
        result += token.text;
      else if (one_in(3))
        result += token.text;
      continue;
    }
    const bool needed = before != nullptr && !before->comment && !stay_apart(before->text, token.text);
    if (needed && (result.empty() || is_word(result.back()) || stay_apart(token.text, " ")))
      result += blanks || needed ? " " : "";
    const bool everything = how == Disfigure::kAll;
    if ((how == Disfigure::kMoreBlanks || everything) && one_in(3)) result += one_in(2) ? "   " : "\t";
    if ((how == Disfigure::kNewlines || everything) && one_in(4))
      result += one_in(3) ? "\n\n\n" : one_in(2) ? "\r\n" : "\n";
    if (how == Disfigure::kOneNewlineEach) result += "\n";
    if ((how == Disfigure::kComments || everything) && one_in(6)) {
      result += (one_in(2) ? "# remark " : "\n  # remark ") + std::to_string(++count) + "\n";
    }
    result += token.text;
    before = &token;
    blanks = false;
  }
  return result;
}

void keeps_its_promises(const std::string& text, const std::string& what) {
  const std::string before = tree(text);
  ASSERT_TRUE(before.starts_with("cnn 1\n")) << what << "\n" << before << text;
  const std::string once = formatted(text);
  EXPECT_EQ(tree(once), before) << what << "\n" << text;
  EXPECT_EQ(comments_in(once), comments_in(text)) << what << "\n" << text;
  EXPECT_EQ(formatted(once), once) << what << "\n" << text;
  EXPECT_EQ(once.find_first_of("\r\t"), std::string::npos) << what;
  EXPECT_EQ(once.find(" \n"), std::string::npos) << what << "\n" << once;
  EXPECT_EQ(once.find("\n\n\n"), std::string::npos) << what << "\n" << once;
  EXPECT_TRUE(once.ends_with("\n") && !once.ends_with("\n\n")) << what;
}

// Every form of the grammar; the specs alone use few of them.
const char* const kEveryForm = R"(cnn 1
import A, B from "other.cnn"
let n = -2 ** 2 + (3 - 1) * len([1, [2.5e-3, "a\"b"], 3x3]) // 4 % 5
let choice = not n > 3 and n in [1, 2] or n == 4 ? true : false
block Unit(out, stride = 1, act = relu) {
  require out > 0 "out must be positive, not {out}"
  conv(out, 3, stride=stride, pad=same, bias = stride == 1) -> bn -> act
  if stride != 1 { identity } else if out == 3 { relu } else { tanh }
}
model Net(width = 8) {
  input picture 3x32x32
  let w = width * 2
  "stage{n}" = for i, x in [1, 2] { Unit(x) }
  a = repeat n { A.features -> B(1).head }
  mul(scale=2) { | identity | from a -> gap
    flatten }
  aux side(weight=0.3) { gap -> dense(3) }
  unit = { Unit(input.channels[0]) }
  all = conv(rows[1:2][0], rows[:3], rows[1:])
}
model Twin = Net(width=9)
model Other extends Net(width = 3) {
  replace a.b[0].** with { gap }
  remove a.*.c
  insert before a*[1:2] { relu }
  insert after a { relu }
  set a.b rate=0.3 pad=1
}
data D { source = folder("x", val=0.1) prepare { resize(3x3) } augment { hflip } }
recipe R(k) { epochs = k init a.b from "w" (match=order) }
train Net, Other(2) on D using R(k=3) {
  freeze all layers, first 3 conv layers of a.b, bn layers except a[1:], last n + 1 weighted layers
  unfreeze add layers
  group a.** { lr = 1e-4 }
  checkpoint("x", monitor=val_loss)
  phase one { epochs = 3 }
}
)";

std::vector<std::pair<std::string, std::string>> texts() {
  std::vector<std::pair<std::string, std::string>> found{{"every form", kEveryForm}};
  for (const fs::path folder : {SPECS, EXAMPLES}) {
    for (const fs::path& path : specs_in(folder)) found.emplace_back(path.filename(), read_file(path));
  }
  return found;
}

TEST(FormatEverySpec, IsItsOwnCanonicalForm) {
  ASSERT_GE(specs_in(SPECS).size(), 4u);
  for (const fs::path& path : specs_in(SPECS)) EXPECT_EQ(formatted(read_file(path)), read_file(path)) << path;
}

TEST(FormatEverySpec, TheDesignsExamplesAreTheirOwnCanonicalForms) {
  const auto examples = specs_in(EXAMPLES);
  if (examples.empty()) GTEST_SKIP() << "the design's examples are not beside this checkout";
  EXPECT_GE(examples.size(), 10u);
  for (const fs::path& path : examples) EXPECT_EQ(formatted(read_file(path)), read_file(path)) << path;
}

class FormatDisfigured : public testing::TestWithParam<Disfigure> {};

TEST_P(FormatDisfigured, KeepsTreeAndCommentsAndIsIdempotent) {
  for (const auto& [name, text] : texts()) {
    for (unsigned seed = 0; seed < 12; ++seed) {
      keeps_its_promises(disfigured(text, GetParam(), seed), name + " seed " + std::to_string(seed));
      if (HasFatalFailure()) return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, FormatDisfigured,
                         testing::Values(Disfigure::kNoBlanks, Disfigure::kMoreBlanks, Disfigure::kNewlines,
                                         Disfigure::kComments, Disfigure::kAll, Disfigure::kOneNewlineEach));

// A comment at each boundary in its turn, on the line of what stands before it and on one of its own.
TEST(FormatDisfigured, ACommentAtAnyBoundary) {
  const auto tokens = split(kEveryForm);
  for (std::size_t place = 0; place <= tokens.size(); ++place) {
    const char* comment = place % 2 == 0 ? " # here\n" : place % 3 == 0 ? "\n\n# here\n\n" : "\n # here\n";
    std::string text;
    for (std::size_t i = 0; i < tokens.size(); ++i) text += (i == place ? comment : "") + tokens[i].text;
    if (place == tokens.size()) text += comment;
    keeps_its_promises(text, "comment before token " + std::to_string(place));
    if (HasFatalFailure()) return;
  }
}

// What stands on one line however long, and what breaks: widths around the limit, in every place.
TEST(FormatDisfigured, NamesOfAnyLength) {
  for (std::size_t length = 1; length < 120; length += 2) {
    std::string text = kEveryForm;
    for (const std::string name : {"width", "Net", "side", "stride", "features"}) {
      for (std::size_t at = text.find(name); at != std::string::npos;
           at = text.find(name, at + length + name.size())) {
        text.insert(at + name.size(), std::string(length, 'x'));
      }
    }
    keeps_its_promises(text, "names longer by " + std::to_string(length));
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace cnnc::syntax
