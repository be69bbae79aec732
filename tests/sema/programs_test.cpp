// Which programs a file gives, what --set reaches, and how values reach layers.
#include <gtest/gtest.h>

#include "analyzed.hpp"

namespace cnnc {
namespace {

const char kData[] = "data Images { source = idx(\"d\", val=0.1) classes = 10 batch = 32 }\n";
const char kA[] =
    "model A(classes = 10, width = 8) { input 1x28x28 flatten -> dense(width) -> dense(classes) -> softmax "
    "}\n";
const char kB[] = "model B { input 1x28x28 flatten -> dense(10) -> softmax }\n";
const char kSettings[] = " on Images { epochs = 3 optimizer = adam(lr=1e-3) }\n";

std::string names(const Analyzed& analyzed) {
  std::string text;
  for (const sema::Program& program : analyzed.programs) {
    text += (text.empty() ? "" : " ") + program.name + (program.training ? "+" : "");
  }
  return text;
}

TEST(Programs, AreNamedAfterTheFileAndWhereThereAreSeveralAfterTheModel) {
  EXPECT_EQ(names(Analyzed(kB)), "net");
  EXPECT_EQ(names(Analyzed(std::string(kB) + kData + "train B" + kSettings)), "net+");
  EXPECT_EQ(names(Analyzed(std::string(kA) + kB + kData + "train B" + kSettings)), "net_B+ net_A");
  EXPECT_EQ(names(Analyzed(std::string(kA) + kB + kData + "train A, B" + kSettings)), "net_A+ net_B+");
  EXPECT_EQ(names(Analyzed(kData)), "");
}

TEST(Programs, AMistakeLeavesOutOnlyItsOwn) {
  const Analyzed analyzed(std::string(kA) + "model C { input 1x28x28 dense(3) }");
  EXPECT_EQ(analyzed.ids(), "not-flat");
  EXPECT_EQ(names(analyzed), "net");
}

std::string shapes(const Analyzed& analyzed) {
  std::string text;
  for (const sema::Item& item : analyzed.programs.at(0).model.body) {
    if (const auto* call = std::get_if<sema::LayerCall>(&item.form))
      text += (text.empty() ? "" : " ") + to_text(call->output);
  }
  return text;
}

TEST(Overrides, ReachParametersAndSettings) {
  const std::string spec = std::string(kA) + kData + "train A(width=16)" + kSettings;
  EXPECT_EQ(shapes(Analyzed(spec)), "784 16 10 10");
  const Analyzed set(spec, {{"width", "24"},
                            {"epochs", "7"},
                            {"batch", "64"},
                            {"seed", "9"},
                            {"lr", "0.5"},
                            {"save_every", "100"}});
  EXPECT_EQ(set.messages(), "");
  EXPECT_EQ(shapes(set), "784 24 10 10");
  const ir::Training& training = set.programs.at(0).training.value();
  EXPECT_EQ(training.batch, 64);
  EXPECT_EQ(training.seed, 9u);
  EXPECT_EQ(training.save_every, 100);
  EXPECT_EQ(training.phases.at(0).epochs, 7);
  EXPECT_EQ(training.phases.at(0).optimizer->learning_rate, 0.5);
}

TEST(Overrides, CompleteAModel) {
  const char spec[] = "model A(width) { input 1x28x28 flatten -> dense(width) }";
  EXPECT_EQ(Analyzed(spec).ids(), "model-incomplete");
  EXPECT_EQ(shapes(Analyzed(spec, {{"width", "5"}})), "784 5");
}

TEST(Models, DefaultsMayUseWhatStandsBeforeThem) {
  const Analyzed analyzed(
      "let base = 4\nmodel A(n = base * 2, m = n + 1) { input 1x28x28 flatten -> dense(n) -> dense(m) }");
  EXPECT_EQ(analyzed.messages(), "");
  EXPECT_EQ(shapes(analyzed), "784 8 9");
}

TEST(Models, TheInputMayBeComputed) {
  const Analyzed analyzed(
      "model A(size = 8) { let side = size * 2 input [3, side, side] conv(input.channels * 2, 3, pad=same) "
      "}");
  EXPECT_EQ(analyzed.messages(), "");
  EXPECT_EQ(shapes(analyzed), "6x16x16");
  EXPECT_EQ(shapes(Analyzed("model A { input [784] dense(3) }")), "3");
}

TEST(Models, ConditionsChooseLayers) {
  const std::string spec =
      "model A(deep = true) { input 1x8x8 if deep { conv(4, 3) } else if 1 > 2 { relu } else { flatten } }";
  EXPECT_EQ(shapes(Analyzed(spec)), "4x6x6");
  EXPECT_EQ(shapes(Analyzed(spec, {{"deep", "false"}})), "64");
}

TEST(Models, AValueMayStandForALayer) {
  const std::string spec = "model A(act = relu) { input 1x8x8 conv(4, 3, act=act) -> act }";
  std::string paths;
  append_paths(Analyzed(spec).programs.at(0).model.body, paths);
  EXPECT_EQ(paths, "conv1 relu1");
  paths.clear();
  append_paths(Analyzed(spec, {{"act", "identity"}}).programs.at(0).model.body, paths);
  EXPECT_EQ(paths, "conv1");
}

TEST(Models, ActivationsBelongToTheirLayer) {
  const Analyzed analyzed("model A { input 1x8x8 conv(4, 3, act=tanh) -> conv(4, 1) }");
  const auto& body = analyzed.programs.at(0).model.body;
  ASSERT_EQ(body.size(), 2u);
  const auto& first = std::get<sema::LayerCall>(body[0].form).layer;
  ASSERT_NE(first.activation, nullptr);
  EXPECT_EQ(first.activation->name, "tanh");
  EXPECT_EQ(std::get<sema::LayerCall>(body[1].form).layer.activation, nullptr);
}

TEST(Training, DefaultsAreFilledIn) {
  const Analyzed analyzed(std::string(kB) + kData +
                          "train B on Images { epochs = 2 optimizer = adamw(1e-3) }");
  EXPECT_EQ(analyzed.messages(), "");
  const ir::Training& training = analyzed.programs.at(0).training.value();
  EXPECT_EQ(training.loss, ir::Loss::kCrossEntropy);
  EXPECT_EQ(training.metrics, std::vector<std::string>{"accuracy"});
  EXPECT_EQ(training.batch, 32);
  EXPECT_EQ(training.seed, 0u);
  ASSERT_EQ(training.phases.size(), 1u);
  EXPECT_EQ(training.phases[0].name, "main");
  EXPECT_EQ(training.phases[0].line, 4);
  EXPECT_EQ(training.phases[0].optimizer->weight_decay, 0.01);
  EXPECT_EQ(training.phases[0].optimizer->epsilon, 1e-8);
}

TEST(Data, SplitsAndPreparation) {
  const Analyzed analyzed(
      std::string(kB) +
      "data Images { source = idx(\"d\", val=5000, test=0.25) classes = [\"a\", \"b\", \"c\", \"d\", \"e\", "
      "\"f\", \"g\", \"h\", "
      "\"i\", \"j\"]\n prepare { resize(28x28) -> normalize(mean=0.5, std=[0.25]) } }\n"
      "train B on Images { batch = 8 epochs = 2 optimizer = sgd(0.1, momentum=0.9, nesterov=true) }");
  EXPECT_EQ(analyzed.messages(), "");
  const ir::Data& data = analyzed.programs.at(0).data.value();
  EXPECT_EQ(data.directory, "d");
  EXPECT_EQ(data.validation.kind, ir::Split::Kind::kCount);
  EXPECT_EQ(data.validation.count, 5000);
  EXPECT_EQ(data.test.kind, ir::Split::Kind::kFraction);
  EXPECT_EQ(data.test.fraction, 0.25);
  EXPECT_EQ(data.classes, 10);
  EXPECT_EQ(data.class_names.at(9), "j");
  ASSERT_EQ(data.prepare.size(), 2u);
  EXPECT_EQ(data.prepare[0].height, 28);
  EXPECT_EQ(data.prepare[1].mean, std::vector<double>{0.5});
  EXPECT_EQ(data.prepare[1].std_deviation, std::vector<double>{0.25});
}

}  // namespace
}  // namespace cnnc
