// bn against the definition: batch statistics, running statistics, gradients through both.
#include "cnn/ops/bn.hpp"

#include <algorithm>
#include <cmath>

#include "elementwise.hpp"
#include "reference.hpp"

namespace cnn::tests {

namespace {

struct BnRun {
  BnGeometry g;
  int batch;
  Doubles input, weight, bias, d_output;
  std::vector<float> mean, var;  // running
  Doubles output, d_input, d_weight, d_bias;

  BnRun(const MapGeometry& map, int batch, double offset = 0)
      : g{map.channels, map.height, map.width, map.block, 1e-3f, 0.8f}, batch(batch) {
    Numbers numbers(19);
    const auto channels = static_cast<std::size_t>(g.channels);
    input = numbers.uniform(size_of(map, batch), offset - 1, offset + 1);
    weight = numbers.uniform(channels, 0.5, 2);
    bias = numbers.uniform(channels);
    d_output = numbers.uniform(size_of(map, batch));
    mean = floats(numbers.uniform(channels));
    var = floats(numbers.uniform(channels, 0.5, 2));
  }

  MapGeometry map() const { return {g.channels, g.height, g.width, g.block}; }

  void train() {
    const Map x(map(), batch, input);
    Map y(map(), batch);
    Map dx(map(), batch, d_output);
    const std::vector<float> w = floats(weight);
    const std::vector<float> b = floats(bias);
    std::vector<float> saved = unwritten(4 * w.size());
    std::vector<float> dw = unwritten(w.size());
    std::vector<float> db = unwritten(w.size());
    std::vector<float> only_dw = dw, only_db = db;
    Map not_in_place(map(), batch);
    on_team([&] {
      bn(y, saved, x, w, b, mean, var, Activation::kNone, g, batch);
      bn_backward_params(only_dw, only_db, dx, x, saved, Activation::kNone, g, batch);
      bn_backward(not_in_place, dw, db, dx, x, saved, Activation::kNone, g, batch);
      bn_backward(dx, dw, db, dx, x, saved, Activation::kNone, g, batch);
    });
    EXPECT_TRUE(only_dw == dw && only_db == db);
    EXPECT_TRUE(y.surroundings_intact() && not_in_place.surroundings_intact());
    EXPECT_EQ(dx.values(), not_in_place.values());
    output = y.values();
    d_input = dx.values();
    d_weight = doubles(dw);
    d_bias = doubles(db);
  }

  void infer() {
    const Map dy(map(), batch, d_output);
    Map y(map(), batch, input);
    Map dx(map(), batch);
    const std::vector<float> w = floats(weight);
    const std::vector<float> b = floats(bias);
    on_team([&] {
      bn_inference(y, y, w, b, mean, var, Activation::kNone, g, batch);
      bn_inference_backward_input(dx, dy, w, b, mean, var, g, batch);
    });
    EXPECT_TRUE(dx.surroundings_intact());
    output = y.values();
    d_input = dx.values();
  }
};

}  // namespace

TEST(Bn, EqualsTheDefinition) {
  for_each_map([](const MapGeometry& map, int batch) {
    BnRun run(map, batch);
    const std::vector<float> mean = run.mean;
    const std::vector<float> var = run.var;
    run.train();
    const reference::BatchStatistics statistics = reference::batch_statistics(run.input, run.g, batch);
    expect_close(run.output, reference::bn(run.input, run.weight, run.bias, run.g, batch), 3e-6, "output");
    for (std::size_t channel = 0; channel < mean.size(); ++channel) {
      ASSERT_NEAR(run.mean[channel], 0.8 * mean[channel] + 0.2 * statistics.mean[channel], 1e-6);
      ASSERT_NEAR(run.var[channel], 0.8 * var[channel] + 0.2 * statistics.unbiased_variance[channel], 1e-6);
    }
  });
}

TEST(Bn, DoesAnActivationOnTheWay) {
  for_each_map([](const MapGeometry& map, int batch) {
    if (batch * map.pixels() == 1) return;  // all are their mean, and their sign is a rounding error
    BnRun plain(map, batch), again(map, batch);
    plain.train();
    const Map x(map, batch, again.input);
    const std::vector<float> w = floats(again.weight), b = floats(again.bias);
    for (const Activation activation : {Activation::kRelu, Activation::kRelu6}) {
      const double most = activation == Activation::kRelu6 ? 6 : 1e30;
      Doubles expected = plain.output, passing = plain.d_output;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        if (expected[i] <= 0 || expected[i] >= most) passing[i] = 0;
        expected[i] = std::clamp(expected[i], 0.0, most);
      }
      std::vector<float> saved = unwritten(4 * w.size()), statistics = saved, dw(w.size()), db(w.size()), dw2 = dw, db2 = db;
      std::vector<float> mean(w.size()), var(w.size());
      Map y(map, batch), d_masked(map, batch, passing), dx(map, batch), added(map, batch, passing);
      const Map dy(map, batch, again.d_output);
      on_team([&] {
        bn(y, saved, x, w, b, mean, var, activation, again.g, batch);
        bn_statistics(statistics, x, w, b, mean, var, again.g, batch);
        bn_backward(dx, dw, db, dy, x, saved, activation, again.g, batch);
        bn_backward(added_to(added), dw2, db2, dy, x, saved, activation, again.g, batch);
      });
      EXPECT_EQ(saved, statistics);
      EXPECT_TRUE(dw == dw2 && db == db2);
      expect_close(y.values(), expected, 1e-6, "output", 1);
      std::vector<float> plain_dw(w.size()), plain_db(w.size());
      on_team([&] { bn_backward(d_masked, plain_dw, plain_db, d_masked, x, saved, Activation::kNone, again.g, batch); });
      expect_close(doubles(dw), doubles(plain_dw), 1e-6, "d_weight", 1);
      expect_close(doubles(db), doubles(plain_db), 1e-6, "d_bias", 1);
      expect_close(dx.values(), d_masked.values(), 1e-6, "d_input", 1);
      const Doubles gradient = dx.values();
      Doubles sums = passing;
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += gradient[i];
      expect_close(added.values(), sums, 1e-6, "sum", 1);
    }
  });
}

