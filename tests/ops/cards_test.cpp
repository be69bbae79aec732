// Cards asked directly: shapes, parameters and multiply-accumulates as PyTorch and torchvision have them, and
// which kernels run.
#include <gtest/gtest.h>

#include <bit>

#include "ir/op_def.hpp"
#include "ops/cards.hpp"
#include "support/internal_error.hpp"

namespace cnnc::ops {
namespace {

using ir::Dimensions;
using ir::Shape;
using ir::Value;
using ir::Word;

const ir::OpRegistry& cards() {
  static const ir::OpRegistry ops = registry();
  return ops;
}

Value whole(std::int64_t value) {
  return {value};
}
Value word(const char* text) {
  return {Word{text}};
}

// A layer with the given arguments and every other at its default.
struct Asked {
  const ir::OpDef* card;
  std::vector<Shape> inputs;
  ir::ArgumentValues arguments = {};
  ir::Inferred inferred = {};

  Asked(const char* name, std::vector<Shape> shapes, const std::map<std::string, Value>& given = {})
      : card(cards().find(name)), inputs(std::move(shapes)) {
    for (const ir::ArgumentDef& argument : card->arguments) {
      if (argument.default_value) arguments.set(argument.name, *argument.default_value);
    }
    for (const auto& [argument, value] : given) arguments.set(argument, value);
    const ir::Inference inference = card->infer(context());
    const auto* found = std::get_if<ir::Inferred>(&inference);
    if (found != nullptr) inferred = *found;
  }

