// Paths: only written names make components; unnamed layers are numbered by type in the nearest named scope.
#include <gtest/gtest.h>

#include "analyzed.hpp"

namespace cnnc {
namespace {

std::string paths(const std::string& body) {
  const Analyzed analyzed("model Net { input image 3x32x32 " + body + " }");
  EXPECT_EQ(analyzed.messages(), "");
  if (analyzed.programs.size() != 1) return "no program";
  std::string text;
  append_paths(analyzed.programs.front().model.body, text);
  return text;
}

TEST(Naming, UnnamedLayersAreNumberedByType) {
  EXPECT_EQ(paths("conv(8, 3) -> bn -> relu -> conv(8, 3) -> bn"), "conv1 bn1 relu1 conv2 bn2");
}

TEST(Naming, NamesAreComponentsAndBeginNewNumbers) {
  EXPECT_EQ(paths("stem = conv(8, 3) conv(8, 3) features = { conv(8, 3) conv(8, 3) } conv(8, 3)"),
            "stem conv1 features.conv1 features.conv2 conv2");
}

TEST(Naming, ANameBeforeAChainIsASection) {
  EXPECT_EQ(paths("unit = conv(8, 3) -> bn -> relu"), "unit.conv1 unit.bn1 unit.relu1");
}

TEST(Naming, BracesAndLoopsWithoutNamesAddNothing) {
  EXPECT_EQ(paths("{ conv(8, 3) { relu } } repeat 2 { conv(8, 3) } for w in [4, 2] { conv(w, 3) }"),
            "conv1 relu1 conv2 conv3 conv4 conv5");
}

TEST(Naming, ANamedLoopAddsItsIndex) {
  EXPECT_EQ(paths("stage = repeat 2 { conv(8, 3) -> relu } x = for i, w in [4, 2] { c = conv(w + i, 3) }"),
            "stage[0].conv1 stage[0].relu1 stage[1].conv1 stage[1].relu1 x[0].c x[1].c");
}

TEST(Naming, MergesAreNumberedAsTheyAreRead) {
  EXPECT_EQ(
      paths("add { | conv(3, 1) -> add { | relu | identity } | identity } add { | identity | identity }"),
      "conv1 relu1 add2 add1 add3");
}

TEST(Naming, ANamedMergeHoldsItsBranches) {
  EXPECT_EQ(paths("join = concat { | conv(3, 1) | side = conv(4, 1) }"), "join.conv1 join.side join");
}

TEST(Naming, NumbersStepOverWrittenNames) {
  EXPECT_EQ(paths("conv1 = conv(8, 3) conv(8, 3)"), "conv1 conv2");
}

TEST(Naming, WordsOfTheLanguageMayNameLayers) {
  EXPECT_EQ(paths("data = conv(8, 3) last = relu \"quoted\" = tanh"), "data last quoted");
}

std::string model(const std::string& body) {
  const Analyzed analyzed("model Net { input image 3x32x32 " + body + " }");
  return analyzed.programs.size() == 1 ? sema::dump(analyzed.programs.front()) : analyzed.messages();
}

TEST(Taps, FindLayersSectionsAndTheInputFromTheInsideOut) {
  EXPECT_EQ(model("a = { b = relu concat { | from b | from image } }\n"
                  "concat { | from a -> gap | from a.b -> gap | gap }"),
            "# program net\n"
            "model Net {\n"
            "  input image 3x32x32\n"
            "  a.b = relu() -> 3x32x32\n"
            "  a.concat1 = concat() -> 6x32x32 {\n"
            "    |\n"
            "      from a.b\n"
            "    |\n"
            "      from image\n"
            "  }\n"
            "  # end of a\n"
            "  concat1 = concat() -> 15 {\n"
            "    |\n"
            "      from a\n"
            "      gap1 = gap() -> 6\n"
            "    |\n"
            "      from a.b\n"
            "      gap2 = gap() -> 3\n"
            "    |\n"
            "      gap3 = gap() -> 6\n"
            "  }\n"
            "  # output 15\n"
            "}\n");
}

TEST(Taps, FindRoundsOfLoops) {
  const Analyzed analyzed(
      "model Net { input 3x32x32 s = repeat 3 { relu } let i = 1 add { | from s[i] | from s } }");
  EXPECT_EQ(analyzed.messages(), "");
  const auto& merge = std::get<sema::Merge>(analyzed.programs.at(0).model.body.back().form);
  EXPECT_EQ(std::get<sema::Tap>(merge.arms.at(0).at(0).form).path, "s[1]");
  EXPECT_EQ(std::get<sema::Tap>(merge.arms.at(1).at(0).form).path, "s");
}

}  // namespace
}  // namespace cnnc
