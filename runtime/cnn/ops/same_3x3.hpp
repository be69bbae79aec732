// Depthwise sums of 3x3 windows around each element of maps that lie one row after the other, without margins: what a window
// reads beside its map is masked out. For separable.cpp only.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "cnn/core/panels.hpp"
#include "cnn/ops/depthwise_planes.hpp"
#include "cnn/ops/separable.hpp"

namespace cnn {

/// The columns: `rows` rows of each of `images` planes of `in_rows` rows, from row `above` on.
struct SameColumns {
  int images, rows, width, in_rows, above;

  int columns() const { return images * rows * width; }
};

/// Which neighbours of the columns are elements of the same map; the same for all channels.
class Same3x3 {
 public:
  /// `memory` has Same3x3Layout::floats().
  Same3x3(const SameColumns& s, float* memory)
      : panels_(panel_count(s.columns(), kPanelColumns)), width_(s.width), first_(s.above * s.width),
        masks_(reinterpret_cast<std::int32_t*>(memory)), inside_(masks_ + kSides * side_length()) {
    std::fill(masks_, inside_, 0);
    int column = 0;
    for (int image = 0; image < s.images; ++image) {
      for (int y = s.above; y < s.above + s.rows; ++y, column += s.width) {
        std::fill_n(side(kTop) + column, s.width, y > 0 ? kYes : 0);
        std::fill_n(side(kLeft) + column + 1, s.width - 1, kYes);
        std::fill_n(side(kRight) + column, s.width - 1, kYes);
        std::fill_n(side(kBottom) + column, s.width, y < s.in_rows - 1 ? kYes : 0);
      }
    }
    for (int vector = 0; vector < panels_ * kPanelColumns / kLanes; ++vector) {
      Mask all = mask(kTop, vector) & mask(kLeft, vector) & mask(kRight, vector) & mask(kBottom, vector);
      std::int32_t one = kYes;
      for (int lane = 0; lane < kLanes; ++lane) one &= all[lane];
      inside_[vector] = one;
    }
  }

  /// A channel's sums with `weight` [9], as a step of right panels `stride` apart. The epilogue is a copy, since stores of vectors
  /// may change anything else.
  void sum(float* right, std::ptrdiff_t stride, const float* plane, const float* weight, const PlaneEpilogue epilogue) const {
    Vector weights[9];
    for (int tap = 0; tap < 9; ++tap) weights[tap] = broadcast(weight[tap]);
    const float* from = plane + first_;
    for (int panel = 0; panel < panels_; ++panel, from += kPanelColumns, right += stride) {
      for (int half = 0; half < 2; ++half) {
        const Vector sum = epilogue.bias + sum_at(from + half * kLanes, 2 * panel + half, weights);
        store(right + half * kLanes, at_most(at_least(sum * epilogue.scale + epilogue.shift, epilogue.least), epilogue.most));
      }
    }
  }

 private:
  using Mask = std::int32_t __attribute__((vector_size(32)));
  enum Side { kTop, kLeft, kRight, kBottom };
  static constexpr int kSides = Same3x3Layout::kSides;
  static constexpr std::int32_t kYes = -1;

  std::ptrdiff_t side_length() const { return static_cast<std::ptrdiff_t>(panels_) * kPanelColumns; }
  std::int32_t* side(Side side) const { return masks_ + side * side_length(); }
  Mask mask(Side of, int vector) const { return std::bit_cast<Mask>(load(reinterpret_cast<const float*>(side(of) + vector * kLanes))); }
  static Vector kept(Vector value, Mask mask) { return std::bit_cast<Vector>(std::bit_cast<Mask>(value) & mask); }

  // Sums in the same order with and without masks, so that they differ in nothing.
  [[gnu::always_inline]] Vector sum_at(const float* from, int vector, const Vector* weights) const {
    const auto sum = [&](const auto& top, const auto& left, const auto& right, const auto& bottom) {
      const auto column = [&](int x) {
        const float* at = from + x - 1;
        return weights[x] * top(load(at - width_)) + weights[3 + x] * load(at) + weights[6 + x] * bottom(load(at + width_));
      };
      return column(1) + (left(column(0)) + right(column(2)));
    };
    constexpr auto kAll = [](Vector value) { return value; };
    if (inside_[vector] != 0) return sum(kAll, kAll, kAll, kAll);
    const auto keep = [&](Side side) { return [this, side, vector](Vector value) { return kept(value, mask(side, vector)); }; };
    return sum(keep(kTop), keep(kLeft), keep(kRight), keep(kBottom));
  }

  int panels_;
  std::ptrdiff_t width_, first_;
  std::int32_t* masks_;
  std::int32_t* inside_;
};

}  // namespace cnn
