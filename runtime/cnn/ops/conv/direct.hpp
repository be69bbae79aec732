// Convolutions forward by tiles of sums in registers, a few places side by side by sixteen or 32 output channels. What they multiply is
// read where it lies, numbers of the input one by one and weights of sixteen output channels in a row, so that no columns are gathered
// and a map of 7x7 fills its tiles as well as one of 56x56: the way of few images. A 1x1 kernel of stride 1 reads the map as it is. For others,
// and where it is mapped as it is loaded, each thread copies the rows that it reads into planes of its own, with their padding.
#pragma once

#include "cnn/ops/conv/plane_axis.hpp"

namespace cnn::direct {

inline constexpr int kPanelChannels = 16;  // output channels of a panel of weights
inline constexpr int kPanelsAtOnce = 2;    // of weights, at most
inline constexpr int kTilePlaces = 7;      // side by side, at most: maps of 7, 14, 28, 56 and 112 places are whole tiles
inline constexpr int kBandTiles = 28;      // whose sums a task keeps: 25 KiB

/// The planes of a correlation's channels, as far as `rows` rows of outputs read them.
struct Layout {
  PlaneAxis vertical, horizontal;
  int rows;

  constexpr Layout(const Correlation& c, int rows) : vertical(c.vertical, false), horizontal(c.horizontal, false), rows(rows) {}

  constexpr int width() const { return horizontal.extent; }  // of a plane's row
  constexpr int plane_rows() const { return rows + vertical.reach(); }
  constexpr std::ptrdiff_t plane() const { return static_cast<std::ptrdiff_t>(plane_rows()) * width(); }
  /// Floats from one channel's planes to the next one's; they are written in whole vectors.
  constexpr std::ptrdiff_t channel() const { return pitch_of(vertical.planes * horizontal.planes * plane() + kWritten); }
  /// Where tap (y, x) reads for output (0, 0), from a channel's first plane on.
  constexpr std::ptrdiff_t offset_of(int y, int x) const {
    return (vertical.plane[y] * horizontal.planes + horizontal.plane[x]) * plane() + static_cast<std::ptrdiff_t>(vertical.offset[y]) * width() +
           horizontal.offset[x];
  }

 private:
  static constexpr int kWritten = 8;
};

inline constexpr int kBandPlaces = kBandTiles * kTilePlaces;
inline constexpr int kBandSums = kBandPlaces * kPanelsAtOnce * kPanelChannels;  // floats

/// The most rows of outputs that a band's tiles are part of.
constexpr int band_rows(const Correlation& c) {
  return c.outputs() == 0 ? 0 : std::min(kBandPlaces / c.horizontal.count + 2, c.vertical.count);
}

/// Floats between channels of a band's copy where a kernel of 1x1 reads no more than the band's places.
constexpr std::ptrdiff_t places_channel(int places) { return pitch_of(places); }

/// Floats that the copy of a band takes.
constexpr std::ptrdiff_t copy_floats(const ConvGeometry& g) {
  const Correlation c = forward_correlation(g);
  return g.in_channels * (g.pointwise() ? places_channel(std::min(kBandPlaces, c.outputs())) : Layout(c, band_rows(c)).channel());
}

/// As cnn::conv_prepare: weights as [panel of output channels][input channel][tap][kPanelChannels].
constexpr std::size_t conv_prepared_floats(const ConvGeometry& g) {
  return static_cast<std::size_t>(panel_count(g.out_channels, kPanelChannels)) * kPanelChannels * static_cast<std::size_t>(g.depth());
}
void conv_prepare(Floats prepared, ConstFloats weight, const ConvGeometry& geometry);

/// A band's sums and its input's planes for each thread.
constexpr ScratchSize conv_prepared_scratch(const ConvGeometry& g, int /*batch*/) {
  return {.per_thread = static_cast<std::size_t>(kBandSums + copy_floats(g))};
}
constexpr ScratchSize conv_scratch(const ConvGeometry& g, int batch) {
  ScratchSize size = direct::conv_prepared_scratch(g, batch);
  size.shared = direct::conv_prepared_floats(g);
  return size;
}

/// As cnn::conv, where has_planes(geometry).
void conv(Blocked output, const Loaded& input, const ConvWeights& weight, const Epilogue& epilogue, const ConvGeometry& geometry, int batch,
          const Scratch& scratch);

}  // namespace cnn::direct
