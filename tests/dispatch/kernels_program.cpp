// kernels_program THREADS: some kernels on fixed numbers. What they write goes to standard output as bytes, the instruction
// set to standard error.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "cnn/core/instructions.hpp"
#include "cnn/core/team.hpp"
#include "cnn/ops/bn.hpp"
#include "cnn/ops/conv/fast.hpp"
#include "cnn/ops/cross_entropy.hpp"
#include "cnn/ops/dense.hpp"
#include "cnn/ops/tanh.hpp"

namespace {

constexpr int kBatch = 19;  // a block of 16 and a part of one
constexpr int kBlock = 16;

using Values = std::vector<float>;

/// Uniform in [-1, 1), the same on any machine.
Values numbers(std::size_t count, std::uint32_t seed) {
  Values values(count);
  std::uint32_t state = seed;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(static_cast<std::int32_t>(state) >> 8) / (1 << 23);
  }
  return values;
}

/// A batch of maps, and where it lies.
struct Map {
  Map(const cnn::MapGeometry& g, std::uint32_t seed)
      : stride(g.elements() * g.block),
        values(numbers(static_cast<std::size_t>(stride) * cnn::block_count(kBatch, g.block), seed)) {}
  cnn::Blocked view() { return {values.data(), stride}; }

  std::ptrdiff_t stride;
  Values values;
};

struct Memory {
  Memory(const cnn::ScratchSize& size, int threads)
      : shared(size.shared), own(size.per_thread * static_cast<std::size_t>(threads)), per_thread(size.per_thread) {}
  cnn::Scratch scratch() { return {shared.data(), own.data(), per_thread}; }

  Values shared, own;
  std::size_t per_thread;
};

void write(const Values& values) {
  std::fwrite(values.data(), sizeof(float), values.size(), stdout);
}
void write(const Map& map) {
  write(map.values);
}

void run_conv(int threads) {
  constexpr cnn::ConvGeometry g{.in_channels = 5, .in_height = 13, .in_width = 11, .out_channels = 14, .out_height = 13,
                                .out_width = 11, .kernel_height = 3, .kernel_width = 3, .pad_top = 1, .pad_left = 1,
                                .block = kBlock};
  constexpr cnn::MapGeometry in{5, 13, 11, kBlock}, out{14, 13, 11, kBlock};
  Map x(in, 1), y(out, 2), dy(out, 3), dx(in, 4);
  const Values w = numbers(14 * 45, 5), b = numbers(14, 6);
  Values dw(w.size()), db(b.size());
  Memory forward(conv_scratch(g, kBatch), threads), input(conv_backward_input_scratch(g, kBatch), threads),
      params(conv_backward_params_scratch(g, kBatch), threads);
  cnn::run_team(threads, [&] {
    cnn::conv(y.view(), x.view(), w, cnn::Epilogue{}.with_bias(b).then(cnn::Activation::kRelu), g, kBatch, forward.scratch());
    cnn::conv_backward_input({dx.view()}, dy.view(), w, g, kBatch, input.scratch());
    cnn::conv_backward_params(dw, db, dy.view(), x.view(), g, kBatch, params.scratch());
  });
  write(y), write(dx), write(dw), write(db);
}

// As a fast program has it: other kernels where the processor multiplies tiles of bf16 numbers.
void run_fast_conv(int threads) {
  constexpr cnn::ConvGeometry g{.in_channels = 35, .in_height = 13, .in_width = 11, .out_channels = 20, .out_height = 13,
                                .out_width = 11, .kernel_height = 3, .kernel_width = 3, .pad_top = 1, .pad_left = 1};
  constexpr cnn::MapGeometry in{35, 13, 11, 1}, out{20, 13, 11, 1};
  Map x(in, 19), y(out, 20), dy(out, 21), dx(in, 22);
  Values w = numbers(20 * 35 * 9, 23);
  // So that sums are near 1, to which errors are relative.
  for (float& value : w) value /= 17;
  for (float& value : dy.values) value /= 30;
  Values dw(w.size());
  Memory forward(cnn::fast::conv_scratch(g, kBatch), threads), input(cnn::fast::conv_backward_input_scratch(g, kBatch), threads),
      params(cnn::fast::conv_backward_params_scratch(g, kBatch), threads);
  cnn::run_team(threads, [&] {
    cnn::fast::conv(y.view(), x.view(), w, {}, g, kBatch, forward.scratch());
    cnn::fast::conv_backward_input({dx.view()}, dy.view(), w, g, kBatch, input.scratch());
    cnn::fast::conv_backward_params(dw, dy.view(), x.view(), g, kBatch, params.scratch());
  });
  write(y), write(dx), write(dw);
}

void run_bn(int threads) {
  constexpr cnn::BnGeometry g{.channels = 6, .height = 7, .width = 9, .block = kBlock};
  constexpr cnn::MapGeometry map{6, 7, 9, kBlock};
  Map x(map, 7), y(map, 8), dy(map, 9), dx(map, 10);
  const Values w = numbers(6, 11), b = numbers(6, 12);
  Values mean(6), var(6, 1.0f), saved(cnn::kBnSaved * 6), dw(6), db(6);
  cnn::run_team(threads, [&] {
    cnn::bn(y.view(), saved, x.view(), w, b, mean, var, cnn::Activation::kNone, g, kBatch);
    cnn::bn_backward({dx.view()}, dw, db, dy.view(), x.view(), saved, cnn::Activation::kNone, g, kBatch);
  });
  write(y), write(dx), write(dw), write(db), write(mean), write(var);
}

void run_classifier(int threads) {
  constexpr cnn::DenseGeometry g{.in = 70, .out = 10, .block = kBlock};
  constexpr cnn::MapGeometry in{70, 1, 1, kBlock}, out{10, 1, 1, kBlock};
  Map x(in, 13), y(out, 14), dy(out, 15), dx(in, 16);
  const Values w = numbers(700, 17), b = numbers(10, 18);
  Values dw(700), db(10), losses(kBatch);
  std::vector<int> labels;
  for (int i = 0; i < kBatch; ++i) labels.push_back(i % 10);
  cnn::run_team(threads, [&] {
    cnn::tanh(x.view(), x.view(), in, kBatch);
    cnn::dense(y.view(), x.view(), w, b, g, kBatch, {});
    cnn::softmax_cross_entropy(dy.view(), losses, y.view(), labels, out, kBatch);
    cnn::dense_backward_params(dw, db, dy.view(), x.view(), g, kBatch, {});
    cnn::dense_backward_input(dx.view(), dy.view(), w, g, kBatch, {});
  });
  write(y), write(dy), write(dx), write(dw), write(db), write(losses);
}

}  // namespace

int main(int count, char** arguments) {
  const int threads = count > 1 ? std::atoi(arguments[1]) : 1;
  if (const std::string problem = cnn::instruction_set_problem(); !problem.empty()) {
    std::fprintf(stderr, "%s\n", problem.c_str());
    return 2;
  }
  run_conv(threads);
  run_fast_conv(threads);
  run_bn(threads);
  run_classifier(threads);
  std::fprintf(stderr, "%s\n", cnn::instruction_set().c_str());
  return 0;
}
