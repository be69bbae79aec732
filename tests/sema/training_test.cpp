// What a train means: every default, schedule, group and callback written out, recipes with their arguments put in.
#include <gtest/gtest.h>

#include "analyzed.hpp"
#include "sema/render.hpp"

namespace cnnc {
namespace {

// The layers, in definition order: body.conv1 body.bn1 body.relu1 gap1 head softmax1.
const char kNet[] =
    "model Net { input 1x28x28  body = { conv(4, 3) -> bn -> relu }  gap  head = dense(10)  softmax }\n"
    "data Images { source = idx(\"d\", val=0.1) classes = 10 batch = 32 }\n";

std::string trained(const std::string& items, const sema::Overrides& overrides = {}) {
  const Analyzed analyzed(kNet + items, overrides);
  EXPECT_EQ(analyzed.messages(), "") << items;
  return analyzed.programs.size() == 1 ? sema::render_training(analyzed.programs.front()) : "not one program";
}

// The line of the only phase that begins with `word`.
std::string line(const std::string& word, const std::string& settings, const sema::Overrides& overrides = {}) {
  const std::string text = trained("train Net on Images { " + settings + " }", overrides);
  const std::size_t begin = text.find("    " + word + " = ");
  if (begin == std::string::npos) return "no " + word;
  const std::size_t value = begin + word.size() + 7;
  return text.substr(value, text.find('\n', value) - value);
}

TEST(Training, EverythingIsWrittenOut) {
  const char kExpected[] =
      "train Net on Images {\n"
      "  loss = cross_entropy(label_smoothing=0.1, class_weights=[])\n"
      "  metrics = [accuracy, f1(macro), auc(weighted), confusion]\n"
      "  batch = 32\n"
      "  seed = 7\n"
      "  precision = strict\n"
      "  save_every = 100\n"
      "  init body from \"w/net.safetensors\"(match=order)\n"
      "  early_stop(val_loss, patience=3, min_delta=0.0, restore=best)\n"
      "  checkpoint(\"best.safetensors\", monitor=val_accuracy)\n"
      "  phase warm {\n"
      "    freeze body.conv1\n"
      "    epochs = 4\n"
      "    optimizer = sgd(lr=0.1, momentum=0.9, nesterov=false, weight_decay=0.0)\n"
      "    schedule = cosine(min_lr=0.0, warmup=2)\n"
      "    clip_norm = 5.0\n"
      "    group body.bn1 { weight_decay = 0.0 }\n"
      "  }\n"
      "  phase fine {\n"
      "    epochs = 6\n"
      "    optimizer = rmsprop(lr=0.001, smoothing=0.99, eps=1e-08, momentum=0.0, weight_decay=0.0)\n"
      "    schedule = multistep([2, 4], factor=0.5, warmup=0)\n"
      "    clip_norm = 1.0\n"
      "    bn_stats = update\n"
      "    group body.bn1 { weight_decay = 0.0 }\n"
      "    group head { lr = 0.01 }\n"
      "    group body { lr = 0.0001 weight_decay = 0.1 }\n"
      "    reduce_lr(val_loss, factor=0.5, patience=10, min_delta=0.0001, min_lr=0.0)\n"
      "  }\n"
      "}\n";
  const std::string text = trained(
      "train Net on Images {\n"
      "  loss = cross_entropy(label_smoothing=0.1)\n"
      "  metrics = [accuracy, f1, auc(weighted), confusion, accuracy]\n"
      "  optimizer = sgd(0.1, momentum=0.9)\n"
      "  schedule = cosine(warmup=2)\n"
      "  clip_norm = 5  seed = 7  precision = strict  save_every = 100\n"
      "  init body from \"w/net.safetensors\" (match=order)\n"
      "  group bn layers { weight_decay = 0 }\n"
      "  early_stop(val_loss, patience=3, restore=best)\n"
      "  checkpoint(\"best.safetensors\", monitor=val_accuracy)\n"
      "  phase warm { freeze body.conv1  epochs = 4 }\n"
      "  phase fine {\n"
      "    epochs = 6\n"
      "    optimizer = rmsprop(1e-3)\n"
      "    schedule = multistep([2, 4], factor=0.5)\n"
      "    bn_stats = update  clip_norm = 1\n"
      "    group head { lr = 1e-2 }\n"
      "    group body { lr = 1e-4 weight_decay = 0.1 }\n"
      "    reduce_lr(val_loss, factor=0.5)\n"
      "  }\n"
      "}\n");
  EXPECT_EQ(text, kExpected);
  EXPECT_EQ(trained(kExpected), kExpected) << "what is written out means the same";
}

// A merge lies around its branches: `stage` alone would mean conv1 as well.
TEST(Training, AMergeWhoseBranchesAreNotAllFrozenIsLeftOut) {
  const std::string net =
      "model Net { input 1x8x8  stage = add { | conv(1, 1) | arm = repeat 2 { conv(1, 1) -> bn } }  flatten -> dense(10) -> "
      "softmax }\n"
      "data Images { source = idx(\"d\") classes = 10 batch = 32 }\n"
      "train Net on Images { epochs = 1 optimizer = sgd(0.1) ";
  const auto rendered = [&](const std::string& freezing) {
    const Analyzed analyzed(net + freezing + " }");
    EXPECT_EQ(analyzed.messages(), "") << freezing;
    const std::string text = sema::render_training(analyzed.programs.at(0));
    const std::size_t begin = text.find("freeze ");
    return begin == std::string::npos ? "" : text.substr(begin, text.find('\n', begin) - begin);
  };
  EXPECT_EQ(rendered("freeze stage"), "freeze stage");
  EXPECT_EQ(rendered("freeze add layers"), "");
  EXPECT_EQ(rendered("freeze add layers, stage.arm"), "freeze stage.arm");
  EXPECT_EQ(rendered("freeze stage.arm[1], flatten1"), "freeze stage.arm[1], flatten1");
}

// As torch.optim has them.
TEST(Training, DefaultsOfOptimizers) {
  const auto optimizer = [](const std::string& call) { return line("optimizer", "epochs = 1 optimizer = " + call); };
  EXPECT_EQ(optimizer("sgd(0.5)"), "sgd(lr=0.5, momentum=0.0, nesterov=false, weight_decay=0.0)");
  EXPECT_EQ(optimizer("adam(lr=0.5)"), "adam(lr=0.5, beta1=0.9, beta2=0.999, eps=1e-08, weight_decay=0.0)");
  EXPECT_EQ(optimizer("adamw(0.5)"), "adamw(lr=0.5, beta1=0.9, beta2=0.999, eps=1e-08, weight_decay=0.01)");
  EXPECT_EQ(optimizer("rmsprop(0.5)"), "rmsprop(lr=0.5, smoothing=0.99, eps=1e-08, momentum=0.0, weight_decay=0.0)");
}

TEST(Training, Schedules) {
  const auto schedule = [](const std::string& call) {
    return line("schedule", "epochs = 10 optimizer = sgd(0.1) schedule = " + call);
  };
  EXPECT_EQ(line("schedule", "epochs = 10 optimizer = sgd(0.1)"), "constant(warmup=0)");
  EXPECT_EQ(schedule("constant"), "constant(warmup=0)");
  EXPECT_EQ(schedule("warmup(3)"), "constant(warmup=3)");
  EXPECT_EQ(schedule("step(4)"), "step(4, factor=0.1, warmup=0)");
  EXPECT_EQ(schedule("step(every=4, factor=0.5, warmup=2)"), "step(4, factor=0.5, warmup=2)");
  EXPECT_EQ(schedule("multistep([3, 6])"), "multistep([3, 6], factor=0.1, warmup=0)");
  EXPECT_EQ(schedule("cosine"), "cosine(min_lr=0.0, warmup=0)");
  EXPECT_EQ(schedule("cosine(min_lr=1e-4, warmup=5)"), "cosine(min_lr=0.0001, warmup=5)");
  EXPECT_EQ(schedule("exponential(factor=0.9)"), "exponential(factor=0.9, warmup=0)");
}

TEST(Training, ASettingOfTheTrainIsEachPhasesThatHasNoneButAnOptimizerIsTheFirstPhases) {
  const Analyzed analyzed(std::string(kNet) +
                          "train Net on Images { epochs = 9 optimizer = sgd(0.1) schedule = step(2) clip_norm = 3\n"
                          "  phase a { }\n"
                          "  phase b { epochs = 2 clip_norm = 1 }\n"
                          "  phase c { optimizer = adam(0.5) schedule = constant }\n"
                          "}");
  EXPECT_EQ(analyzed.messages(), "");
  const auto& phases = analyzed.programs.at(0).training->phases;
  ASSERT_EQ(phases.size(), 3u);
  EXPECT_EQ(phases[0].epochs, 9);
  EXPECT_EQ(phases[1].epochs, 2);
  EXPECT_EQ(phases[2].epochs, 9);
  EXPECT_EQ(phases[0].clip_norm, 3);
  EXPECT_EQ(phases[1].clip_norm, 1);
  EXPECT_EQ(phases[2].clip_norm, 3);
  EXPECT_TRUE(phases[0].optimizer);
  EXPECT_FALSE(phases[1].optimizer) << "that of phase a goes on";
  EXPECT_TRUE(phases[2].optimizer);
  EXPECT_EQ(phases[1].schedule.kind, ir::Schedule::Kind::kStep);
  EXPECT_EQ(phases[2].schedule.kind, ir::Schedule::Kind::kConstant);
}

TEST(Recipes, AreReadWithTheirArgumentsAndWhatTheTrainSaysWins) {
  const std::string text = trained(
      "recipe Two(warm, rate = 0.1, n = warm + 1) {\n"
      "  optimizer = sgd(rate)\n"
      "  schedule = step(n)\n"
      "  seed = n\n"
      "  clip_norm = rate * 20\n"
      "  checkpoint(\"recipe.safetensors\", monitor=val_loss)\n"
      "  phase one { freeze last n - 1 layers, body.bn1  epochs = warm  group body.conv1 { lr = rate / 10 } }\n"
      "  phase two { freeze first n layers  epochs = warm * 2  optimizer = adam(rate) }\n"
      "}\n"
      "train Net on Images using Two(2) {\n"
      "  seed = 9\n"
      "  checkpoint(\"own.safetensors\", monitor=val_accuracy)\n"
      "  phase two { epochs = 1 }\n"
      "  phase three { epochs = 5  optimizer = adamw(0.5) }\n"
      "}\n");
  EXPECT_EQ(text,
            "train Net on Images {\n"
            "  loss = cross_entropy(label_smoothing=0.0, class_weights=[])\n"
            "  metrics = [accuracy]\n"
            "  batch = 32\n"
            "  seed = 9\n"
            "  precision = fast\n"
            "  save_every = 0\n"
            "  checkpoint(\"recipe.safetensors\", monitor=val_loss)\n"
            "  checkpoint(\"own.safetensors\", monitor=val_accuracy)\n"
            "  phase one {\n"
            "    freeze body.bn1, head, softmax1\n"
            "    epochs = 2\n"
            "    optimizer = sgd(lr=0.1, momentum=0.0, nesterov=false, weight_decay=0.0)\n"
            "    schedule = step(3, factor=0.1, warmup=0)\n"
            "    clip_norm = 2.0\n"
            "    group body.conv1 { lr = 0.01 }\n"
            "  }\n"
            "  phase two {\n"
            "    epochs = 1\n"
            "    schedule = step(3, factor=0.1, warmup=0)\n"
            "    clip_norm = 2.0\n"
            "  }\n"
            "  phase three {\n"
            "    epochs = 5\n"
            "    optimizer = adamw(lr=0.5, beta1=0.9, beta2=0.999, eps=1e-08, weight_decay=0.01)\n"
            "    schedule = step(3, factor=0.1, warmup=0)\n"
            "    clip_norm = 2.0\n"
            "  }\n"
            "}\n");
}

// Each use has values of its own, in settings and in what is resolved later, against the model.
TEST(Recipes, AreReadAnewForEachUse) {
  const Analyzed analyzed(std::string(kNet) +
                          "model Other { input 1x28x28 conv(4, 3) -> relu -> gap -> dense(10) -> softmax }\n"
                          "recipe Usual(n, kind) { epochs = n optimizer = kind(lr=n) freeze first n layers }\n"
                          "train Net on Images using Usual(1, sgd)\n"
                          "train Other on Images using Usual(2, adam)\n");
  EXPECT_EQ(analyzed.messages(), "");
  ASSERT_EQ(analyzed.programs.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    const ir::Phase& phase = analyzed.programs[i].training->phases.at(0);
    EXPECT_EQ(phase.epochs, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(phase.optimizer->learning_rate, static_cast<double>(i) + 1);
    EXPECT_EQ(phase.optimizer->kind, i == 0 ? ir::Optimizer::Kind::kSgd : ir::Optimizer::Kind::kAdam);
    EXPECT_EQ(std::count(phase.frozen.begin(), phase.frozen.end(), true), static_cast<std::int64_t>(i) + 1);
  }
}

TEST(Recipes, EachModelOfATrainIsChecked) {
  const Analyzed analyzed(std::string(kNet) +
                          "model Other { input 1x28x28 gap -> dense(10) -> softmax }\n"
                          "recipe Usual { epochs = 1 optimizer = sgd(0.1) freeze body }\n"
                          "train Net, Other on Images using Usual\n");
  EXPECT_EQ(analyzed.ids(), "matches-nothing");
  EXPECT_NE(analyzed.messages().find("= in using Usual   folder/net.cnn:6:34"), std::string::npos) << analyzed.messages();
  ASSERT_EQ(analyzed.programs.size(), 1u);
  EXPECT_EQ(analyzed.programs.front().model.name, "Net");
}

TEST(Overrides, ReachEveryPhaseAndWhatARecipeSays) {
  const std::string text = trained(
      "recipe Two { optimizer = sgd(0.1) clip_norm = 1 phase one { epochs = 1 } phase two { epochs = 2 optimizer = adam(0.2) } }\n"
      "train Net on Images using Two { group head { lr = 0.25 } }",
      {{"epochs", "7"}, {"lr", "0.5"}, {"clip_norm", "3"}, {"batch", "8"}});
  const auto count = [&](const std::string& part) {
    int found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  };
  EXPECT_EQ(count("epochs = 7\n"), 2);
  EXPECT_EQ(count("(lr=0.5, "), 2);
  EXPECT_EQ(count("clip_norm = 3.0\n"), 2);
  EXPECT_EQ(count("batch = 8\n"), 1);
  EXPECT_EQ(count("group head { lr = 0.25 }"), 2) << "a group says how it differs";
}

}  // namespace
}  // namespace cnnc
