// The convolutions of programs whose precision is fast: on processors that multiply tiles of bf16 numbers they are bf16x2's, elsewhere
// cnn's or winograd's. Which of those is what a call's name says, and how far results are from the definition is what precision allows on
// both: which processor a program runs on is known when it starts.
#pragma once

#include "cnn/ops/conv/bf16x2.hpp"
#include "cnn/ops/conv/direct.hpp"
#include "cnn/ops/conv/winograd.hpp"

namespace cnn::fast {

constexpr ScratchSize larger(const ScratchSize& one, const ScratchSize& other) {
  ScratchSize size{std::max(one.per_thread, other.per_thread), std::max(one.shared, other.shared)};
  const auto least = [](const ScratchSize& s) { return s.least_shared > 0 ? s.least_shared : s.shared; };
  size.least_shared = std::max(least(one), least(other));
  if (size.least_shared == size.shared) size.least_shared = 0;
  return size;
}

/// What both ways need, where there are both.
constexpr ScratchSize with_tiles(const ScratchSize& other, ScratchSize (*tiles)(const ConvGeometry&, int), const ConvGeometry& g, int batch) {
  return has_planes(g) ? larger(other, tiles(g, batch)) : other;
}
constexpr std::size_t prepared_with_tiles(std::size_t other, const ConvGeometry& g) {
  return has_planes(g) ? std::max(other, bf16x2::conv_prepared_floats(g)) : other;
}

/// As cnn::conv and its backward passes.
constexpr ScratchSize conv_scratch(const ConvGeometry& g, int batch) { return with_tiles(cnn::conv_scratch(g, batch), bf16x2::conv_scratch, g, batch); }
constexpr ScratchSize conv_prepared_scratch(const ConvGeometry& g, int batch) {
  return with_tiles(cnn::conv_prepared_scratch(g, batch), bf16x2::conv_prepared_scratch, g, batch);
}
constexpr std::size_t conv_prepared_floats(const ConvGeometry& g) { return prepared_with_tiles(cnn::conv_prepared_floats(g), g); }
constexpr ScratchSize conv_backward_input_scratch(const ConvGeometry& g, int batch) {
  return with_tiles(cnn::conv_backward_input_scratch(g, batch), bf16x2::conv_backward_input_scratch, g, batch);
}
constexpr ScratchSize conv_backward_params_scratch(const ConvGeometry& g, int batch) {
  return with_tiles(cnn::conv_backward_params_scratch(g, batch), bf16x2::conv_backward_params_scratch, g, batch);
}
void conv(Blocked output, const Loaded& input, const ConvWeights& weight, const Epilogue& epilogue, const ConvGeometry& geometry, int batch,
          const Scratch& scratch);
void conv_prepare(Floats prepared, ConstFloats weight, const ConvGeometry& geometry);
void conv_backward_input(const Result& d_input, ConstBlocked d_output, ConstFloats weight, const ConvGeometry& geometry, int batch,
                         const Scratch& scratch);
void conv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, const Loaded& input, const ConvGeometry& geometry,
                          int batch, const Scratch& scratch);
void conv_backward_params(Floats d_weight, ConstBlocked d_output, const Loaded& input, const ConvGeometry& geometry, int batch,
                          const Scratch& scratch);

/// As cnn::conv_siblings and its gradient.
constexpr ScratchSize conv_siblings_scratch(const SiblingsGeometry& g, int batch) {
  return larger(cnn::conv_siblings_scratch(g, batch), bf16x2::conv_siblings_scratch(g, batch));
}
constexpr ScratchSize conv_siblings_prepared_scratch(const SiblingsGeometry& g, int batch) {
  return larger(cnn::conv_siblings_prepared_scratch(g, batch), bf16x2::conv_siblings_prepared_scratch(g, batch));
}
constexpr ScratchSize conv_siblings_backward_input_scratch(const SiblingsGeometry& g, int batch) {
  return larger(cnn::conv_siblings_backward_input_scratch(g, batch), bf16x2::conv_siblings_backward_input_scratch(g, batch));
}
void conv_siblings(std::initializer_list<ConvSibling> siblings, const Loaded& input, const SiblingsGeometry& geometry, int batch,
                   const Scratch& scratch);
