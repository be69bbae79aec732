// A convolution's passes as correlations, as runtime/cnn/ops/conv has them: what the sizes of its scratch depend on.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/op_def.hpp"
#include "ops/window.hpp"

namespace cnnc::ops {

/// Pieces of a size that hold `count`, and what they hold.
constexpr std::int64_t pieces(std::int64_t count, std::int64_t piece) {
  return (count + piece - 1) / piece;
}
constexpr std::int64_t whole(std::int64_t count, std::int64_t piece) {
  return pieces(count, piece) * piece;
}

/// cnn::CorrelationAxis, as far as sizes depend on it.
struct Axis {
  std::int64_t count = 0, stride = 1;
  std::vector<std::int64_t> reads = {0};  // what each tap reads of the source, for output 0
};

/// cnn::PlaneAxis; `spread`: each tap has a plane of its own.
struct PlaneAxis {
  std::int64_t planes = 0, extent = 0, taps = 0, reach = 0;

  PlaneAxis(const Axis& axis, bool spread);
};

/// cnn::Correlation of one group.
struct Correlation {
  Axis vertical, horizontal;
  std::int64_t in = 0, out = 0;
};

/// The correlations of a convolution: forward, and of each phase of its input's gradient.
class ConvolutionCorrelations {
 public:
  explicit ConvolutionCorrelations(const ir::OpContext& context);

  /// Whether columns are the input itself.
  bool pointwise() const;
  Correlation forward() const;
  std::int64_t phases() const { return pointwise() ? 1 : window_.height.stride * window_.width.stride; }
  Correlation backward(std::int64_t phase) const;

 private:
  Window window_;
  std::int64_t in_, out_, in_height_, in_width_;
};

/// cnn::has_planes: whether a convolution can go the direct way, or by tiles of bf16 numbers.
bool has_planes(const ir::OpContext& context);

}  // namespace cnnc::ops
