// Depthwise sums of 3x3 windows, padded by 1, of maps that lie one row after the other, without margins: what a window reads
// beside its map is masked out. Where the stride is 2, the maps lie in four phases. For separable.cpp only.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "cnn/core/panels.hpp"
#include "cnn/ops/depthwise_planes.hpp"
#include "cnn/ops/separable.hpp"

namespace cnn {

/// The columns: `rows` rows of `width` windows of each of `images` maps; whether they begin with a map's first row, and end with
/// its last.
struct WindowColumns {
  int images, rows, width;
  bool first, last;

  int columns() const { return images * rows * width; }
};

/// Where the middle element of a row of a window lies, and the one behind it; with stride 2 they are in different phases, and the one
/// before the middle is before the one behind it.
struct WindowRow {
  std::ptrdiff_t middle, behind;
};

/// Which elements of windows lie in the map; the same for all channels.
class Windows3x3 {
 public:
  /// `rows`: where the three rows of the first column's window lie in a channel's plane; the next column's windows follow.
  /// `memory` has WindowsLayout::floats(). Windows of stride 2 on maps of even size end in the map.
  Windows3x3(const WindowColumns& c, int stride, const std::array<WindowRow, 3>& rows, float* memory)
      : panels_(panel_count(c.columns(), kPanelColumns)), stride_(stride), rows_(rows), masks_(reinterpret_cast<std::int32_t*>(memory)),
        inside_(masks_ + kSides * side_length()) {
    std::fill(masks_, inside_, 0);
    int column = 0;
    for (int image = 0; image < c.images; ++image) {
      for (int y = 0; y < c.rows; ++y, column += c.width) {
        std::fill_n(side(kTop) + column, c.width, y > 0 || !c.first ? kYes : 0);
        std::fill_n(side(kLeft) + column + 1, c.width - 1, kYes);
        std::fill_n(side(kRight) + column, stride == 1 ? c.width - 1 : c.width, kYes);
        std::fill_n(side(kBottom) + column, c.width, y < c.rows - 1 || !c.last || stride == 2 ? kYes : 0);
      }
    }
    for (int vector = 0; vector < panels_ * kPanelColumns / kLanes; ++vector) {
      Mask all = mask(kTop, vector) & mask(kLeft, vector) & mask(kRight, vector) & mask(kBottom, vector);
      std::int32_t one = kYes;
      for (int lane = 0; lane < kLanes; ++lane) one &= all[lane];
      inside_[vector] = one;
    }
  }

  /// A channel's sums with `weight` [9], as a step of right panels `stride` apart.
  void sum(float* right, std::ptrdiff_t stride, const float* plane, const float* weight, const PlaneEpilogue& epilogue) const {
    if (stride_ == 1) {
      sum_all<1>(right, stride, plane, weight, epilogue);
    } else {
      sum_all<2>(right, stride, plane, weight, epilogue);
    }
  }

 private:
  using Mask = std::int32_t __attribute__((vector_size(32)));
  enum Side { kTop, kLeft, kRight, kBottom };
  static constexpr int kSides = WindowsLayout::kSides;
  static constexpr std::int32_t kYes = -1;
  static constexpr auto kAll = [](Vector value) { return value; };
  // The epilogue is a copy, since stores of vectors may change anything else.
  template <int kStride>
  void sum_all(float* right, std::ptrdiff_t stride, const float* plane, const float* weight, const PlaneEpilogue epilogue) const {
    Vector weights[9];
    for (int tap = 0; tap < 9; ++tap) weights[tap] = broadcast(weight[tap]);
    const float* const middles[3] = {plane + rows_[0].middle, plane + rows_[1].middle, plane + rows_[2].middle};
    const float* const behind[3] = {plane + rows_[0].behind, plane + rows_[1].behind, plane + rows_[2].behind};
    // With stride 1 all three elements are beside each other, which takes fewer registers.
    const auto product = [&](int row, int x, std::ptrdiff_t at, const auto& keep) __attribute__((always_inline)) {
      const float* place = kStride == 1 ? middles[row] + x - 1 : x == 1 ? middles[row] : behind[row] - (x == 0 ? 1 : 0);
      return weights[3 * row + x] * keep(load(place + at));
    };
    // In the same order with and without masks, so that sums differ in nothing.
    const auto sum = [&](std::ptrdiff_t at, const auto& top, const auto& left, const auto& after, const auto& bottom) __attribute__((always_inline)) {
      const auto column = [&](int x) { return product(0, x, at, top) + product(1, x, at, kAll) + product(2, x, at, bottom); };
      const Vector total = epilogue.bias + (column(1) + (left(column(0)) + after(column(2))));
      return at_most(at_least(total * epilogue.scale + epilogue.shift, epilogue.least), epilogue.most);
    };
    for (int panel = 0; panel < panels_; ++panel, right += stride) {
      for (int half = 0; half < 2; ++half) {
        const int vector = 2 * panel + half;
        const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(vector) * kLanes;
        if (inside_[vector] != 0) {
          store(right + half * kLanes, sum(at, kAll, kAll, kAll, kAll));
        } else {
          const auto keep = [&](Side side) { return [this, side, vector](Vector value) { return kept(value, mask(side, vector)); }; };
          store(right + half * kLanes, sum(at, keep(kTop), keep(kLeft), keep(kRight), keep(kBottom)));
        }
      }
    }
  }

  std::ptrdiff_t side_length() const { return static_cast<std::ptrdiff_t>(panels_) * kPanelColumns; }
  std::int32_t* side(Side side) const { return masks_ + side * side_length(); }
  Mask mask(Side of, int vector) const { return std::bit_cast<Mask>(load(reinterpret_cast<const float*>(side(of) + vector * kLanes))); }
  static Vector kept(Vector value, Mask mask) { return std::bit_cast<Vector>(std::bit_cast<Mask>(value) & mask); }

  int panels_, stride_;
  std::array<WindowRow, 3> rows_;
  std::int32_t* masks_;
  std::int32_t* inside_;
};

}  // namespace cnn
