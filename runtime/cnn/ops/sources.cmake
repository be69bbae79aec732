add_kernels(cnn
  ops/adaptive_avgpool.cpp ops/add.cpp ops/avgpool.cpp ops/binary_cross_entropy.cpp ops/bn.cpp
  ops/connected_conv.cpp ops/conv.cpp ops/conv/bf16x2.cpp ops/conv/bf16x2_params.cpp ops/conv/bf16x2_weights.cpp ops/conv/column_rows.cpp
  ops/conv/column_strips.cpp ops/conv/direct.cpp ops/conv/fast.cpp ops/conv/correlation.cpp ops/conv/params.cpp ops/conv/tile_columns.cpp ops/conv_siblings.cpp
  ops/conv/winograd.cpp ops/conv/winograd_params.cpp
  ops/copy.cpp ops/cross_entropy.cpp ops/dense.cpp ops/dense/few_images.cpp
  ops/dropout.cpp ops/dwconv.cpp ops/flatten.cpp ops/gap.cpp ops/gelu.cpp ops/hardswish.cpp
  ops/lanes/avgpool.cpp ops/lanes/conv.cpp ops/lanes/conv_params.cpp ops/lanes/dense.cpp ops/lanes/layout.cpp
  ops/lanes/maxpool.cpp
  ops/layout.cpp ops/leaky_relu.cpp ops/lenet5_map.cpp ops/lrn.cpp ops/maxpool.cpp ops/mean_squared_error.cpp ops/mul.cpp
  ops/pad.cpp ops/rbf.cpp ops/relu.cpp ops/relu6.cpp ops/scaled_tanh.cpp ops/separable.cpp ops/sigmoid.cpp ops/silu.cpp
  ops/softmax.cpp ops/stochastic_depth.cpp ops/subsample.cpp ops/tanh.cpp
  ops/upsample.cpp)
