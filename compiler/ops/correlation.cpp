#include "ops/correlation.hpp"

#include <algorithm>
#include <set>

namespace cnnc::ops {

namespace {

Axis forward_axis(const WindowAxis& axis) {
  Axis result{.count = axis.out, .stride = axis.stride, .reads = {}};
  for (std::int64_t tap = 0; tap < axis.kernel; ++tap) result.reads.push_back(tap * axis.dilation - axis.pad);
  return result;
}

// Of the places phase, phase + stride, ... of `size`.
Axis backward_axis(const WindowAxis& axis, std::int64_t size, std::int64_t phase) {
  Axis result{.count = size > phase ? pieces(size - phase, axis.stride) : 0, .stride = 1, .reads = {}};
  for (std::int64_t tap = 0; tap < axis.kernel; ++tap) {
    const std::int64_t place = phase + axis.pad - tap * axis.dilation;
    if (place % axis.stride == 0) result.reads.push_back(place / axis.stride);
  }
  return result;
}

}  // namespace

PlaneAxis::PlaneAxis(const Axis& axis, bool spread) : extent(axis.count), taps(static_cast<std::int64_t>(axis.reads.size())) {
  if (spread) {
    planes = taps, taps = 1;
    return;
  }
  const auto steps = [&](std::int64_t place) { return place >= 0 ? place / axis.stride : -((axis.stride - 1 - place) / axis.stride); };
  std::set<std::int64_t> starts;
  std::int64_t least = 0, most = 0;
  for (const std::int64_t place : axis.reads) {
    least = starts.empty() ? steps(place) : std::min(least, steps(place));
    most = starts.empty() ? steps(place) : std::max(most, steps(place));
    starts.insert(place - steps(place) * axis.stride);
  }
  planes = static_cast<std::int64_t>(starts.size());
  reach = most - least;
  extent += reach;
}

ConvolutionCorrelations::ConvolutionCorrelations(const ir::OpContext& context)
    : window_(std::get<Window>(window("conv", context.inputs[0], context.arguments))),
      in_(context.inputs[0].channels),
      out_(context.output.channels),
      in_height_(context.inputs[0].height),
      in_width_(context.inputs[0].width) {}

bool ConvolutionCorrelations::pointwise() const {
  const auto plain = [](const WindowAxis& axis, std::int64_t size) {
    return axis.kernel == 1 && axis.stride == 1 && axis.pad == 0 && axis.out == size;
  };
  return plain(window_.height, in_height_) && plain(window_.width, in_width_);
}

Correlation ConvolutionCorrelations::forward() const {
  if (pointwise()) return {.vertical = {.count = 1}, .horizontal = {.count = in_height_ * in_width_}, .in = in_, .out = out_};
  return {.vertical = forward_axis(window_.height), .horizontal = forward_axis(window_.width), .in = in_, .out = out_};
}

Correlation ConvolutionCorrelations::backward(std::int64_t phase) const {
  if (pointwise()) return {.vertical = {.count = 1}, .horizontal = {.count = in_height_ * in_width_}, .in = out_, .out = in_};
  return {.vertical = backward_axis(window_.height, in_height_, phase / window_.width.stride),
          .horizontal = backward_axis(window_.width, in_width_, phase % window_.width.stride),
          .in = out_,
          .out = in_};
}

bool has_planes(const ir::OpContext& context) {
  constexpr std::int64_t kMostPhases = 8, kMostTaps = 16;
  const Window w = std::get<Window>(window("conv", context.inputs[0], context.arguments));
  return context.arguments.integer("groups") == 1 && context.block == 1 && std::max(w.height.stride, w.width.stride) <= kMostPhases &&
         std::max(w.height.kernel, w.width.kernel) <= kMostTaps;
}

}  // namespace cnnc::ops
