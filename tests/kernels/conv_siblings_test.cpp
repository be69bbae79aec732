// 1x1 convolutions of one map in one call: to the bit what they are one by one, which conv_test proves right.
#include "cnn/ops/conv/fast.hpp"

#include <cstring>

#include "reference.hpp"

namespace cnn::tests {

namespace {

// The kernels of strict programs, and of fast ones, which are others where the processor multiplies tiles of bf16 numbers.
struct Kernels {
  const char* name;
  void (*siblings)(std::initializer_list<ConvSibling>, const Loaded&, const SiblingsGeometry&, int, const Scratch&);
  ScratchSize (*siblings_scratch)(const SiblingsGeometry&, int);
  ScratchSize (*siblings_prepared_scratch)(const SiblingsGeometry&, int);
  void (*backward_input)(const Result&, std::initializer_list<SiblingGradient>, const SiblingsGeometry&, int, const Scratch&);
  ScratchSize (*backward_input_scratch)(const SiblingsGeometry&, int);
  void (*conv)(Blocked, const Loaded&, const ConvWeights&, const Epilogue&, const ConvGeometry&, int, const Scratch&);
  ScratchSize (*conv_scratch)(const ConvGeometry&, int);
  void (*prepare)(Floats, ConstFloats, const ConvGeometry&);
  std::size_t (*prepared_floats)(const ConvGeometry&);
  double tolerance;
};
constexpr Kernels kStrict{"Strict", conv_siblings, conv_siblings_scratch, conv_siblings_prepared_scratch, conv_siblings_backward_input,
                          conv_siblings_backward_input_scratch, conv, conv_scratch, conv_prepare, conv_prepared_floats, 4e-6};
constexpr Kernels kFast{"Fast", fast::conv_siblings, fast::conv_siblings_scratch, fast::conv_siblings_prepared_scratch,
                        fast::conv_siblings_backward_input, fast::conv_siblings_backward_input_scratch, fast::conv, fast::conv_scratch,
                        fast::conv_prepare, fast::conv_prepared_floats, 2e-5};

// A convolution's operands beside the input, and its output. All kinds of epilogues have their turn.
struct SiblingOperands {
  std::vector<float> weight, prepared_weight, bias, affine;
  Map addend, output;
  Epilogue epilogue;

  SiblingOperands(Numbers& numbers, const Kernels& kernels, const ConvGeometry& g, int batch, int kind)
      : weight(floats(numbers.uniform(static_cast<std::size_t>(g.out_channels * g.depth())))),
        prepared_weight(unwritten(kernels.prepared_floats(g))),
        bias(floats(numbers.uniform(static_cast<std::size_t>(g.out_channels)))),
        affine(floats(numbers.uniform(static_cast<std::size_t>(2 * g.out_channels), 0.5, 1.5))),
        addend(map_of(g), batch, numbers.uniform(static_cast<std::size_t>(map_of(g).elements() * batch))),
        output(map_of(g), batch) {
    if (kind % 2 == 0) epilogue = epilogue.with_bias(bias);
    if (kind % 3 == 1) epilogue = epilogue.scaled(affine);
    if (kind % 3 == 2) epilogue = epilogue.plus(addend);
    if (kind % 4 < 2) epilogue = epilogue.then(kind % 4 == 0 ? Activation::kRelu : Activation::kRelu6);
  }

  static MapGeometry map_of(const ConvGeometry& g) { return {g.out_channels, g.out_height, g.out_width}; }
};

enum class Weights { kStored, kPrepared, kBoth };

struct SiblingsCase {
  std::string name;
  SiblingsGeometry geometry;
  int batch;

