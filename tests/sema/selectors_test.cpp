// Which layers a phase freezes.
#include <gtest/gtest.h>

#include <chrono>

#include "analyzed.hpp"
#include "sema/render.hpp"

namespace cnnc {
namespace {

// The layers, in definition order:
//  0 features.conv1   1 features.bn1   2 features.stage[0].conv1   3 features.stage[0].bn1
//  4 features.stage[1].conv1   5 features.stage[1].bn1   6 features.stage[2].conv1   7 features.stage[2].bn1
//  8 features.add1 (after its branches)   9 head.gap1   10 head.dropout1   11 head.dense1   12 head.softmax1
const char kNet[] =
    "model Net {\n"
    "  input 1x28x28\n"
    "  features = {\n"
    "    conv(8, 3, pad=1) -> bn\n"
    "    add {\n"
    "      | stage = repeat 3 { conv(8, 3, pad=1) -> bn }\n"
    "      | identity\n"
    "    }\n"
    "  }\n"
    "  head = { gap -> dropout(0.5) -> dense(10) -> softmax }\n"
    "}\n"
    "data Images { source = idx(\"d\") classes = 10 batch = 32 }\n";

std::string frozen(const std::string& lines) {
  const Analyzed analyzed(std::string(kNet) + "train Net on Images { epochs = 1 optimizer = adam(lr=1e-3)\n" +
                          lines + "\n}");
  EXPECT_FALSE(analyzed.diagnostics.failed()) << lines << analyzed.messages();
  if (analyzed.programs.size() != 1) return "no program";
  std::string text;
  const std::vector<bool>& flags = analyzed.programs.front().training->phases.front().frozen;
  EXPECT_EQ(flags.size(), 13u);
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (flags[i]) text += (text.empty() ? "" : " ") + std::to_string(i);
  }
  return text;
}

TEST(Selectors, PathsMeanEverythingBelowThem) {
  EXPECT_EQ(frozen("freeze features"), "0 1 2 3 4 5 6 7 8");
  EXPECT_EQ(frozen("freeze features.stage"), "2 3 4 5 6 7");
  EXPECT_EQ(frozen("freeze features.conv1"), "0");
  EXPECT_EQ(frozen("freeze features.add1, head.dropout1"), "8 10");
}

TEST(Selectors, IndicesAndSlicesOfLoops) {
  EXPECT_EQ(frozen("freeze features.stage[1]"), "4 5");
  EXPECT_EQ(frozen("freeze features.stage[-1]"), "6 7");
  EXPECT_EQ(frozen("freeze features.stage[1:]"), "4 5 6 7");
  EXPECT_EQ(frozen("freeze features.stage[:-1].bn1"), "3 5");
  EXPECT_EQ(frozen("freeze features.stage[0:2]"), "2 3 4 5");
}

TEST(Selectors, Wildcards) {
  EXPECT_EQ(frozen("freeze *.conv1"), "0");
  EXPECT_EQ(frozen("freeze **.conv1"), "0 2 4 6");
  EXPECT_EQ(frozen("freeze features.*"), "0 1 2 3 4 5 6 7 8");
  EXPECT_EQ(frozen("freeze features.*.bn1"), "3 5 7");
  EXPECT_EQ(frozen("freeze head.d*"), "10 11");
  EXPECT_EQ(frozen("freeze **.b*"), "1 3 5 7");
}

// One way at a time, this one path alone would take years: 20 of 40 steps may be chosen in 10^11 ways.
TEST(Selectors, AnyDepthTakesNoLongerForBeingSaidOften) {
  std::string nested = "conv(2, 1)", any_depth = "**", names = "**.a";
  for (int i = 0; i < 20; ++i) nested = "a = { " + nested + " -> relu }";
  for (int i = 1; i < 20; ++i) any_depth += ".**";
  for (int i = 1; i < 10; ++i) names += ".**.a";
  const std::string net = "model Net { input 1x4x4 " + nested + " flatten -> dense(10) -> softmax }\n" +
                          "data Images { source = idx(\"d\") classes = 10 batch = 32 }\n";
  const auto ids = [&](const std::string& line) {
    return Analyzed(net + "train Net on Images { epochs = 1 optimizer = adam(lr=1e-3) " + line + " }").ids();
  };
  EXPECT_EQ(ids("freeze " + any_depth + ".conv1"), "");
  EXPECT_EQ(ids("freeze " + any_depth + ".conv7"), "matches-nothing");
  EXPECT_EQ(ids("freeze " + names + ".**.conv1"), "");
  EXPECT_EQ(ids("freeze " + names + ".**.conv7"), "matches-nothing");
}

// 60,000 layers: a search through all of them for each of them would take minutes.
TEST(Selectors, AMistakeIsExplainedQuicklyInALargeModel) {
  const auto begin = std::chrono::steady_clock::now();
  const Analyzed analyzed(
      "model Net { input 1x2x2 stage = repeat 20000 { conv(1, 1) -> relu -> bn } flatten -> dense(10) }\n"
      "data Images { source = idx(\"d\") classes = 10 batch = 32 }\n"
      "train Net on Images { epochs = 1 optimizer = adam(lr=1e-3) freeze stoge }");
  EXPECT_NE(analyzed.messages().find("did you mean stage? (the model has stage, flatten1, dense1)"), std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(15));
}

TEST(Selectors, FrozenLayersOfALargeModelAreNamedQuickly) {
  const auto begin = std::chrono::steady_clock::now();
  const Analyzed analyzed(
      "model Net { input 1x2x2 stage = repeat 20000 { conv(1, 1) -> relu -> bn } flatten -> dense(10) -> softmax }\n"
      "data Images { source = idx(\"d\") classes = 10 batch = 32 }\n"
      "train Net on Images { epochs = 1 optimizer = adam(lr=1e-3) freeze stage[19000:] }");
  ASSERT_EQ(analyzed.messages(), "");
  const sema::Program& program = analyzed.programs.at(0);
  const std::string paths = sema::covering_paths(program.training->phases.at(0).frozen, sema::layer_paths(program.model));
  EXPECT_TRUE(paths.starts_with("stage[19000], stage[19001], ")) << paths.substr(0, 60);
  EXPECT_TRUE(paths.ends_with(", stage[19999]"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(15));
}

TEST(Selectors, CountsAreInDefinitionOrderAndAMergeComesAfterItsBranches) {
  EXPECT_EQ(frozen("freeze first 3 layers"), "0 1 2");
  EXPECT_EQ(frozen("freeze last 2 layers of features"), "7 8");
  EXPECT_EQ(frozen("freeze first 2 conv layers"), "0 2");
  EXPECT_EQ(frozen("freeze last 3 weighted layers of features"), "5 6 7");
  EXPECT_EQ(frozen("freeze bn layers"), "1 3 5 7");
  EXPECT_EQ(frozen("freeze conv layers of features.stage"), "2 4 6");
  EXPECT_EQ(frozen("freeze all layers of head\nunfreeze head.dense1"), "9 10 12");
}

TEST(Selectors, UnionAndDifference) {
  EXPECT_EQ(frozen("freeze features.stage, head.gap1 except bn layers"), "2 4 6 9");
  EXPECT_EQ(frozen("freeze all layers except head, features.stage[2]"), "0 1 2 3 4 5 8");
}

TEST(Selectors, LaterLinesWin) {
  EXPECT_EQ(frozen("freeze features\nunfreeze last 2 layers of features"), "0 1 2 3 4 5 6");
  EXPECT_EQ(frozen("freeze features\nunfreeze features\nfreeze features.conv1"), "0");
  EXPECT_EQ(frozen("unfreeze features\nfreeze bn layers"), "1 3 5 7");
}

TEST(Phases, EachStartsFromEverythingTrainable) {
  const Analyzed analyzed(std::string(kNet) +
                          "train Net on Images { epochs = 4 optimizer = sgd(lr=0.1)\n"
                          "  phase a { freeze features }\n"
                          "  phase b { epochs = 2 freeze head.gap1 optimizer = adam(lr=1e-4) }\n"
                          "  phase c { }\n"
                          "}");
  EXPECT_EQ(analyzed.messages(), "");
  const auto& phases = analyzed.programs.at(0).training->phases;
  ASSERT_EQ(phases.size(), 3u);
  const auto count = [](const ir::Phase& phase) {
    return std::count(phase.frozen.begin(), phase.frozen.end(), true);
  };
  EXPECT_EQ(count(phases[0]), 9);
  EXPECT_EQ(count(phases[1]), 1);
  EXPECT_EQ(count(phases[2]), 0);
  EXPECT_EQ(phases[0].epochs, 4);
  EXPECT_EQ(phases[1].epochs, 2);
  EXPECT_EQ(phases[2].epochs, 4);
  ASSERT_TRUE(phases[0].optimizer && phases[1].optimizer);
  EXPECT_EQ(phases[0].optimizer->kind, ir::Optimizer::Kind::kSgd);
  EXPECT_EQ(phases[1].optimizer->kind, ir::Optimizer::Kind::kAdam);
  EXPECT_FALSE(phases[2].optimizer) << "the state of phase b is carried over";
  EXPECT_EQ(phases[2].line, 17);
}

}  // namespace
}  // namespace cnnc
