# The kernels of the sample library: a few, so that it builds quickly.
set(runtime "${PROJECT_SOURCE_DIR}/runtime")
file(GLOB sample_kernels CONFIGURE_DEPENDS
  "${runtime}/cnn/ops/conv.cpp" "${runtime}/cnn/ops/conv_siblings.cpp" "${runtime}/cnn/ops/conv/*.cpp" "${runtime}/cnn/ops/dense.cpp" "${runtime}/cnn/ops/dense/*.cpp"
  "${runtime}/cnn/ops/bn.cpp" "${runtime}/cnn/ops/bn/*.cpp" "${runtime}/cnn/ops/tanh.cpp" "${runtime}/cnn/ops/cross_entropy.cpp")
set(sample_once "${runtime}/cnn/core/instructions.cpp" "${runtime}/cnn/core/team.cpp"
                "${CMAKE_CURRENT_LIST_DIR}/plain_sgemm.cpp")
set(sample_options -O3 -fno-math-errno -fno-trapping-math)
