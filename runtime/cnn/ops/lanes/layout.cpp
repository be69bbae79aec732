// Eight elements of eight images at a time.
#include "cnn/ops/lanes/layout.hpp"

#include "cnn/ops/lanes/lanes.hpp"

namespace cnn::lanes {

void to_lanes(Blocked output, ConstFloats images, const MapGeometry& g, int batch) {
  const int count = g.elements();
  constexpr int kInTile = 1024;
  for_each_range(batch, count, std::min(count, kInTile), [&](int block, int begin, int end) {
    const int there = images_in_block(batch, kImages, block);
    const float* from = images.data() + static_cast<std::ptrdiff_t>(block) * kImages * count;
    float* to = output.block(block);
    int element = begin;
    for (; there == kImages && element + kLanes <= end; element += kLanes) {
      for (int half = 0; half < kImages; half += kLanes) {
        Vector rows[kLanes];
        for (int i = 0; i < kLanes; ++i) rows[i] = load(from + static_cast<std::ptrdiff_t>(half + i) * count + element);
        transpose(rows);
        for (int i = 0; i < kLanes; ++i) store(to + static_cast<std::ptrdiff_t>(element + i) * kImages + half, rows[i]);
      }
    }
    for (; element < end; ++element) {
      float* lanes = to + static_cast<std::ptrdiff_t>(element) * kImages;
      for (int i = 0; i < kImages; ++i) lanes[i] = i < there ? from[static_cast<std::ptrdiff_t>(i) * count + element] : 0.0f;
    }
  });
}

}  // namespace cnn::lanes