TEST(Bn, GradientsEqualCentralDifferences) {
  for (const Batching& batching : kBatchings) {
    for (const MapGeometry& map :
         {MapGeometry{3, 3, 2, batching.block}, MapGeometry{.channels = 4, .block = batching.block}}) {
      if (batching.batch * map.pixels() == 1) continue;
      BnRun run(map, batching.batch);
      run.train();
      expect_gradient(
          [&](const Doubles& x) { return reference::bn(x, run.weight, run.bias, run.g, run.batch); },
          run.input, run.d_output, run.d_input, "d_input");
      expect_gradient(
          [&](const Doubles& w) { return reference::bn(run.input, w, run.bias, run.g, run.batch); },
          run.weight, run.d_output, run.d_weight, "d_weight");
      expect_gradient(
          [&](const Doubles& b) { return reference::bn(run.input, run.weight, b, run.g, run.batch); },
          run.bias, run.d_output, run.d_bias, "d_bias");
    }
  }
}

TEST(Bn, StatisticsOfNumbersFarFromZeroAreAccurate) {
  BnRun run({2, 40, 40, 4}, 6, 5000);
  run.train();
  expect_close(run.output, reference::bn(run.input, run.weight, run.bias, run.g, run.batch), 1e-3, "output");
  const reference::BatchStatistics statistics = reference::batch_statistics(run.input, run.g, run.batch);
  BnRun fresh({2, 40, 40, 4}, 6, 5000);
  for (std::size_t channel = 0; channel < 2; ++channel) {
    const double batch_variance = (run.var[channel] - 0.8 * fresh.var[channel]) / 0.2;
    EXPECT_NEAR(batch_variance, statistics.unbiased_variance[channel], 1e-5);
  }
}

TEST(Bn, OneElementHasNoVariance) {
  BnRun run({.channels = 3}, 1);
  const std::vector<float> var = run.var;
  run.train();
  expect_close(run.output, run.bias, 1e-6, "output");
  for (std::size_t channel = 0; channel < 3; ++channel)
    EXPECT_FLOAT_EQ(run.var[channel], 0.8f * var[channel]);
}

TEST(Bn, InferenceEqualsTheDefinition) {
  for_each_map([](const MapGeometry& map, int batch) {
    BnRun run(map, batch);
    run.infer();
    const auto forward = [&](const Doubles& x) {
      return reference::normalise(x, doubles(run.mean), doubles(run.var), run.weight, run.bias, run.g, batch);
    };
    expect_close(run.output, forward(run.input), 2e-6, "output");
    if (run.input.size() < 500) expect_gradient(forward, run.input, run.d_output, run.d_input, "d_input");
  });
}

// As the arms of a concat keep theirs, so that its readers find the scales and shifts of all channels in one table.
TEST(Bn, KeepsItsNumbersAmongThoseOfOtherChannels) {
  constexpr std::size_t kBefore = 2, kBehind = 3;
  for_each_map([](const MapGeometry& map, int batch) {
    BnRun run(map, batch);
    const Map x(map, batch, run.input), dy(map, batch, run.d_output);
    const std::vector<float> w = floats(run.weight), b = floats(run.bias);
    const std::size_t channels = w.size(), all = kBefore + channels + kBehind;
    std::vector<float> own(4 * channels), table = unwritten(4 * all), dw(channels), db(channels), dw2 = dw, db2 = db;
    std::vector<float> mean = run.mean, var = run.var;
    Map dx(map, batch), dx2(map, batch), y(map, batch), y2(map, batch);
    const ChannelTable part(table, kBefore, static_cast<std::ptrdiff_t>(all));
    on_team([&] {
      bn_statistics(own, x, w, b, mean, var, run.g, batch);
      bn_statistics(part, x, w, b, mean, var, run.g, batch);
      bn_backward(dx, dw, db, dy, x, own, Activation::kRelu, run.g, batch);
      bn_backward(dx2, dw2, db2, dy, x, part, Activation::kRelu, run.g, batch);
      bn(y, own, x, w, b, mean, var, Activation::kRelu, run.g, batch);
      bn(y2, part, x, w, b, mean, var, Activation::kRelu, run.g, batch);
    });
    for (std::size_t i = 0; i < table.size(); ++i) {
      const std::size_t kind = i / all, channel = i % all - kBefore;
      if (i % all < kBefore || channel >= channels) ASSERT_TRUE(std::isnan(table[i]));
      else ASSERT_EQ(table[i], own[kind * channels + channel]);
    }
    EXPECT_EQ(dw, dw2);
    EXPECT_EQ(db, db2);
    EXPECT_EQ(dx.values(), dx2.values());
    EXPECT_EQ(y.values(), y2.values());
  });
}

}  // namespace cnn::tests
