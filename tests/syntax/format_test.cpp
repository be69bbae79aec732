// The canonical form, whole strings: what the writer wrote and what becomes of it.
#include <gtest/gtest.h>

#include "parsed.hpp"

namespace cnnc::syntax {
namespace {

// Formats, and holds the result against a second run.
std::string canonical(const std::string& text) {
  const std::string once = formatted(text);
  EXPECT_EQ(formatted(once), once);
  return once;
}

// A model's body in canonical form.
std::string body(const std::string& statements) {
  const std::string whole = canonical("cnn 1\nmodel M {\n" + statements + "\n}\n"),
                    head = "cnn 1\n\nmodel M {\n", end = "}\n";
  EXPECT_TRUE(whole.starts_with(head) && whole.ends_with(end)) << whole;
  return whole.substr(head.size(), whole.size() - head.size() - end.size());
}

TEST(Format, Blanks) {
  EXPECT_EQ(body("conv( 64,3 , stride= 2 )->bn\t->relu"), "  conv(64, 3, stride=2) -> bn -> relu\n");
  EXPECT_EQ(body("x=dense( -1*( a+b ) , k//2, r [ 0 ][ 1 : n-1 ], a . b )"),
            "  x = dense(-1 * (a + b), k // 2, r[0][1:n - 1], a.b)\n");
  EXPECT_EQ(body("\"stage{ i }\"=relu"), "  \"stage{ i }\" = relu\n");
  EXPECT_EQ(body("f(stride = i>0 and j==0?2:1, pad = k//2, bias = not b, c = -1, d=a==b)"),
            "  f(stride = i > 0 and j == 0 ? 2 : 1, pad=k // 2, bias = not b, c=-1, d = a == b)\n");
  EXPECT_EQ(body("input 3x32x32 input[3,n]"), "  input 3x32x32\n  input [3, n]\n");
}

TEST(Format, Items) {
  EXPECT_EQ(
      canonical(
          "cnn 1 import A,B from\"a\" import C from \"c\" let n=1 let m=2 block B(a,b=2){relu} model X=B(k = "
          "1) model Y=B() "
          "model Z(n=2) extends X(k=1){remove a . b set a . * c = 1 d = e==f} train X,Y on D using R(k = 1)"),
      R"(cnn 1

import A, B from "a"
import C from "c"

let n = 1
let m = 2

block B(a, b = 2) { relu }

model X = B(k=1)
model Y = B()

model Z(n = 2) extends X(k = 1) {
  remove a.b
  set a.* c=1 d = e == f
}

train X, Y on D using R(k=1)
)");
}

TEST(Format, BracesStayOnOneLineWhereTheyWere) {
  EXPECT_EQ(body("a={relu->bn}"), "  a = { relu -> bn }\n");
  EXPECT_EQ(body("a={\nrelu->bn}"), "  a = {\n    relu -> bn\n  }\n");
  EXPECT_EQ(body("a={relu bn}"), "  a = {\n    relu\n    bn\n  }\n");
  EXPECT_EQ(body("a={  }\nb={\n}"), "  a = {}\n  b = {}\n");
  EXPECT_EQ(body("for i,x in xs{ repeat 2{ relu } }"), "  for i, x in xs { repeat 2 { relu } }\n");
  EXPECT_EQ(body("if a{relu}else if b{bn}else{tanh}"), "  if a { relu } else if b { bn } else { tanh }\n");
  EXPECT_EQ(body("if a{relu}else{\nbn}"), "  if a {\n    relu\n  } else {\n    bn\n  }\n");
  EXPECT_EQ(body("a={conv(64, 3, weights=he_normal, bias_init=zeros)->conv(64, 3, weights=he_normal, "
                 "bias_init=zeros)->bn->relu6}"),
            "  a = {\n    conv(64, 3, weights=he_normal, bias_init=zeros) -> conv(64, 3, weights=he_normal, "
            "bias_init=zeros) -> bn\n"
            "      -> relu6\n  }\n");
}

TEST(Format, Branches) {
  EXPECT_EQ(body("add{|identity|conv(3)->bn relu|down={gap}}->relu"),
            "  add {\n    | identity\n    | conv(3) -> bn\n      relu\n    | down = { gap }\n  } -> relu\n");
  EXPECT_EQ(body("x=mul(scale=2){|from a . b[ 0 ]->add{|a|b}\n|{a b}}"),
            "  x = mul(scale=2) {\n    | from a.b[0] -> add {\n        | a\n        | b\n      }\n    | {\n  "
            "      a\n        b\n      }\n  }\n");
}

TEST(Format, Lists) {
  EXPECT_EQ(body("let a=[1,\n2]"), "  let a = [1, 2]\n");
  EXPECT_EQ(body("let a=[\n1,2,\n3]"), "  let a = [\n    1, 2,\n    3,\n  ]\n");
  EXPECT_EQ(body("let a=[[1,2,],]"), "  let a = [[1, 2]]\n");
  EXPECT_EQ(body("conv(\n64,3,pad=1)->bn"), "  conv(\n    64,\n    3,\n    pad=1,\n  ) -> bn\n");
  EXPECT_EQ(body("conv(64,\n3,\npad=1,)->bn"), "  conv(64, 3, pad=1) -> bn\n");
  EXPECT_EQ(body("f([\n1])"), "  f(\n    [\n      1,\n    ],\n  )\n");
}

TEST(Format, LongLines) {
  const std::string name(50, 'n'), shorter(45, 's');
  EXPECT_EQ(body("conv(" + name + "," + name + ",stride=2)"),
            "  conv(\n    " + name + ",\n    " + name + ",\n    stride=2,\n  )\n");
  EXPECT_EQ(body("require " + shorter + " and " + shorter + " and a \"text\""),
            "  require " + shorter + " and " + shorter + "\n    and a \"text\"\n");
  EXPECT_EQ(canonical("cnn 1 train M on D { freeze " + shorter + ", " + shorter + ", x except y }"),
            "cnn 1\n\ntrain M on D {\n  freeze " + shorter + ", " + shorter + ",\n    x except y\n}\n");
  // A list that the writer has on one line stays there.
  EXPECT_EQ(body("let a=[" + name + "," + name + "," + name + "]"),
            "  let a = [" + name + ", " + name + ", " + name + "]\n");
  EXPECT_EQ(body("let a=[" + name + ",\n" + name + ",\n" + name + "]"),
            "  let a = [\n    " + name + ",\n    " + name + ",\n    " + name + ",\n  ]\n");
}

TEST(Format, BlankLines) {
  EXPECT_EQ(body("\n\nrelu\n\n\n\nbn\ntanh\n\n"), "  relu\n\n  bn\n  tanh\n");
  EXPECT_EQ(canonical("\n\ncnn 1\nlet a = 1\n\n\nlet b = 2\nlet c = 3\nmodel M = N\n\n\n"),
            "cnn 1\n\nlet a = 1\n\nlet b = 2\nlet c = 3\n\nmodel M = N\n");
}

TEST(Format, Settings) {
  EXPECT_EQ(canonical("cnn 1 data D{source=idx(\"x\",val=0.1)prepare{resize(3x3)->rgb}} train M on D{lr=1e-4 "
                      "group bn layers{weight_decay=0} "
                      "init a . b from\"w\"(match=order)\n\nphase one{epochs=3 freeze all   layers except "
                      "head}\ncheckpoint(\"x\")}"),
            R"(cnn 1

data D {
  source = idx("x", val=0.1)
  prepare { resize(3x3) -> rgb }
}

train M on D {
  lr = 1e-4
  group bn layers { weight_decay = 0 }
  init a.b from "w" (match=order)

  phase one {
    epochs = 3
    freeze all layers except head
  }
  checkpoint("x")
}
)");
}

TEST(Format, CommentsKeepTheirPlaces) {
  EXPECT_EQ(canonical(R"(# above
cnn 1 # edition
# about A
import A from "a"# behind A


# about M


# more
model M(a, # first
  b=2){ # open
    # before
  relu # trailing

  # own line
  bn
  # last
}# behind M
# end)"),
            R"(# above
cnn 1   # edition

# about A
import A from "a"   # behind A

# about M

# more
model M(
  a,   # first
  b = 2,
) {   # open
  # before
  relu   # trailing

  # own line
  bn
  # last
}   # behind M
# end
)");
}

TEST(Format, CommentsInsideStatements) {
  EXPECT_EQ(
      body("add { # both\n| identity # skip\n# second\n| # now\nconv(3)\n# then\nbn # done\n# close\n}"),
      "  add {   # both\n    | identity   # skip\n    # second\n    |   # now\n      conv(3)\n      # then\n "
      "     bn   # done\n"
      "    # close\n  }\n");
  EXPECT_EQ(body("a -> # why\nb"), "  a ->   # why\n    b\n");
  EXPECT_EQ(body("let x = [1, # one\n2 # two\n, 3]"),
            "  let x = [\n    1,   # one\n    2,   # two\n    3,\n  ]\n");
  EXPECT_EQ(body("a = # why\n{ b }"), "  a = {   # why\n    b\n  }\n");
  EXPECT_EQ(body("if a { b } # no\nelse { c }"), "  if a {\n    b\n  }   # no\n  else {\n    c\n  }\n");
  EXPECT_EQ(body("a = {\n# nothing\n}"), "  a = {\n    # nothing\n  }\n");
}

TEST(Format, LineEnds) {
  EXPECT_EQ(formatted("cnn 1\r\n\r\nlet a = 1   \r\n\r\n\r\n# x \t\r\nlet b = 2"),
            "cnn 1\n\nlet a = 1\n\n# x\nlet b = 2\n");
  EXPECT_EQ(formatted("cnn 1\rlet a = 1\r"), "cnn 1\n\nlet a = 1\n");
  EXPECT_EQ(formatted("\xEF\xBB\xBF"
                      "cnn 1\n"),
            "cnn 1\n");
}

TEST(Format, SpellingOfLiteralsStays) {
  EXPECT_EQ(body("f(1.50, 1E-04, 007, 03x3, \"a\\\\ # b\")"), "  f(1.50, 1E-04, 007, 03x3, \"a\\\\ # b\")\n");
}

TEST(Format, ErrorsAreReportedAndNothingIsFormatted) {
  EXPECT_EQ(formatted("cnn 1\nlet a 3\n"),
            "error: expected '=', found '3'\n  --> spec.cnn:2:7\n 2 | let a 3\n   |       ^\n");
  EXPECT_TRUE(formatted("cnn 1\nlet a = 99999999999999999999\n").starts_with("error: the number"));
}

}  // namespace
}  // namespace cnnc::syntax
