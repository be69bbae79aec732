// 1x1 convolutions of one map in one call: to the bit what they are one by one, which conv_test proves right.
#include "cnn/ops/conv_siblings.hpp"

#include <cstring>

#include "reference.hpp"

namespace cnn::tests {

namespace {

// A convolution's operands beside the input, and its output. All kinds of epilogues have their turn.
struct SiblingOperands {
  std::vector<float> weight, prepared_weight, bias, affine;
  Map addend, output;
  Epilogue epilogue;

  SiblingOperands(Numbers& numbers, const ConvGeometry& g, int batch, int kind)
      : weight(floats(numbers.uniform(static_cast<std::size_t>(g.out_channels * g.depth())))),
        prepared_weight(unwritten(conv_prepared_floats(g))),
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
std::vector<std::vector<float>> run(const SiblingsCase& test, Weights weights, int threads, bool together) {
  const SiblingsGeometry& g = test.geometry;
  const int count = test.count();
  Numbers numbers(3);
  const MapGeometry in{g.in_channels, g.height, g.width};
  const Map input(in, test.batch, numbers.uniform(static_cast<std::size_t>(in.elements() * test.batch)));
  const std::vector<float> affine = floats(numbers.uniform(static_cast<std::size_t>(2 * g.in_channels), 0.5, 1.5));
  const Loaded loaded = test.batch % 2 == 0 ? Loaded(input) : Loaded(input, affine, Activation::kRelu);
  std::vector<SiblingOperands> operands;
  for (int i = 0; i < count; ++i) operands.emplace_back(numbers, g.sibling(i), test.batch, i);
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
  const TestScratch scratch(weights == Weights::kPrepared ? conv_siblings_prepared_scratch(g, test.batch) : conv_siblings_scratch(g, test.batch), threads);
  on_team(
      [&] {
        for (int i = 0; i < count; ++i) {
          SiblingOperands& one = operands[static_cast<std::size_t>(i)];
          if (is_prepared(i)) conv_prepare(one.prepared_weight, one.weight, g.sibling(i));
        }
        if (!together) return;
        if (count == 2) conv_siblings({sibling(0), sibling(1)}, loaded, g, test.batch, scratch);
        if (count == 3) conv_siblings({sibling(0), sibling(1), sibling(2)}, loaded, g, test.batch, scratch);
        if (count == 8) {
          conv_siblings({sibling(0), sibling(1), sibling(2), sibling(3), sibling(4), sibling(5), sibling(6), sibling(7)}, loaded, g,
                        test.batch, scratch);
        }
      },
      threads);
  std::vector<std::vector<float>> bytes;
  for (int i = 0; i < count; ++i) {
    SiblingOperands& one = operands[static_cast<std::size_t>(i)];
    if (!together) {
      const TestScratch alone(conv_scratch(g.sibling(i), test.batch), threads);
      on_team([&] { conv(one.output, loaded, weight_of(i), one.epilogue, g.sibling(i), test.batch, alone); }, threads);
    }
    EXPECT_TRUE(one.output.surroundings_intact());
    bytes.push_back(one.output.buffer());
  }
  return bytes;
}

void expect_same(const std::vector<std::vector<float>>& actual, const std::vector<std::vector<float>>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_EQ(std::memcmp(actual[i].data(), expected[i].data(), expected[i].size() * sizeof(float)), 0) << "convolution " << i;
  }
}

class ConvSiblings : public testing::TestWithParam<SiblingsCase> {};

TEST_P(ConvSiblings, AreToTheBitWhatTheyAreOneByOne) {
  ASSERT_TRUE(GetParam().count() == 2 || GetParam().count() == 3 || GetParam().count() == 8);
  for (const Weights weights : {Weights::kStored, Weights::kPrepared, Weights::kBoth}) {
    expect_same(run(GetParam(), weights, 1, true), run(GetParam(), weights, 1, false));
  }
}

TEST_P(ConvSiblings, GiveTheSameBitsOnAnyNumberOfThreads) {
  const auto one = run(GetParam(), Weights::kStored, 1, true);
  for (const int threads : {2, 4}) expect_same(run(GetParam(), Weights::kStored, threads, true), one);
}

// Programs plan for their largest batch, and run smaller ones.
TEST_P(ConvSiblings, SmallerBatchesNeedNoMoreScratch) {
  ScratchSize before;
  for (int batch = 1; batch <= 70; ++batch) {
    const ScratchSize size = conv_siblings_scratch(GetParam().geometry, batch);
    EXPECT_GE(size.per_thread, before.per_thread) << batch << " images";
    EXPECT_GE(size.shared, before.shared) << batch << " images";
    before = size;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, ConvSiblings,
    testing::Values(SiblingsCase{"OnePixel", {3, 1, 1, {5, 1}}, 1},
                    SiblingsCase{"RowPartsOfOneTile", {129, 3, 5, {70, 13, 40}}, 1},
                    SiblingsCase{"ColumnsOfAllTilesShared", {300, 7, 7, {61, 192, 50}}, 3},
                    SiblingsCase{"MoreWeightsThanStayInACache", {832, 7, 7, {384, 192, 48}}, 1},
                    SiblingsCase{"AsManyAsThereMayBe", {20, 9, 7, {1, 6, 7, 12, 13, 5, 18, 30}}, 2},
                    SiblingsCase{"OneImage", {192, 28, 28, {64, 96, 16}}, 1},
                    SiblingsCase{"WholeVectors", {33, 16, 16, {9, 32}}, 4},
                    SiblingsCase{"TilesAcrossImages", {64, 7, 9, {17, 24, 8}}, 17},
                    SiblingsCase{"ManyColumnsTwoChunks", {270, 14, 13, {20, 7, 31}}, 16},
                    SiblingsCase{"ManySmallImages", {7, 1, 3, {4, 11}}, 13},
                    SiblingsCase{"ManyColumns", {24, 31, 30, {31, 6}}, 5}),
    [](const auto& info) { return info.param.name; });

}  // namespace

}  // namespace cnn::tests
