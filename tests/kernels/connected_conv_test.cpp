// connected_conv against the whole convolution with zeros where the table has nothing.
#include "cnn/ops/connected_conv.hpp"

#include "reference.hpp"

namespace cnn::tests {

namespace {

ConnectedConvGeometry geometry(int size, int stride, int pad, int block) {
  ConvGeometry whole;
  whole.in_channels = 4, whole.in_height = whole.in_width = size, whole.out_channels = 5;
  whole.kernel_height = 3, whole.kernel_width = 2, whole.stride_height = whole.stride_width = stride;
  whole.pad_top = whole.pad_left = pad, whole.block = block;
  EXPECT_TRUE(reference::complete(whole));
  return {whole.in_channels,
          size,
          size,
          whole.out_channels,
          whole.out_height,
          whole.out_width,
          3,
          2,
          stride,
          stride,
          pad,
          pad,
          1,
          1,
          1,
          block,
          {0b0111, 0b1000, 0b1111, 0b0101, 0b1010}};
}

constexpr int kTaps = 6;
constexpr int kConnections = 12;

// Weights of the whole convolution, [5, 4, 3, 2], from those of the connections.
Doubles spread(const Doubles& weight, const ConnectedConvGeometry& g) {
  Doubles whole(5 * 4 * kTaps, 0);
  std::size_t next = 0;
  for (std::size_t map = 0; map < 20; ++map) {
    if ((g.inputs[map / 4] >> (map % 4) & 1u) == 0) continue;
    for (std::size_t tap = 0; tap < kTaps; ++tap) whole[map * kTaps + tap] = weight[next++];
  }
  EXPECT_EQ(next, weight.size());
  return whole;
}

void check(const ConnectedConvGeometry& g, int batch, int threads) {
  const ConvGeometry whole = g.whole();
  const MapGeometry in{g.in_channels, g.in_height, g.in_width, g.block};
  const MapGeometry out{g.out_channels, g.out_height, g.out_width, g.block};
  Numbers numbers(60);
  const Doubles input = numbers.uniform(static_cast<std::size_t>(in.elements() * batch));
  const Doubles weight = numbers.uniform(kConnections * kTaps);
  const Doubles bias = numbers.uniform(5);
  const Doubles d_output = numbers.uniform(static_cast<std::size_t>(out.elements() * batch));
  const Map x(in, batch, input);
  const Map dy(out, batch, d_output);
  Map y(out, batch);
  Map unbiased(out, batch);
  Map dx(in, batch);
  const std::vector<float> w = floats(weight);
  const std::vector<float> b = floats(bias);
  std::vector<float> dw = unwritten(w.size());
  std::vector<float> dw_alone = unwritten(w.size());
  std::vector<float> db = unwritten(b.size());
  const TestScratch scratch(connected_conv_scratch(g, batch), threads);
  on_team(
      [&] {
        connected_conv(y, x, w, b, g, batch, scratch);
        connected_conv(unbiased, x, w, g, batch, scratch);
        connected_conv_backward_input(dx, dy, w, g, batch, scratch);
        connected_conv_backward_params(dw, db, dy, x, g, batch, scratch);
        connected_conv_backward_params(dw_alone, dy, x, g, batch, scratch);
      },
      threads);
  ASSERT_TRUE(y.surroundings_intact() && dx.surroundings_intact());
  expect_close(y.values(), reference::conv(input, spread(weight, g), bias, whole, batch), 2e-6, "output", 1);
  expect_close(unbiased.values(), reference::conv(input, spread(weight, g), {}, whole, batch), 2e-6,
               "unbiased", 1);
  expect_gradient(
      [&](const Doubles& at) { return reference::conv(at, spread(weight, g), bias, whole, batch); }, input,
      d_output, dx.values(), "d_input");
  expect_gradient(
      [&](const Doubles& at) { return reference::conv(input, spread(at, g), bias, whole, batch); }, weight,
      d_output, doubles(dw), "d_weight");
  expect_gradient(
      [&](const Doubles& at) { return reference::conv(input, spread(weight, g), at, whole, batch); }, bias,
      d_output, doubles(db), "d_bias");
  EXPECT_EQ(dw, dw_alone);
}

}  // namespace

TEST(ConnectedConv, EqualsTheDefinition) {
  for (const Batching& batching : {Batching{1, 1}, {3, 2}, {3, 4}}) {
    SCOPED_TRACE(testing::Message() << "NB " << batching.block << " batch " << batching.batch);
    check(geometry(7, 1, 0, batching.block), batching.batch, 1);
    check(geometry(6, 2, 2, batching.block), batching.batch, 2);
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace cnn::tests
