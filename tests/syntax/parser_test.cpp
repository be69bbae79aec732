// Trees of every construct, whole; precedence, literals, and positions.
#include <gtest/gtest.h>

#include "parsed.hpp"

namespace cnnc::syntax {
namespace {

// The text of a value's tree.
std::string value(const std::string& expression) {
  const std::string whole = tree("cnn 1\nlet v = " + expression + "\n"), prefix = "cnn 1\n  let v = ";
  return whole.starts_with(prefix) ? whole.substr(prefix.size(), whole.size() - prefix.size() - 1) : whole;
}

TEST(Parser, Precedence) {
  EXPECT_EQ(value("1 + 2 * 3"), "(1 + (2 * 3))");
  EXPECT_EQ(value("1 * 2 + 3"), "((1 * 2) + 3)");
  EXPECT_EQ(value("(1 + 2) * 3"), "((1 + 2) * 3)");
  EXPECT_EQ(value("2 ** 3 ** 4"), "(2 ** (3 ** 4))");
  EXPECT_EQ(value("64 * 2 ** i"), "(64 * (2 ** i))");
  EXPECT_EQ(value("-2 ** 2"), "(-(2 ** 2))");
  EXPECT_EQ(value("2 ** -1"), "(2 ** (-1))");
  EXPECT_EQ(value("- -3"), "(-(-3))");
  EXPECT_EQ(value("1 - 2 - 3"), "((1 - 2) - 3)");
  EXPECT_EQ(value("8 / 4 // 2 % 3"), "(((8 / 4) // 2) % 3)");
  EXPECT_EQ(value("1 + 2 < 3 * 4"), "((1 + 2) < (3 * 4))");
  EXPECT_EQ(value("not a == b"), "(not (a == b))");
  EXPECT_EQ(value("not a and not b or c"), "(((not a) and (not b)) or c)");
  EXPECT_EQ(value("a or b and c"), "(a or (b and c))");
  EXPECT_EQ(value("a in b and c"), "((a in b) and c)");
  EXPECT_EQ(value("i > 0 and j == 0 ? 2 : 1"), "(((i > 0) and (j == 0)) ? 2 : 1)");
  EXPECT_EQ(value("a ? b : c ? d : e"), "(a ? b : (c ? d : e))");
  EXPECT_EQ(value("a ? b ? 1 : 2 : 3"), "(a ? (b ? 1 : 2) : 3)");
  EXPECT_EQ(value("-r[0].x + f(1)[2]"), "((-r[0].x) + f(1)[2])");
}

TEST(Parser, Values) {
  EXPECT_EQ(value("9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(value("007"), "7");
  EXPECT_EQ(value("1.5"), "1.5");
  EXPECT_EQ(value("1e-4"), "0.0001");
  EXPECT_EQ(value("2.5E+3"), "2500");
  EXPECT_EQ(value("1e-999"), "0");
  EXPECT_EQ(value("1.7976931348623157e308"), "1.7976931348623157e+308");
  EXPECT_EQ(value("3x224x224"), "3x224x224");
  EXPECT_EQ(value("0x3"), "0x3");
  EXPECT_EQ(value("\"a \\\"b\\\" \\\\ {i}\""), "\"a \"b\" \\ {i}\"");
  EXPECT_EQ(value("true"), "true");
  EXPECT_EQ(value("identity"), "identity");
  EXPECT_EQ(value("input.channels"), "input.channels");
  EXPECT_EQ(value("[]"), "[]");
  EXPECT_EQ(value("[1, [2, 3,],]"), "[1, [2, 3]]");
  EXPECT_EQ(value("f(1, k=2, g(),)"), "f(1, k=2, g())");
  EXPECT_EQ(value("a[1]"), "a[1]");
  EXPECT_EQ(value("a[1:]"), "a[1:]");
  EXPECT_EQ(value("a[:n - 1]"), "a[:(n - 1)]");
  EXPECT_EQ(value("a[:]"), "a[:]");
}

TEST(Parser, ValuesOutOfRange) {
  EXPECT_EQ(value("9223372036854775808"),
            "error: the number 9223372036854775808 is out of range\n  --> spec.cnn:2:9\n"
            " 2 | let v = 9223372036854775808\n   |         ^^^^^^^^^^^^^^^^^^^\n   help: whole numbers have "
            "64 bits\n");
  EXPECT_EQ(value("1e999"),
            "error: the number 1e999 is out of range\n  --> spec.cnn:2:9\n 2 | let v = 1e999\n"
            "   |         ^^^^^\n   help: numbers are IEEE doubles\n");
}

TEST(Parser, Items) {
  EXPECT_EQ(
      tree("cnn 1 import A, all from \"a.cnn\" let n = 3 block B(x, y = 2,) { relu } model M = B(1).head "
           "recipe R { } train M, N(2) on D using R(k=3) train M on D"),
      R"(cnn 1
  import A, all from "a.cnn"
  let n = 3
  block B(x, y = 2)
    relu
  model M = B(1).head
  recipe R
  train M, N(2) on D using R(k=3)
  train M on D
)");
}

TEST(Parser, Bodies) {
  EXPECT_EQ(tree(R"(cnn 1
model M {
  input picture 3x32x32
  input [3, n]
  let w = 2
  require w > 1 "text"
  require w
  aux side(weight=0.3) { relu }
  if a { b } else if c { d } else { e }
  conv(3) -> bn -> { relu tanh }
  x = { y }
  "dense{i + 1}" = repeat n { z }
  train = for i, j in rows { r }
  add(scale=2) { | identity | from a.b[1] -> c d | { e } }
  M.features(1).x
}
)"),
            R"(cnn 1
  model M
    input picture 3x32x32
    input [3, n]
    let w = 2
    require (w > 1) "text"
    require w
    aux side(weight=0.3)
      relu
    if a
      b
    else
      if c
        d
      else
        e
    conv(3)
    bn
    sequence
      relu
      tanh
    x =
      sequence
        y
    "dense{(i + 1)}" =
      repeat n
        z
    train =
      for i, j in rows
        r
    add(scale=2)
      |
        identity
      |
        from a.b[1]
        c
        d
      |
        sequence
          e
    M.features(1).x
)");
}

TEST(Parser, Edits) {
  EXPECT_EQ(
      tree("cnn 1 model B extends A(n = 3) { replace a.b with { c } remove a.*.d* insert before **.e { f } "
           "insert after g[1:2] { } set h i=1 j=k + 2 }"),
      R"(cnn 1
  model B extends A(n=3)
    replace a.b
      c
    remove a.*.d*
    insert before **.e
      f
    insert after g[1:2]
    set h i=1 j=(k + 2)
)");
}

TEST(Parser, Settings) {
  EXPECT_EQ(tree(R"(cnn 1
data D { source = folder("x", val=0.1) prepare { resize(3x3) -> rgb } augment { hflip } }
train M on D {
  first = 1
  freeze all layers, first 3 conv layers of a.b except bn layers
  unfreeze last n + 1 weighted layers, backbone.dense4[11:], add layers
  group bn layers { weight_decay = 0 }
  init a.b from "w" (match=order)
  init c from "v"
  phase one { epochs = 3 checkpoint("x") }
  early_stop(val_loss)
}
)"),
            R"(cnn 1
  data D
    source = folder("x", val=0.1)
    prepare
      resize(3x3)
      rgb
    augment
      hflip
  train M on D
    first = 1
    freeze all layers, first 3 conv layers of a.b except all bn layers
    unfreeze last (n + 1) weighted layers, backbone.dense4[11:], all add layers
    group all bn layers
      weight_decay = 0
    init a.b from "w"(match=order)
    init c from "v"
    phase one
      epochs = 3
      checkpoint("x")
    early_stop(val_loss)
)");
}

// Columns count code points; a line ends with LF, CRLF or CR.
TEST(Parser, Positions) {
  const std::string help = "   help: whole numbers have 64 bits\n", wrong = "99999999999999999999";
  const std::string caret = std::string(20, '^') + "\n";
  EXPECT_EQ(tree("cnn 1\r\nlet t = \"\xC3\xA9\xE4\xBD\xA0\" let v = " + wrong + "\r\n"),
            "error: the number " + wrong +
                " is out of range\n  --> spec.cnn:2:22\n 2 | let t = \"\xC3\xA9\xE4\xBD\xA0\" let v = " +
                wrong + "\n   |                       " + caret + help);
  EXPECT_EQ(tree("\xEF\xBB\xBF"
                 "cnn 1\n\nlet v = " +
                 wrong),
            "error: the number " + wrong + " is out of range\n  --> spec.cnn:3:9\n 3 | let v = " + wrong +
                "\n   |         " + caret + help);
}

}  // namespace
}  // namespace cnnc::syntax
