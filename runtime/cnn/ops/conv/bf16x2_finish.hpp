// Where the sums of tiles go: bias, scale and shift, an addend, an activation, or what one cut off, then the map. For conv's sources only.
#pragma once

#include <span>

#include "cnn/core/bf16_tiles.hpp"
#include "cnn/ops/conv/bf16x2.hpp"

#if defined(CNN_BF16_TILES)

namespace cnn::bf16x2 {

/// Columns of a tile that go to places `spacing` apart in the target.
struct Piece {
  __mmask16 lanes;
  std::ptrdiff_t target;  // where lane 0 would go, without image and channel
};

/// The pieces of the sixteen columns from `column` on of planes whose rows have `width`; returns how many there are.
inline int pieces_of(Piece (&pieces)[kTile], const Correlation& c, int width, int column) {
  const CorrelationAxis& v = c.vertical;
  const CorrelationAxis& h = c.horizontal;
  int count = 0;
  int row = column / width, x = column % width;
  for (int lane = 0; lane < kTile && row < v.count; x = 0, ++row) {
    const int end = std::min(lane + width - x, kTile);        // of the row
    const int last = std::min(lane + h.count - x, end);       // of its outputs
    if (last > lane) {
      pieces[count++] = {static_cast<__mmask16>(((1u << last) - 1) & ~((1u << lane) - 1)),
                         static_cast<std::ptrdiff_t>(v.first + row * v.spacing) * h.target + h.first + (x - lane) * h.spacing};
    }
    lane = end;
  }
  return count;
}

/// Stores what sums become.
class Finish {
 public:
  Finish(const CorrelationTarget& target, const Correlation& c)
      : map_(target.map),
        epilogue_(target.epilogue),
        channels_(target.channels),
        spacing_(c.horizontal.spacing),
        plane_(static_cast<std::ptrdiff_t>(c.vertical.target) * c.horizontal.target),
        least_(_mm512_set1_ps(least_of(epilogue_.activation))),
        most_(_mm512_set1_ps(most_of(epilogue_.activation))),
        most_behind_(_mm512_set1_ps(most_of(epilogue_.behind))),
        places_(_mm512_mullo_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), _mm512_set1_epi32(spacing_))) {}

  void operator()(const float* sums, bool side_by_side, int row, int image, std::span<const Piece> pieces) const {
    const int rows = std::min(kTile, channels_ - row);
    __m512i values[kTile];
    for (int i = 0; i < kTile; ++i) values[i] = _mm512_load_si512(sums + i * kTile);
    if (!side_by_side) transpose(values);
    for (const Piece& piece : pieces) {
      float* to = map_.block(image) + row * plane_ + piece.target;
      const float* addend = epilogue_.addend.data == nullptr ? nullptr : epilogue_.addend.block(image) + row * plane_ + piece.target;
      for (int i = 0; i < rows; ++i, to += plane_) {
        __m512 value = _mm512_castsi512_ps(values[i]);
        if (epilogue_.bias != nullptr) value = _mm512_add_ps(value, _mm512_set1_ps(epilogue_.bias[row + i]));
        if (epilogue_.affine != nullptr) {
          value = _mm512_fmadd_ps(value, _mm512_set1_ps(epilogue_.affine[row + i]), _mm512_set1_ps(epilogue_.affine[channels_ + row + i]));
        }
        if (addend != nullptr) value = _mm512_add_ps(value, load(addend + i * plane_, piece.lanes));
        value = _mm512_min_ps(most_, _mm512_max_ps(least_, value));
        if (epilogue_.behind != Activation::kNone) {
          const __m512 output = load(to, piece.lanes);
          const __mmask16 passes = _mm512_cmp_ps_mask(output, _mm512_setzero_ps(), _CMP_GT_OQ) & _mm512_cmp_ps_mask(output, most_behind_, _CMP_LT_OQ);
          value = _mm512_maskz_mov_ps(passes, value);
        }
        if (spacing_ == 1) {
          _mm512_mask_storeu_ps(to, piece.lanes, value);
        } else {
          _mm512_mask_i32scatter_ps(to, piece.lanes, places_, value, sizeof(float));
        }
      }
    }
  }

 private:
  __m512 load(const float* from, __mmask16 lanes) const {
    return spacing_ == 1 ? _mm512_maskz_loadu_ps(lanes, from)
                         : _mm512_mask_i32gather_ps(_mm512_setzero_ps(), lanes, places_, from, sizeof(float));
  }

  Blocked map_;
  const Epilogue& epilogue_;
  int channels_;
  int spacing_;
  std::ptrdiff_t plane_;
  __m512 least_, most_, most_behind_;
  __m512i places_;
};

}  // namespace cnn::bf16x2

#endif