  int count() const { return static_cast<int>(std::ranges::count_if(geometry.out_channels, [](int channels) { return channels > 0; })); }
};

// The bytes of all outputs: of one call, or of a call for each convolution.
std::vector<MapBuffer> run(const Kernels& kernels, const SiblingsCase& test, Weights weights, int threads, bool together) {
  const SiblingsGeometry& g = test.geometry;
  const int count = test.count();
  Numbers numbers(3);
  const MapGeometry in{g.in_channels, g.height, g.width};
  const Map input(in, test.batch, numbers.uniform(static_cast<std::size_t>(in.elements() * test.batch)));
  const std::vector<float> affine = floats(numbers.uniform(static_cast<std::size_t>(2 * g.in_channels), 0.5, 1.5));
  const Loaded loaded = test.batch % 2 == 0 ? Loaded(input) : Loaded(input, affine, Activation::kRelu);
  std::vector<SiblingOperands> operands;
  for (int i = 0; i < count; ++i) operands.emplace_back(numbers, kernels, g.sibling(i), test.batch, i);
  for (SiblingOperands& one : operands) {  // where they lie for good
    if (one.epilogue.bias != nullptr) one.epilogue.bias = one.bias.data();
    if (one.epilogue.affine != nullptr) one.epilogue.affine = one.affine.data();
    if (one.epilogue.addend.data != nullptr) one.epilogue = one.epilogue.plus(one.addend);
  }
  const auto is_prepared = [&](int i) { return weights == Weights::kPrepared || (weights == Weights::kBoth && i % 2 == 1); };
  const auto weight_of = [&](int i) {
    const SiblingOperands& one = operands[static_cast<std::size_t>(i)];
    return is_prepared(i) ? prepared(one.prepared_weight) : ConvWeights(one.weight);
  };
  const auto sibling = [&](int i) { return ConvSibling{operands[static_cast<std::size_t>(i)].output, weight_of(i), operands[static_cast<std::size_t>(i)].epilogue}; };
  const TestScratch scratch(weights == Weights::kPrepared ? kernels.siblings_prepared_scratch(g, test.batch) : kernels.siblings_scratch(g, test.batch), threads);
  on_team(
      [&] {
        for (int i = 0; i < count; ++i) {
          SiblingOperands& one = operands[static_cast<std::size_t>(i)];
          if (is_prepared(i)) kernels.prepare(one.prepared_weight, one.weight, g.sibling(i));
        }
        if (!together) return;
        if (count == 2) kernels.siblings({sibling(0), sibling(1)}, loaded, g, test.batch, scratch);
        if (count == 3) kernels.siblings({sibling(0), sibling(1), sibling(2)}, loaded, g, test.batch, scratch);
        if (count == 8) {
          kernels.siblings({sibling(0), sibling(1), sibling(2), sibling(3), sibling(4), sibling(5), sibling(6), sibling(7)}, loaded, g,
                        test.batch, scratch);
        }
      },
      threads);
  std::vector<MapBuffer> bytes;
  for (int i = 0; i < count; ++i) {
    SiblingOperands& one = operands[static_cast<std::size_t>(i)];
    if (!together) {
      const TestScratch alone(kernels.conv_scratch(g.sibling(i), test.batch), threads);
      on_team([&] { kernels.conv(one.output, loaded, weight_of(i), one.epilogue, g.sibling(i), test.batch, alone); }, threads);
    }
    EXPECT_TRUE(one.output.surroundings_intact());
    bytes.push_back(one.output.buffer());
  }
  return bytes;
}

void expect_same(const std::vector<MapBuffer>& actual, const std::vector<MapBuffer>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_EQ(std::memcmp(actual[i].data(), expected[i].data(), expected[i].size() * sizeof(float)), 0) << "convolution " << i;
  }
}

class ConvSiblings : public testing::TestWithParam<std::tuple<const Kernels*, SiblingsCase>> {
 protected:
  static const Kernels& kernels() { return *std::get<0>(GetParam()); }
  static const SiblingsCase& test() { return std::get<1>(GetParam()); }
};

TEST_P(ConvSiblings, AreToTheBitWhatTheyAreOneByOne) {
  ASSERT_TRUE(test().count() == 2 || test().count() == 3 || test().count() == 8);
  for (const Weights weights : {Weights::kStored, Weights::kPrepared, Weights::kBoth}) {
    expect_same(run(kernels(), test(), weights, 1, true), run(kernels(), test(), weights, 1, false));
  }
}

TEST_P(ConvSiblings, GiveTheSameBitsOnAnyNumberOfThreads) {
  const auto one = run(kernels(), test(), Weights::kStored, 1, true);
  for (const int threads : {2, 4}) expect_same(run(kernels(), test(), Weights::kStored, threads, true), one);
}

// The gradient of the input, or what that comes to in addition to ones.
struct BackwardRun {
  MapBuffer bytes;
  Doubles values, expected;