  ir::OpContext context() const {
    return {.inputs = inputs, .arguments = arguments, .output = inferred.output};
  }
  Shape output() const { return inferred.output; }
  bool refused() const { return inferred.output.channels == 0; }
  std::int64_t macs() const { return card->macs == nullptr ? 0 : card->macs(context()); }
  std::string_view kernel() const { return kernel_card(*card, context()).training.forward.function; }
  std::int64_t parameters() const {
    std::int64_t count = 0;
    for (const ir::ParameterDef& parameter : inferred.parameters) {
      std::int64_t elements = parameter.statistic ? 0 : 1;
      for (const std::int64_t extent : parameter.extents) elements *= extent;
      count += elements;
    }
    return count;
  }
  std::int64_t field(std::string_view name) const {
    for (const ir::GeometryField& one : card->geometry(context())) {
      if (one.name == name) return std::get<std::int64_t>(one.value);
    }
    ADD_FAILURE() << "no field " << name;
    return -1;
  }
};

Shape map(std::int64_t channels, std::int64_t height, std::int64_t width) {
  return {channels, height, width, false};
}
Shape flat(std::int64_t channels) {
  return {.channels = channels, .flat = true};
}

}  // namespace

TEST(Cards, DepthwiseConvolutionCountsAsPyTorchWithGroups) {
  // torch.nn.Conv2d(32, 64, 3, stride=2, padding=1, groups=32): 64 * 9 + 64.
  const Asked layer(
      "dwconv", {map(32, 112, 112)},
      {{"kernel", whole(3)}, {"stride", whole(2)}, {"pad", whole(1)}, {"multiplier", whole(2)}});
  EXPECT_EQ(layer.output(), map(64, 56, 56));
  EXPECT_EQ(layer.parameters(), 640);
  EXPECT_EQ(layer.inferred.parameters[0].extents, (std::vector<std::int64_t>{64, 1, 3, 3}));
  EXPECT_EQ(layer.macs(), 64 * 56 * 56 * 9);
  EXPECT_DOUBLE_EQ(layer.inferred.parameters[0].initializer.value, 1.0 / 3);  // 1 / sqrt(fan_in = 9)
  EXPECT_TRUE(Asked("dwconv", {flat(3)}, {{"kernel", whole(3)}}).refused());
}

TEST(Cards, AConvolutionInAsManyGroupsAsChannelsRunsDepthwise) {
  const std::map<std::string, Value> common = {{"out", whole(16)}, {"kernel", whole(3)}};
  const auto in_groups = [&](std::int64_t groups) {
    std::map<std::string, Value> given = common;
    given["groups"] = whole(groups);
    return Asked("conv", {map(8, 9, 9)}, given);
  };
  EXPECT_EQ(in_groups(8).kernel(), "dwconv");
  EXPECT_EQ(in_groups(8).parameters(), 16 * 9 + 16);
  EXPECT_EQ(in_groups(4).kernel(), "conv");
  EXPECT_EQ(Asked("conv", {map(1, 9, 9)}, common).kernel(), "conv");
}

TEST(Cards, PaddingByTensorFlowsRule) {
  // tf.keras.layers.Conv2D(8, k, strides=s, padding="same") on 224 or 7: the smaller half of the padding
  // comes first.
  struct Case {
    std::int64_t in, kernel, stride, dilation, out, pad;
  };
  for (const Case& one : {Case{224, 3, 2, 1, 112, 0},
                          {225, 3, 2, 1, 113, 1},
                          {7, 3, 1, 1, 7, 1},
                          {7, 2, 1, 1, 7, 0},
                          {7, 4, 3, 1, 3, 1},
                          {7, 1, 4, 1, 2, 0},
                          {7, 3, 1, 2, 7, 2},
                          {8, 5, 2, 1, 4, 1}}) {
    const Asked layer("conv", {map(3, one.in, one.in)},
                      {{"out", whole(8)},
                       {"kernel", whole(one.kernel)},
                       {"stride", whole(one.stride)},
                       {"dilation", whole(one.dilation)},
                       {"pad", word("same_tf")}});
    EXPECT_EQ(layer.output(), map(8, one.out, one.out));
    EXPECT_EQ(layer.field("pad_top"), one.pad) << one.in << " " << one.kernel << " " << one.stride;
    EXPECT_EQ(layer.field("pad_left"), one.pad);
  }
  const Asked pool("maxpool", {map(4, 7, 6)},
                   {{"kernel", whole(2)}, {"stride", whole(2)}, {"pad", word("same_tf")}});
  EXPECT_EQ(pool.output(), map(4, 4, 3));
}

TEST(Cards, LayersWithoutParametersKeepOrGiveTheirShapes) {
  for (const char* name : {"relu6", "leaky_relu", "silu", "hardswish", "gelu", "tanh"}) {
    EXPECT_EQ(Asked(name, {map(5, 4, 3)}).output(), map(5, 4, 3)) << name;
    EXPECT_EQ(Asked(name, {flat(5)}).output(), flat(5)) << name;
    EXPECT_TRUE(cards().find(name)->traits.activation) << name;
  }
  EXPECT_EQ(Asked("lrn", {map(96, 55, 55)}, {{"size", whole(5)}}).output(), map(96, 55, 55));
  EXPECT_TRUE(Asked("lrn", {flat(96)}, {{"size", whole(5)}}).refused());
  EXPECT_EQ(Asked("adaptive_avgpool", {map(256, 13, 9)}, {{"size", {Dimensions{{6, 7}}}}}).output(),
            map(256, 6, 7));
  EXPECT_EQ(Asked("pad", {map(2, 3, 4)}, {{"amount", {Dimensions{{1, 3}}}}}).output(), map(2, 5, 10));
  EXPECT_EQ(Asked("stochastic_depth", {map(2, 3, 4)}, {{"rate", {0.2}}}).output(), map(2, 3, 4));
}

TEST(Cards, AnActivationInAnArgumentHasItsDefaults) {
  for (const ir::OpDef& card : cards().all()) {
    if (!card.traits.activation) continue;
    EXPECT_EQ(ir::default_arguments(card).all().size(), card.arguments.size()) << card.name;
  }
  EXPECT_EQ(ir::default_arguments(*cards().find("leaky_relu")).number("slope"), 0.01);
  EXPECT_EQ(ir::default_arguments(*cards().find("tanh")).number("scale"), 1);
  ir::OpDef card = *cards().find("leaky_relu");
  card.arguments[0].default_value.reset();
  EXPECT_THROW(ir::OpRegistry({card}), InternalError);
}

TEST(Cards, TanhWithAScaleRunsByAnotherKernel) {
  EXPECT_EQ(Asked("tanh", {flat(3)}).kernel(), "tanh");
  EXPECT_EQ(Asked("tanh", {flat(3)}, {{"scale", {1.7159}}}).kernel(), "scaled_tanh");
  EXPECT_EQ(Asked("tanh", {flat(3)}, {{"slope", {2.0 / 3}}}).kernel(), "scaled_tanh");
}

TEST(Cards, AProductTakesScalesOfChannels) {
  EXPECT_EQ(Asked("mul", {map(8, 5, 4), flat(8)}).output(), map(8, 5, 4));
  EXPECT_EQ(Asked("mul", {map(8, 1, 1), map(8, 5, 4), map(8, 5, 4)}).output(), map(8, 5, 4));
  EXPECT_EQ(Asked("mul", {flat(8), map(8, 1, 1)}).output(), map(8, 1, 1));
  EXPECT_EQ(Asked("mul", {flat(8), flat(8)}).output(), flat(8));
  EXPECT_TRUE(Asked("mul", {map(8, 5, 4), flat(7)}).refused());
  EXPECT_TRUE(Asked("mul", {map(8, 5, 4), map(8, 5, 5)}).refused());
  EXPECT_TRUE(Asked("mul", {map(8, 5, 4), map(8, 1, 4)}).refused());
}

// Table I and section II.B of LeCun et al. 1998.
TEST(Cards, LeNet5Of1998) {
  EXPECT_EQ(Asked("subsample", {map(6, 28, 28)}, {{"kernel", whole(2)}}).output(), map(6, 14, 14));
  EXPECT_EQ(Asked("subsample", {map(6, 28, 28)}, {{"kernel", whole(2)}}).parameters(), 12);
  EXPECT_EQ(Asked("subsample", {map(16, 10, 10)}, {{"kernel", whole(2)}}).parameters(), 32);
  const Asked output("rbf", {flat(84)}, {{"out", whole(10)}});
  EXPECT_EQ(output.output(), flat(10));
  EXPECT_EQ(output.parameters(), 0);
  EXPECT_EQ(output.macs(), 840);
  EXPECT_TRUE(Asked("rbf", {flat(83)}, {{"out", whole(10)}}).refused());
  EXPECT_TRUE(Asked("rbf", {flat(84)}, {{"out", whole(9)}}).refused());
}

// Codes that were alike could not tell their digits apart.
TEST(Cards, CodesOfTheDigitsDiffer) {
  const Asked output("rbf", {flat(84)}, {{"out", whole(10)}});
  std::vector<std::int64_t> words;
  for (const ir::GeometryField& field : output.card->geometry(output.context())) {
    if (field.name == "codes") words = std::get<std::vector<std::int64_t>>(field.value);
  }
  ASSERT_EQ(words.size(), 20u);
  for (std::size_t one = 0; one < 10; ++one) {
    EXPECT_LT(words[2 * one] | words[2 * one + 1], std::int64_t{1} << 42);
    for (std::size_t other = 0; other < one; ++other) {
      const auto differ = [&](std::size_t half) {
        return std::popcount(static_cast<std::uint64_t>(words[2 * one + half] ^ words[2 * other + half]));
      };
      EXPECT_GE(differ(0) + differ(1), 5) << one << " and " << other;
    }
  }
}

// Every layer that does something at prediction time can be exported.
TEST(Cards, LayersHaveAFormInOnnx) {
  for (const ir::OpDef& card : cards().all())
    EXPECT_EQ(card.onnx == nullptr, card.traits.identity_in_inference) << card.name;
}

TEST(Cards, AConvolutionByAConnectionTable) {
  // Table I: six maps of three neighbours, six of four, three of four apart, one of all.
  const std::vector<std::vector<std::int64_t>> rows = {
      {0, 1, 2},    {1, 2, 3},    {2, 3, 4},    {3, 4, 5},         {4, 5, 0},    {5, 0, 1},
      {0, 1, 2, 3}, {1, 2, 3, 4}, {2, 3, 4, 5}, {3, 4, 5, 0},      {4, 5, 0, 1}, {5, 0, 1, 2},
      {0, 1, 3, 4}, {1, 2, 4, 5}, {0, 2, 3, 5}, {0, 1, 2, 3, 4, 5}};
  ir::List table;
  for (const auto& row : rows) {
    ir::List channels;
    for (const std::int64_t channel : row) channels.push_back({channel});
    table.push_back({channels});
  }
  const Asked layer("conv", {map(6, 14, 14)},
                    {{"out", whole(16)}, {"kernel", whole(5)}, {"connect", {table}}});
  EXPECT_EQ(layer.output(), map(16, 10, 10));
  EXPECT_EQ(layer.parameters(), 1516);
  EXPECT_EQ(layer.macs(), 1500 * 100);
  EXPECT_EQ(layer.kernel(), "connected_conv");
  table.pop_back();
  EXPECT_TRUE(
      Asked("conv", {map(6, 14, 14)}, {{"out", whole(16)}, {"kernel", whole(5)}, {"connect", {table}}})
          .refused());
}

TEST(Cards, ACardWithoutCallsSaysThatItHasNoKernels) {
  ir::OpDef card = *cards().find("relu6");
  card.training = {};
  EXPECT_FALSE(ir::has_kernels(card));
  EXPECT_TRUE(ir::has_kernels(*cards().find("concat")));
  EXPECT_TRUE(ir::has_kernels(*cards().find("identity")));
  EXPECT_TRUE(ir::has_kernels(*cards().find("dropout")));
  EXPECT_TRUE(ir::has_kernels(*cards().find("conv")));
}

// What the cost model decides is always a way that is open, and a way that is closed says why: Winograd's tiles serve 3x3 and 5x5.
TEST(Cards, DecisionsAreOpenWays) {
  using ir::Pass;
  for (const int kernel : {1, 3, 5, 7}) {
    for (const ir::Precision precision : {ir::Precision::kFast, ir::Precision::kStrict}) {
      for (const Pass pass : {Pass::kForward, Pass::kBackwardInput, Pass::kBackwardParams}) {
        const Asked conv("conv", {map(64, 28, 28)}, {{"out", whole(64)}, {"kernel", whole(kernel)}});
        const ir::Decision decision = conv.card->decide(conv.context(), pass, precision);
        EXPECT_EQ(decision.candidates.at(decision.chosen).obstacle, "");
        EXPECT_NE(decision.reason, "");
        const auto open = std::ranges::count_if(decision.candidates, [](const ir::Candidate& one) { return one.obstacle.empty(); });
        const bool winograd = (kernel == 3 || kernel == 5) && precision == ir::Precision::kFast;
        const int forward = pass == Pass::kForward ? kernel == 3 && winograd ? 2 : 1 : 0;  // F(2x2, 3x3), and direct
        EXPECT_EQ(open, (winograd ? 2 : 1) + forward) << kernel;
      }
    }
  }
}

// A map of one image has few tiles of 4x4 and columns that don't fill panels; a batch has enough of both.
TEST(Cards, FewPlacesGoTheDirectWay) {
  const auto chosen = [](int size, int kernel, int batch, bool mapped = false) {
    Asked conv("conv", {map(512, size, size)}, {{"out", whole(512)}, {"kernel", whole(kernel)}, {"pad", whole(kernel / 2)}});
    ir::OpContext context = conv.context();
    context.batch = batch;
    context.prepared = batch == 1;
    context.mapped = mapped;
    const ir::Decision decision = conv.card->decide(context, ir::Pass::kForward, ir::Precision::kFast);
    return std::string(decision.candidates.at(decision.chosen).name);
  };
  EXPECT_EQ(chosen(7, 3, 1), "direct");
  EXPECT_EQ(chosen(7, 3, 16), "winograd");
  EXPECT_EQ(chosen(14, 3, 1), "winograd");
  EXPECT_EQ(chosen(7, 1, 1), "direct");
  EXPECT_EQ(chosen(7, 1, 16, true), "packed");
}

}  // namespace cnnc::ops