void conv_siblings_backward_input(const Result& d_input, std::initializer_list<SiblingGradient> siblings, const SiblingsGeometry& geometry,
                                  int batch, const Scratch& scratch);

/// As direct::conv.
namespace direct {

constexpr ScratchSize conv_scratch(const ConvGeometry& g, int batch) {
  return with_tiles(cnn::direct::conv_scratch(g, batch), bf16x2::conv_scratch, g, batch);
}
constexpr ScratchSize conv_prepared_scratch(const ConvGeometry& g, int batch) {
  return with_tiles(cnn::direct::conv_prepared_scratch(g, batch), bf16x2::conv_prepared_scratch, g, batch);
}
constexpr std::size_t conv_prepared_floats(const ConvGeometry& g) { return prepared_with_tiles(cnn::direct::conv_prepared_floats(g), g); }
void conv(Blocked output, const Loaded& input, const ConvWeights& weight, const Epilogue& epilogue, const ConvGeometry& geometry, int batch,
          const Scratch& scratch);
void conv_prepare(Floats prepared, ConstFloats weight, const ConvGeometry& geometry);

}  // namespace direct

/// As winograd::conv and its backward passes.
namespace winograd {

constexpr ScratchSize conv_scratch(const ConvGeometry& g, int batch) {
  return with_tiles(cnn::winograd::conv_scratch(g, batch), bf16x2::conv_scratch, g, batch);
}
constexpr ScratchSize conv_prepared_scratch(const ConvGeometry& g, int batch) {
  return with_tiles(cnn::winograd::conv_prepared_scratch(g, batch), bf16x2::conv_prepared_scratch, g, batch);
}
constexpr std::size_t conv_prepared_floats(const ConvGeometry& g) { return prepared_with_tiles(cnn::winograd::conv_prepared_floats(g), g); }
constexpr ScratchSize conv_2x2_scratch(const ConvGeometry& g, int batch) {
  return with_tiles(cnn::winograd::conv_2x2_scratch(g, batch), bf16x2::conv_scratch, g, batch);
}
constexpr ScratchSize conv_2x2_prepared_scratch(const ConvGeometry& g, int batch) {
  return with_tiles(cnn::winograd::conv_2x2_prepared_scratch(g, batch), bf16x2::conv_prepared_scratch, g, batch);
}
constexpr std::size_t conv_2x2_prepared_floats(const ConvGeometry& g) {
  return prepared_with_tiles(cnn::winograd::conv_2x2_prepared_floats(g), g);
}
constexpr ScratchSize conv_backward_input_scratch(const ConvGeometry& g, int batch) {
  return with_tiles(cnn::winograd::conv_backward_input_scratch(g, batch), bf16x2::conv_backward_input_scratch, g, batch);
}
constexpr ScratchSize conv_backward_params_scratch(const ConvGeometry& g, int batch) {
  return with_tiles(cnn::winograd::conv_backward_params_scratch(g, batch), bf16x2::conv_backward_params_scratch, g, batch);
}
void conv(Blocked output, const Loaded& input, const ConvWeights& weight, const Epilogue& epilogue, const ConvGeometry& geometry, int batch,
          const Scratch& scratch);
void conv_prepare(Floats prepared, ConstFloats weight, const ConvGeometry& geometry);
void conv_2x2(Blocked output, const Loaded& input, const ConvWeights& weight, const Epilogue& epilogue, const ConvGeometry& geometry,
              int batch, const Scratch& scratch);
void conv_2x2_prepare(Floats prepared, ConstFloats weight, const ConvGeometry& geometry);
void conv_backward_input(const Result& d_input, ConstBlocked d_output, ConstFloats weight, const ConvGeometry& geometry, int batch,
                         const Scratch& scratch);
void conv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, const Loaded& input, const ConvGeometry& geometry,
                          int batch, const Scratch& scratch);
void conv_backward_params(Floats d_weight, ConstBlocked d_output, const Loaded& input, const ConvGeometry& geometry, int batch,
                          const Scratch& scratch);

}  // namespace winograd

}  // namespace cnn::fast