  BackwardRun(const Kernels& kernels, const SiblingsCase& test, bool add, int threads) {
    const SiblingsGeometry& g = test.geometry;
    Numbers numbers(5);
    const MapGeometry in{g.in_channels, g.height, g.width};
    const auto elements = static_cast<std::size_t>(in.elements() * test.batch);
    std::vector<Map> d_outputs;
    std::vector<std::vector<float>> weights;
    expected.assign(elements, add ? 1.0 : 0.0);
    for (int i = 0; i < test.count(); ++i) {
      const MapGeometry out = SiblingOperands::map_of(g.sibling(i));
      const Doubles d_output = numbers.uniform(static_cast<std::size_t>(out.elements() * test.batch));
      const Doubles weight = numbers.uniform(static_cast<std::size_t>(g.out_channels[i] * g.in_channels));
      const Doubles part = reference::conv_backward_input(d_output, weight, g.sibling(i), test.batch);
      for (std::size_t j = 0; j < elements; ++j) expected[j] += part[j];
      d_outputs.emplace_back(out, test.batch, d_output);
      weights.push_back(floats(weight));
    }
    Map d_input = add ? Map(in, test.batch, Doubles(elements, 1.0)) : Map(in, test.batch);
    const Result result = add ? added_to(d_input) : Result(d_input);
    const auto one = [&](std::size_t i) { return SiblingGradient{d_outputs[i], weights[i]}; };
    const TestScratch scratch(kernels.backward_input_scratch(g, test.batch), threads);
    on_team(
        [&] {
          if (test.count() == 2) kernels.backward_input(result, {one(0), one(1)}, g, test.batch, scratch);
          if (test.count() == 3) kernels.backward_input(result, {one(0), one(1), one(2)}, g, test.batch, scratch);
          if (test.count() == 8) {
            kernels.backward_input(result, {one(0), one(1), one(2), one(3), one(4), one(5), one(6), one(7)}, g, test.batch, scratch);
          }
        },
        threads);
    EXPECT_TRUE(d_input.surroundings_intact());
    bytes = d_input.buffer();
    values = d_input.values();
  }
};

TEST_P(ConvSiblings, GradientIsTheSumOfWhatEachSays) {
  for (const bool add : {false, true}) {
    const BackwardRun run(kernels(), test(), add, 1);
    expect_close(run.values, run.expected, kernels().tolerance, add ? "added" : "d_input", 1);
  }
}

TEST_P(ConvSiblings, GradientHasTheSameBitsOnAnyNumberOfThreads) {
  const BackwardRun one(kernels(), test(), true, 1);
  for (const int threads : {2, 4}) expect_same({BackwardRun(kernels(), test(), true, threads).bytes}, {one.bytes});
}

// Programs plan for their largest batch, and run smaller ones.
TEST_P(ConvSiblings, SmallerBatchesNeedNoMoreScratch) {
  ScratchSize before;
  for (int batch = 1; batch <= 70; ++batch) {
    const ScratchSize size = kernels().siblings_scratch(test().geometry, batch);
    EXPECT_GE(size.per_thread, before.per_thread) << batch << " images";
    EXPECT_GE(size.shared, before.shared) << batch << " images";
    before = size;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, ConvSiblings,
    testing::Combine(testing::Values(&kStrict, &kFast), testing::Values(SiblingsCase{"OnePixel", {3, 1, 1, {5, 1}}, 1},
                    SiblingsCase{"RowPartsOfOneTile", {129, 3, 5, {70, 13, 40}}, 1},
                    SiblingsCase{"ColumnsOfAllTilesShared", {300, 7, 7, {61, 192, 50}}, 3},
                    SiblingsCase{"MoreWeightsThanStayInACache", {832, 7, 7, {384, 192, 48}}, 1},
                    SiblingsCase{"AsManyAsThereMayBe", {20, 9, 7, {1, 6, 7, 12, 13, 5, 18, 30}}, 2},
                    SiblingsCase{"OneImage", {192, 28, 28, {64, 96, 16}}, 1},
                    SiblingsCase{"WholeVectors", {33, 16, 16, {9, 32}}, 4},
                    SiblingsCase{"TilesAcrossImages", {64, 7, 9, {17, 24, 8}}, 17},
                    SiblingsCase{"ManyColumnsTwoChunks", {270, 14, 13, {20, 7, 31}}, 16},
                    SiblingsCase{"ManySmallImages", {7, 1, 3, {4, 11}}, 13},
                    SiblingsCase{"ManyColumns", {24, 31, 30, {31, 6}}, 5})),
    [](const auto& info) { return std::get<0>(info.param)->name + std::get<1>(info.param).name; });

}  // namespace

}  // namespace cnn::tests
