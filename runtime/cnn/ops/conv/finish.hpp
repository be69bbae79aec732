// Where the sums of a tile leave registers: bias, scale and shift, an addend, an activation, or what one cut off, then the map. For conv's sources
// and those of kernels that end with a 1x1 convolution.
#pragma once


#include "cnn/core/multiply_panels.hpp"
#include "cnn/ops/conv/tile_columns.hpp"

namespace cnn {

/// Stores what a tile's sums become.
class Finish {
 public:
  Finish(const Blocked& target, const Epilogue& epilogue, const Correlation& c, const TileColumns& columns)
      : target_(target),
        epilogue_(epilogue),
        c_(c),
        columns_(columns),
        plane_(Planes(c).target * c.block),
        least_(least_of(epilogue.activation)),
        most_(most_of(epilogue.activation)),
        most_behind_(most_of(epilogue.behind)),
        behind_(epilogue.behind != Activation::kNone),
        plain_(epilogue.bias == nullptr && epilogue.affine == nullptr && epilogue.addend.data == nullptr &&
               epilogue.activation == Activation::kNone && !behind_) {}

  /// Asks for what storing the panels that come two rows of panels later will read. Each row is one line or two of a plane of its own,
  /// which the processor does not see coming.
  void ask_ahead(int row, int panel) const {
    row += 2 * kPanelRows;
    const int rows = panel_count(c_.out_channels, kPanelRows) * kPanelRows;
    if (row >= rows) {
      row -= rows;
      panel += kPanelsAtOnce;
    }
    if (row >= c_.out_channels || panel * kPanelColumns >= columns_.count) return;
    if (epilogue_.addend.data != nullptr) ask_for_rows(epilogue_.addend.data, columns_.addend, row, panel);
    if (behind_) ask_for_rows(target_.data, columns_.target, row, panel);
  }

  /// Stores one panel's sums: rows from `row`, columns of `panel`.
  [[gnu::always_inline]] void operator()(const PanelSums& sums, int row, int panel) const {
    const int rows = std::min(kPanelRows, c_.out_channels - row);
    const int first = panel * kPanelColumns;
    const int channel = c_.group * c_.out_channels + row;
    float* to = target_.data + channel * plane_;
    // Rows are counted by the compiler in each of these loops: sums with a number known only here would go through memory.
    if (!columns_.together[panel]) {
#pragma GCC unroll 6
      for (int i = 0; i < kPanelRows; ++i, to += plane_) {
        if (i < rows) store_apart(to, mapped(sums.rows[i][0], channel + i), mapped(sums.rows[i][1], channel + i), channel + i, first);
      }
      return;
    }
    to += columns_.target[first];
    if (plain_) {
#pragma GCC unroll 6
      for (int i = 0; i < kPanelRows; ++i, to += plane_) {
        if (i >= rows) return;
        store(to, sums.rows[i][0]);
        store(to + kLanes, sums.rows[i][1]);
      }
      return;
    }
    const float* addend = epilogue_.addend.data == nullptr ? nullptr : epilogue_.addend.data + channel * plane_ + columns_.addend[first];
#pragma GCC unroll 6
    for (int i = 0; i < kPanelRows; ++i, to += plane_) {
      if (i >= rows) return;
      Vector left = mapped(sums.rows[i][0], channel + i);
      Vector right = mapped(sums.rows[i][1], channel + i);
      if (addend != nullptr) {
        left += load(addend);
        right += load(addend + kLanes);
        addend += plane_;
      }
      left = clamped(left);
      right = clamped(right);
      if (behind_) {
        left = passed(left, load(to), broadcast(most_behind_));
        right = passed(right, load(to + kLanes), broadcast(most_behind_));
      }
      store(to, left);
      store(to + kLanes, right);
    }
  }

 private:
  void ask_for_rows(const float* map, const std::ptrdiff_t* places, int row, int panel) const {
    const int rows = std::min(kPanelRows, c_.out_channels - row);
    const int last = std::min((panel + 1) * kPanelColumns, columns_.count) - 1;
    const float* plane = map + (c_.group * c_.out_channels + row) * plane_;
    for (int i = 0; i < rows; ++i, plane += plane_) {
      ask_for(plane + places[panel * kPanelColumns]);
      ask_for(plane + places[last]);
    }
  }

  Vector mapped(Vector value, int channel) const {
    if (epilogue_.bias != nullptr) value += epilogue_.bias[channel];
    if (epilogue_.affine != nullptr) value = value * epilogue_.affine[channel] + epilogue_.affine[c_.groups * c_.out_channels + channel];
    return value;
  }
  Vector clamped(Vector value) const { return at_most(at_least(value, broadcast(least_)), broadcast(most_)); }

  [[gnu::noinline]] void store_apart(float* to, Vector left, Vector right, int channel, int first) const {
    const int count = columns_.count - first;
    if (epilogue_.addend.data != nullptr) {
      alignas(64) float addends[kPanelColumns] = {};
      const float* addend = epilogue_.addend.data + channel * plane_;
      for (int i = 0; i < std::min(count, kPanelColumns); ++i) addends[i] = addend[columns_.addend[first + i]];
      left += load(addends);
      right += load(addends + kLanes);
    }
    left = clamped(left);
    right = clamped(right);
    const std::ptrdiff_t* places = columns_.target + first;
    if (behind_) {
      alignas(64) float outputs[kPanelColumns] = {};
      for (int i = 0; i < std::min(count, kPanelColumns); ++i) outputs[i] = to[places[i]];
      left = passed(left, load(outputs), broadcast(most_behind_));
      right = passed(right, load(outputs + kLanes), broadcast(most_behind_));
    }
    if (count >= kPanelColumns) {  // each from its lane, without a detour through memory
#pragma GCC unroll 8
      for (int i = 0; i < kLanes; ++i) to[places[i]] = left[i];
#pragma GCC unroll 8
      for (int i = 0; i < kLanes; ++i) to[places[kLanes + i]] = right[i];
      return;
    }
    alignas(64) float numbers[kPanelColumns];
    store(numbers, left);
    store(numbers + kLanes, right);
    for (int i = 0; i < count; ++i) to[places[i]] = numbers[i];
  }

  Blocked target_;
  const Epilogue& epilogue_;
  const Correlation& c_;
  const TileColumns& columns_;
  std::ptrdiff_t plane_;  // of all images of a block
  float least_, most_, most_behind_;
  bool behind_, plain_;
};

}  // namespace cnn
