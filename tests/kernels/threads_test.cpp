// Every kernel gives the same bits on 1, 2 and 4 threads, on shapes that span several tiles.
#include <cstring>

#include "cnn/core/team.hpp"
#include "cnn/kernels.hpp"
#include "reference.hpp"

namespace cnn::tests {

namespace {

// What kernels wrote, byte by byte: NaN where they did not.
class Written {
 public:
  template <class Allocator>
  void keep(const std::vector<float, Allocator>& values) {
    const std::size_t old = bytes_.size();
    bytes_.resize(old + values.size() * sizeof(float));
    std::memcpy(bytes_.data() + old, values.data(), values.size() * sizeof(float));
  }
  void keep(const Map& map) { keep(map.buffer()); }
  void keep(const std::vector<std::uint8_t>& values) {
    bytes_.insert(bytes_.end(), values.begin(), values.end());
  }

  friend bool operator==(const Written&, const Written&) = default;

 private:
  std::vector<std::uint8_t> bytes_;
};

// `run(threads)` writes the same with any number of threads.
template <class Run>
void expect_same_bits(Run&& run) {
  const Written one = run(1);
  for (const int threads : {2, 4}) {
    for (int repeat = 0; repeat < 3; ++repeat) EXPECT_TRUE(run(threads) == one) << threads << " threads";
  }
}

constexpr int kBatch = 45;
constexpr MapGeometry kMap{24, 15, 15, 16};

Map random_map(const MapGeometry& g, unsigned seed) {
  return {g, kBatch, Numbers(seed).uniform(static_cast<std::size_t>(g.elements() * kBatch))};
}

Written run_conv(const ConvGeometry& g, int threads, int& threads_that_worked) {
  Numbers numbers(1);
  const MapGeometry in{g.in_channels, g.in_height, g.in_width, g.block};
  const MapGeometry out{g.out_channels, g.out_height, g.out_width, g.block};
  const Map x = random_map(in, 2);
  const Map dy = random_map(out, 3);
  const std::vector<float> w = floats(numbers.uniform(static_cast<std::size_t>(g.out_channels * g.depth())));
  const std::vector<float> b = floats(numbers.uniform(static_cast<std::size_t>(g.out_channels)));
  Map y(out, kBatch);
  Map dx(in, kBatch);
  std::vector<float> dw = unwritten(w.size());
  std::vector<float> db = unwritten(b.size());
  const TestScratch forward(conv_scratch(g, kBatch), threads);
  const TestScratch backward_input(conv_backward_input_scratch(g, kBatch), threads);
  const TestScratch backward_params(conv_backward_params_scratch(g, kBatch), threads);
  on_team(
      [&] {
        conv(y, x, w, Epilogue().with_bias(b), g, kBatch, forward);
        conv_backward_input(dx, dy, w, g, kBatch, backward_input);
        conv_backward_params(dw, db, dy, x, g, kBatch, backward_params);
      },
      threads);
  threads_that_worked = std::max(threads_that_worked, forward.threads_that_wrote());
  Written written;
  written.keep(y);
  written.keep(dx);
  written.keep(dw);
  written.keep(db);
  return written;
}

// Those of fast programs.
Written run_fast(const ConvGeometry& g, int threads) {
  Numbers numbers(1);
  const MapGeometry in{g.in_channels, g.in_height, g.in_width, g.block};
  const MapGeometry out{g.out_channels, g.out_height, g.out_width, g.block};
  const Map x = random_map(in, 2);
  const Map dy = random_map(out, 3);
  const std::vector<float> w = floats(numbers.uniform(static_cast<std::size_t>(g.out_channels * g.depth())));
  Map y(out, kBatch), dx(in, kBatch);
  std::vector<float> dw = unwritten(w.size());
  const TestScratch forward(fast::conv_scratch(g, kBatch), threads), backward_input(fast::conv_backward_input_scratch(g, kBatch), threads),
      backward_params(fast::conv_backward_params_scratch(g, kBatch), threads);
  on_team(
      [&] {
        fast::conv(y, x, w, Epilogue{}, g, kBatch, forward);
        fast::conv_backward_input(dx, dy, w, g, kBatch, backward_input);
        fast::conv_backward_params(dw, dy, x, g, kBatch, backward_params);
      },
      threads);
  Written written;
  written.keep(y);
  written.keep(dx);
  written.keep(dw);
  return written;
}

Written run_winograd(const ConvGeometry& g, int threads) {
  Numbers numbers(1);
  const MapGeometry in{g.in_channels, g.in_height, g.in_width, g.block};
  const MapGeometry out{g.out_channels, g.out_height, g.out_width, g.block};
  const Map x = random_map(in, 2);
  const Map dy = random_map(out, 3);
  const std::vector<float> w = floats(numbers.uniform(static_cast<std::size_t>(g.out_channels * g.depth())));
  Map y(out, kBatch), y_2x2(out, kBatch);
  Map dx(in, kBatch);
  std::vector<float> dw = unwritten(w.size());
  const TestScratch forward(winograd::conv_scratch(g, kBatch), threads);
  const TestScratch forward_2x2(winograd::conv_2x2_scratch(g, kBatch), threads);
  const TestScratch backward_input(winograd::conv_backward_input_scratch(g, kBatch), threads);
  const TestScratch backward_params(winograd::conv_backward_params_scratch(g, kBatch), threads);
  on_team(
      [&] {
        winograd::conv(y, x, w, Epilogue{}, g, kBatch, forward);
        winograd::conv_2x2(y_2x2, x, w, Epilogue{}, g, kBatch, forward_2x2);
        winograd::conv_backward_input(dx, dy, w, g, kBatch, backward_input);
        winograd::conv_backward_params(dw, dy, x, g, kBatch, backward_params);
      },
      threads);
  Written written;
  written.keep(y);
  written.keep(y_2x2);
  written.keep(dx);
  written.keep(dw);
  return written;
}

Written run_direct(const ConvGeometry& g, int threads) {
  Numbers numbers(1);
  const Map x = random_map({g.in_channels, g.in_height, g.in_width, g.block}, 2);
  const std::vector<float> w = floats(numbers.uniform(static_cast<std::size_t>(g.out_channels * g.depth())));
  Map y({g.out_channels, g.out_height, g.out_width, g.block}, kBatch);
  const TestScratch scratch(direct::conv_scratch(g, kBatch), threads);
  on_team([&] { direct::conv(y, x, w, Epilogue{}, g, kBatch, scratch); }, threads);
  Written written;
  written.keep(y);
  return written;
}

Written run_bn(int threads) {
  const BnGeometry g{kMap.channels, kMap.height, kMap.width, kMap.block, 1e-5f, 0.9f};
  const Map x = random_map(kMap, 4);
  const Map dy = random_map(kMap, 5);
  const auto channels = static_cast<std::size_t>(g.channels);
  const std::vector<float> w(channels, 1.5f);
  std::vector<float> mean(channels, 0.1f), var(channels, 1.0f), dw(channels), db(channels),
      saved(4 * channels);
  Map y(kMap, kBatch), dx(kMap, kBatch), inferred(kMap, kBatch), inferred_dx(kMap, kBatch);
  on_team(
      [&] {
        bn(y, saved, x, w, w, mean, var, Activation::kRelu, g, kBatch);
        bn_backward(dx, dw, db, dy, x, saved, Activation::kRelu, g, kBatch);
        bn_inference(inferred, x, w, w, mean, var, Activation::kNone, g, kBatch);
        bn_inference_backward_input(inferred_dx, dy, w, w, mean, var, g, kBatch);
      },
      threads);
  Written written;
  for (const auto* values : {&mean, &var, &dw, &db, &saved}) written.keep(*values);
  for (const Map* map : {&y, &dx, &inferred, &inferred_dx}) written.keep(*map);
  return written;
}

Written run_dense(int block, int threads) {
  const DenseGeometry g{600, 300, block};
  Numbers numbers(6);
  const Map x = random_map({.channels = g.in, .block = block}, 7);
  const Map dy = random_map({.channels = g.out, .block = block}, 8);
  const std::vector<float> w = floats(numbers.uniform(static_cast<std::size_t>(g.in * g.out)));
  const std::vector<float> b = floats(numbers.uniform(static_cast<std::size_t>(g.out)));
  Map y({.channels = g.out, .block = block}, kBatch);
  Map dx({.channels = g.in, .block = block}, kBatch);
  std::vector<float> dw = unwritten(w.size());
  std::vector<float> db = unwritten(b.size());
  const TestScratch scratch(dense_scratch(g, kBatch), threads);
  on_team(
      [&] {
        dense(y, x, w, b, g, kBatch, scratch);
        dense_backward_input(dx, dy, w, g, kBatch, scratch);
        dense_backward_params(dw, db, dy, x, g, kBatch, scratch);
      },
      threads);
  Written written;
  written.keep(y);
  written.keep(dx);
  written.keep(dw);
  written.keep(db);
  return written;
}

Written run_pools(int threads) {
  PoolGeometry g;
  g.channels = kMap.channels, g.in_height = kMap.height, g.in_width = kMap.width, g.block = kMap.block;
  g.kernel_height = g.kernel_width = 3, g.stride_height = g.stride_width = 2, g.pad_top = g.pad_left = 1;
  EXPECT_TRUE(reference::complete(g, false));
  const MapGeometry out{g.channels, g.out_height, g.out_width, g.block};
  const Map x = random_map(kMap, 9);
  const Map dy = random_map(out, 10);
  std::vector<std::uint8_t> saved(
      static_cast<std::size_t>(block_count(kBatch, g.block) * g.block * out.elements()));
  Map largest(out, kBatch), mean(out, kBatch), d_largest(kMap, kBatch), d_mean(kMap, kBatch);
  on_team(
      [&] {
        maxpool(largest, saved, x, g, kBatch);
        maxpool_backward_input(d_largest, dy, saved, g, kBatch);
        avgpool(mean, x, g, kBatch);
        avgpool_backward_input(d_mean, dy, g, kBatch);
      },
      threads);
  Written written;
  written.keep(saved);
  for (const Map* map : {&largest, &mean, &d_largest, &d_mean}) written.keep(*map);
  return written;
}

Written run_elementwise(int threads) {
  const MapGeometry flat{.channels = kMap.elements(), .block = kMap.block};
  const MapGeometry pooled{.channels = kMap.channels, .block = kMap.block};
  const DropoutGeometry dropped{kMap.channels, kMap.height, kMap.width, kMap.block, 0.4f, 2};
  const Map x = random_map(kMap, 11);
  const Map dy = random_map(kMap, 12);
  std::vector<float> plain = unwritten(static_cast<std::size_t>(kMap.elements()) * kBatch);
  std::vector<Map> maps(12, Map(kMap, kBatch));
  Map flattened(flat, kBatch);
  Map means(pooled, kBatch);
  on_team(
      [&] {
        relu(maps[0], x, kMap, kBatch);
        relu_backward_input(maps[1], dy, maps[0], kMap, kBatch);
        tanh(maps[2], x, kMap, kBatch);
        tanh_backward_input(maps[3], dy, maps[2], kMap, kBatch);
        sigmoid(maps[4], x, kMap, kBatch);
        sigmoid_backward_input(maps[5], dy, maps[4], kMap, kBatch);
        softmax(maps[6], x, kMap, kBatch);
        softmax_backward_input(maps[7], dy, maps[6], kMap, kBatch);
        dropout(maps[8], x, dropped, kBatch, {3, 4});
        add(maps[9], {x, dy, maps[0]}, Activation::kNone, kMap, kBatch);
        copy(maps[10], x, kMap, kBatch);
        from_blocked(plain, x, kMap, kBatch);
        flatten(flattened, x, kMap, kBatch);
        gap(means, x, kMap, kBatch);
        gap_backward_input(maps[11], means, kMap, kBatch);
      },
      threads);
  Written written;
  for (const Map& map : maps) written.keep(map);
  written.keep(flattened);
  written.keep(means);
  written.keep(plain);
  return written;
}

// On numbers that reach every piece of the piecewise ones.
Written run_activations(int threads) {
  const LeakyReluGeometry leaky{kMap.channels, kMap.height, kMap.width, kMap.block, 0.1f};
  const ScaledTanhGeometry scaled{kMap.channels, kMap.height, kMap.width, kMap.block, 1.7159f, 2.0f / 3};
  const Map x{kMap, kBatch, Numbers(20).uniform(static_cast<std::size_t>(kMap.elements() * kBatch), -8, 8)};
  const Map dy = random_map(kMap, 21);
  std::vector<Map> maps(12, Map(kMap, kBatch));
  on_team(
      [&] {
        relu6(maps[0], x, kMap, kBatch);
        relu6_backward_input(maps[1], dy, maps[0], kMap, kBatch);
        leaky_relu(maps[2], x, leaky, kBatch);
        leaky_relu_backward_input(maps[3], dy, maps[2], leaky, kBatch);
        scaled_tanh(maps[4], x, scaled, kBatch);
        scaled_tanh_backward_input(maps[5], dy, maps[4], scaled, kBatch);
        silu(maps[6], x, kMap, kBatch);
        silu_backward_input(maps[7], dy, x, kMap, kBatch);
        hardswish(maps[8], x, kMap, kBatch);
        hardswish_backward_input(maps[9], dy, x, kMap, kBatch);
        gelu(maps[10], x, kMap, kBatch);
        gelu_backward_input(maps[11], dy, x, kMap, kBatch);
      },
      threads);
  Written written;
  for (const Map& map : maps) written.keep(map);
  return written;
}

// Layers whose tiles are planes, pieces of rows or channels.
Written run_planes(int threads) {
  const MapGeometry flat{.channels = kMap.channels, .block = kMap.block};
  const LrnGeometry normalised{kMap.channels, kMap.height, kMap.width, kMap.block, 5, 0.5f, 0.75f, 2};
  const AdaptivePoolGeometry bins{kMap.channels, kMap.height, kMap.width, kMap.height, kMap.width, kMap.block};
  MulGeometry product{kMap.channels, kMap.height, kMap.width, kMap.block};
  product.scales[1] = true;
  PoolGeometry halves;
  halves.channels = kMap.channels, halves.in_height = kMap.height, halves.in_width = kMap.width, halves.block = kMap.block;
  halves.kernel_height = halves.kernel_width = halves.stride_height = halves.stride_width = 2;
  EXPECT_TRUE(reference::complete(halves, false));
  const MapGeometry pooled{kMap.channels, halves.out_height, halves.out_width, kMap.block};
  const Map x = random_map(kMap, 16);
  const Map dy = random_map(kMap, 17);
  const Map scale = random_map(flat, 18);
  const Map d_pooled = random_map(pooled, 19);
  std::vector<Map> maps(6, Map(kMap, kBatch));
  Map d_scale(flat, kBatch);
  std::vector<float> d_weight = unwritten(static_cast<std::size_t>(kMap.channels));
  std::vector<float> d_bias = d_weight;
  on_team(
      [&] {
        lrn(maps[0], x, normalised, kBatch);
        lrn_backward_input(maps[1], dy, x, normalised, kBatch);
        adaptive_avgpool(maps[2], x, bins, kBatch);
        adaptive_avgpool_backward_input(maps[3], dy, bins, kBatch);
        mul(maps[4], {x, scale}, product, kBatch);
        mul_backward_input(maps[5], dy, {x, scale}, 0, product, kBatch);
        mul_backward_input(d_scale, dy, {x, scale}, 1, product, kBatch);
        subsample_backward_params(d_weight, d_bias, d_pooled, x, halves, kBatch);
      },
      threads);
  Written written;
  for (const Map& map : maps) written.keep(map);
  written.keep(d_scale);
  written.keep(d_weight);
  written.keep(d_bias);
  return written;
}

Written run_losses(int threads) {
  const MapGeometry g{.channels = 100, .block = 8};
  const Map x = random_map(g, 14);
  const std::vector<int> labels = Numbers(15).labels(kBatch, g.channels);
  std::vector<float> entropy = unwritten(kBatch);
  std::vector<float> squares = unwritten(kBatch);
  Map d_entropy(g, kBatch);
  Map d_squares(g, kBatch);
  std::vector<float> criterion = unwritten(kBatch);
  Map d_criterion(g, kBatch);
  on_team(
      [&] {
        softmax_cross_entropy(d_entropy, entropy, x, labels, g, kBatch);
        mean_squared_error(d_squares, squares, x, labels, g, kBatch);
        lenet5_map(d_criterion, criterion, x, labels, 1, g, kBatch);
      },
      threads);
  Written written;
  written.keep(entropy);
  written.keep(squares);
  written.keep(d_entropy);
  written.keep(d_squares);
  written.keep(criterion);
  written.keep(d_criterion);
  return written;
}

}  // namespace

TEST(Threads, ConvGivesTheSameBits) {
  ConvGeometry g;
  g.in_channels = 24, g.in_height = g.in_width = 15, g.out_channels = 20;
  g.kernel_height = g.kernel_width = 3, g.pad_top = g.pad_left = 1, g.block = 16;
  ASSERT_TRUE(reference::complete(g));
  ASSERT_GT(CorrelationTiles(forward_correlation(g), kBatch).tasks(), 4);
  ASSERT_GT(conv_slots(g), 1);
  int threads_that_worked = 0;
  for (int attempt = 0; attempt < 10 && threads_that_worked < 2; ++attempt) {
    expect_same_bits([&](int threads) { return run_conv(g, threads, threads_that_worked); });
  }
  EXPECT_GE(threads_that_worked, 2) << "no two threads ever shared a convolution, so nothing is proven";
}

TEST(Threads, PointwiseConvGivesTheSameBits) {
  ConvGeometry g;
  g.in_channels = 24, g.in_height = g.in_width = 15, g.out_channels = 20, g.block = 16;
  ASSERT_TRUE(reference::complete(g));
  int unused = 0;
  expect_same_bits([&](int threads) { return run_conv(g, threads, unused); });
}

TEST(Threads, WinogradGivesTheSameBits) {
  struct Case {
    int in, size, out;
  };
  // Many tiles; few, whose outputs are cut into parts; parts that transform their own weights; heavy weights that all share.
  for (const Case one : {Case{24, 15, 20}, {24, 4, 200}, {136, 5, 136}, {136, 23, 136}}) {
    ConvGeometry g;
    g.in_channels = one.in, g.in_height = g.in_width = one.size, g.out_channels = one.out;
    g.kernel_height = g.kernel_width = 3, g.pad_top = g.pad_left = 1;
    ASSERT_TRUE(reference::complete(g));
    expect_same_bits([&](int threads) { return run_winograd(g, threads); });
  }
}

TEST(Threads, DirectConvGivesTheSameBits) {
  struct Case {
    int in, size, out, kernel, stride;
  };
  // Bands of an image; panels of weights; maps that are read as they are.
  for (const Case one : {Case{24, 30, 20, 3, 1}, {140, 7, 100, 3, 2}, {150, 14, 72, 1, 1}}) {
    ConvGeometry g;
    g.in_channels = one.in, g.in_height = g.in_width = one.size, g.out_channels = one.out;
    g.kernel_height = g.kernel_width = one.kernel, g.stride_height = g.stride_width = one.stride, g.pad_top = g.pad_left = one.kernel / 2;
    ASSERT_TRUE(reference::complete(g));
    expect_same_bits([&](int threads) { return run_direct(g, threads); });
  }
}

TEST(Threads, ConvOfFastProgramsGivesTheSameBits) {
  struct Case {
    int in, size, out, kernel, stride;
  };
  // Some images a task; bands of an image; rows in parts; several slots and chunks of weights' gradients; taps as channels.
  for (const Case one : {Case{24, 15, 20, 3, 1}, {40, 80, 33, 3, 2}, {520, 3, 200, 1, 1}, {300, 9, 290, 3, 1}, {3, 40, 30, 7, 2}}) {
    ConvGeometry g;
    g.in_channels = one.in, g.in_height = g.in_width = one.size, g.out_channels = one.out;
    g.kernel_height = g.kernel_width = one.kernel, g.stride_height = g.stride_width = one.stride, g.pad_top = g.pad_left = one.kernel / 2;
    ASSERT_TRUE(reference::complete(g));
    expect_same_bits([&](int threads) { return run_fast(g, threads); });
  }
}

TEST(Threads, DenseGivesTheSameBits) {
  for (const int block : {1, 8}) expect_same_bits([block](int threads) { return run_dense(block, threads); });
}

TEST(Threads, BnGivesTheSameBits) {
  expect_same_bits(run_bn);
}
TEST(Threads, PoolsGiveTheSameBits) {
  expect_same_bits(run_pools);
}
TEST(Threads, ElementwiseKernelsGiveTheSameBits) {
  expect_same_bits(run_elementwise);
}
TEST(Threads, ActivationsGiveTheSameBits) {
  expect_same_bits(run_activations);
}
TEST(Threads, KernelsOfPlanesGiveTheSameBits) {
  expect_same_bits(run_planes);
}
TEST(Threads, LossesGiveTheSameBits) {
  expect_same_bits(run_losses);
}

}  // namespace cnn::tests
