// Which way a convolution goes on this processor.
#include "cnn/ops/conv/fast.hpp"

#include "cnn/core/bf16_tiles.hpp"
#include "cnn/core/instructions.hpp"

namespace cnn::fast {

namespace {

// Where kernels are not compiled for them there are none, and nothing refers to them.
bool by_tiles(const ConvGeometry& g) {
  return has_planes(g) && has_bf16_tiles();
}

}  // namespace

void conv(Blocked output, const Loaded& input, const ConvWeights& weight, const Epilogue& epilogue, const ConvGeometry& g, int batch,
          const Scratch& scratch) {
  if constexpr (kBf16Tiles) {
    if (by_tiles(g)) return bf16x2::conv(output, input, weight, epilogue, g, batch, scratch);
  }
  cnn::conv(output, input, weight, epilogue, g, batch, scratch);
}

void conv_prepare(Floats prepared, ConstFloats weight, const ConvGeometry& g) {
  if constexpr (kBf16Tiles) {
    if (by_tiles(g)) return bf16x2::conv_prepare(prepared, weight, g);
  }
  cnn::conv_prepare(prepared, weight, g);
}

void conv_backward_input(const Result& d_input, ConstBlocked d_output, ConstFloats weight, const ConvGeometry& g, int batch,
                         const Scratch& scratch) {
  if constexpr (kBf16Tiles) {
    if (by_tiles(g)) return bf16x2::conv_backward_input(d_input, d_output, weight, g, batch, scratch);
  }
  cnn::conv_backward_input(d_input, d_output, weight, g, batch, scratch);
}

void conv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, const Loaded& input, const ConvGeometry& g, int batch,
                          const Scratch& scratch) {
  if constexpr (kBf16Tiles) {
    if (by_tiles(g)) return bf16x2::conv_backward_params(d_weight, d_bias, d_output, input, g, batch, scratch);
  }
  cnn::conv_backward_params(d_weight, d_bias, d_output, input, g, batch, scratch);
}

void conv_backward_params(Floats d_weight, ConstBlocked d_output, const Loaded& input, const ConvGeometry& g, int batch,
                          const Scratch& scratch) {
  if constexpr (kBf16Tiles) {
    if (by_tiles(g)) return bf16x2::conv_backward_params(d_weight, d_output, input, g, batch, scratch);
  }
  cnn::conv_backward_params(d_weight, d_output, input, g, batch, scratch);
}

void conv_siblings(std::initializer_list<ConvSibling> siblings, const Loaded& input, const SiblingsGeometry& g, int batch,
                   const Scratch& scratch) {
  if constexpr (kBf16Tiles) {
    if (has_bf16_tiles()) return bf16x2::conv_siblings(siblings, input, g, batch, scratch);
  }
  cnn::conv_siblings(siblings, input, g, batch, scratch);
}

void conv_siblings_backward_input(const Result& d_input, std::initializer_list<SiblingGradient> siblings, const SiblingsGeometry& g, int batch,
                                  const Scratch& scratch) {
  if constexpr (kBf16Tiles) {
    if (has_bf16_tiles()) return bf16x2::conv_siblings_backward_input(d_input, siblings, g, batch, scratch);
  }
  cnn::conv_siblings_backward_input(d_input, siblings, g, batch, scratch);
}

namespace direct {

void conv(Blocked output, const Loaded& input, const ConvWeights& weight, const Epilogue& epilogue, const ConvGeometry& g, int batch,
          const Scratch& scratch) {
  if constexpr (kBf16Tiles) {
    if (by_tiles(g)) return bf16x2::conv(output, input, weight, epilogue, g, batch, scratch);
  }
  cnn::direct::conv(output, input, weight, epilogue, g, batch, scratch);
}

void conv_prepare(Floats prepared, ConstFloats weight, const ConvGeometry& g) {
  if constexpr (kBf16Tiles) {
    if (by_tiles(g)) return bf16x2::conv_prepare(prepared, weight, g);
  }
  cnn::direct::conv_prepare(prepared, weight, g);
}

}  // namespace direct

namespace winograd {

void conv(Blocked output, const Loaded& input, const ConvWeights& weight, const Epilogue& epilogue, const ConvGeometry& g, int batch,
          const Scratch& scratch) {
  if constexpr (kBf16Tiles) {
    if (by_tiles(g)) return bf16x2::conv(output, input, weight, epilogue, g, batch, scratch);
  }
  cnn::winograd::conv(output, input, weight, epilogue, g, batch, scratch);
}

void conv_prepare(Floats prepared, ConstFloats weight, const ConvGeometry& g) {
  if constexpr (kBf16Tiles) {
    if (by_tiles(g)) return bf16x2::conv_prepare(prepared, weight, g);
  }
  cnn::winograd::conv_prepare(prepared, weight, g);
}

void conv_2x2(Blocked output, const Loaded& input, const ConvWeights& weight, const Epilogue& epilogue, const ConvGeometry& g, int batch,
              const Scratch& scratch) {
  if constexpr (kBf16Tiles) {
    if (by_tiles(g)) return bf16x2::conv(output, input, weight, epilogue, g, batch, scratch);
  }
  cnn::winograd::conv_2x2(output, input, weight, epilogue, g, batch, scratch);
}

void conv_2x2_prepare(Floats prepared, ConstFloats weight, const ConvGeometry& g) {
  if constexpr (kBf16Tiles) {
    if (by_tiles(g)) return bf16x2::conv_prepare(prepared, weight, g);
  }
  cnn::winograd::conv_2x2_prepare(prepared, weight, g);
}

void conv_backward_input(const Result& d_input, ConstBlocked d_output, ConstFloats weight, const ConvGeometry& g, int batch,
                         const Scratch& scratch) {
  if constexpr (kBf16Tiles) {
    if (by_tiles(g)) return bf16x2::conv_backward_input(d_input, d_output, weight, g, batch, scratch);
  }
  cnn::winograd::conv_backward_input(d_input, d_output, weight, g, batch, scratch);
}

void conv_backward_params(Floats d_weight, Floats d_bias, ConstBlocked d_output, const Loaded& input, const ConvGeometry& g, int batch,
                          const Scratch& scratch) {
  if constexpr (kBf16Tiles) {
    if (by_tiles(g)) return bf16x2::conv_backward_params(d_weight, d_bias, d_output, input, g, batch, scratch);
  }
  cnn::winograd::conv_backward_params(d_weight, d_bias, d_output, input, g, batch, scratch);
}

void conv_backward_params(Floats d_weight, ConstBlocked d_output, const Loaded& input, const ConvGeometry& g, int batch,
                          const Scratch& scratch) {
  if constexpr (kBf16Tiles) {
    if (by_tiles(g)) return bf16x2::conv_backward_params(d_weight, d_output, input, g, batch, scratch);
  }
  cnn::winograd::conv_backward_params(d_weight, d_output, input, g, batch, scratch);
}

}  // namespace winograd

}  // namespace cnn::fast
