// Products of tiles of bf16 numbers (Intel's AMX), and floats as sums of two such numbers. For kernels' sources only; to be called only
// where cnn::has_bf16_tiles().
#pragma once

#if defined(__AVX512BW__) && defined(__x86_64__)
#define CNN_BF16_TILES 1
#endif

namespace cnn {

/// Whether what follows is compiled, for sources that are compiled several times.
#if defined(CNN_BF16_TILES)
constexpr bool kBf16Tiles = true;
#else
constexpr bool kBf16Tiles = false;
#endif

}  // namespace cnn

#if defined(CNN_BF16_TILES)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace cnn {

/// This thread's eight tile registers, each of sixteen rows of 64 bytes, for the scope. Written as assembly: no source is compiled for AMX as
/// a whole, and compilers' own functions would have to be.
class TileRegisters {
 public:
  TileRegisters() {
    alignas(64) Configuration all{};
    all.palette = 1;
    for (int i = 0; i < 8; ++i) all.row_bytes[i] = 64, all.rows[i] = 16;
    asm volatile("ldtilecfg %0" : : "m"(all));
  }
  ~TileRegisters() { asm volatile("tilerelease" : : : "memory"); }
  TileRegisters(const TileRegisters&) = delete;
  TileRegisters& operator=(const TileRegisters&) = delete;

 private:
  struct Configuration {
    std::uint8_t palette, start_row, reserved[14];
    std::uint16_t row_bytes[16];
    std::uint8_t rows[16];
  };
};

template <int kRegister>
[[gnu::always_inline]] inline void load_tile(const void* from, std::ptrdiff_t row_bytes) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(row_bytes), "i"(kRegister) : "memory");
}
template <int kRegister>
[[gnu::always_inline]] inline void store_tile(void* to, std::ptrdiff_t row_bytes) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(row_bytes), "i"(kRegister) : "memory");
}
template <int kRegister>
[[gnu::always_inline]] inline void clear_tile() {
  asm volatile("tilezero %%tmm%c0" : : "i"(kRegister));
}
/// sums [16][16] += left [16][32] * right [16 pairs of steps][16 columns][2].
template <int kSums, int kLeft, int kRight>
[[gnu::always_inline]] inline void multiply_tiles() {
  asm volatile("tdpbf16ps %%tmm%c0, %%tmm%c1, %%tmm%c2" : : "i"(kRight), "i"(kLeft), "i"(kSums));
}

/// Sixteen floats, each the sum of two numbers whose lower halves are 0. Both are rounded to the nearest; NaN stays NaN in the sum.
struct SplitFloats {
  __m512i large, small;  // the lower halves are of no meaning

  [[gnu::always_inline]] explicit SplitFloats(__m512 value) {
    const __m512i half = _mm512_set1_epi32(0x8000), upper = _mm512_set1_epi32(static_cast<int>(0xffff0000));
    large = _mm512_add_epi32(_mm512_castps_si512(value), half);
    const __m512 rest = _mm512_sub_ps(value, _mm512_castsi512_ps(_mm512_and_si512(large, upper)));
    small = _mm512_add_epi32(_mm512_castps_si512(rest), half);
  }
};

/// Sixteen pairs: the upper halves of `low` below those of `high`.
[[gnu::always_inline]] inline __m512i paired(__m512i low, __m512i high) {
  // (high & upper) | (low >> 16)
  return _mm512_ternarylogic_epi32(high, _mm512_set1_epi32(static_cast<int>(0xffff0000)), _mm512_srli_epi32(low, 16), 0xea);
}

/// Thirty-two upper halves in order.
[[gnu::always_inline]] inline __m512i in_order(__m512i first, __m512i second) {
  const __m512i packed = _mm512_packus_epi32(_mm512_srli_epi32(first, 16), _mm512_srli_epi32(second, 16));
  return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), packed);
}

/// Rows become columns.
[[gnu::always_inline]] inline void transpose(__m512i (&rows)[16]) {
  __m512i twos[16], fours[16];
  for (int i = 0; i < 16; i += 2) {
    twos[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    twos[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    fours[i] = _mm512_unpacklo_epi64(twos[i], twos[i + 2]);
    fours[i + 1] = _mm512_unpackhi_epi64(twos[i], twos[i + 2]);
    fours[i + 2] = _mm512_unpacklo_epi64(twos[i + 1], twos[i + 3]);
    fours[i + 3] = _mm512_unpackhi_epi64(twos[i + 1], twos[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {  // each of columns i, i + 4, i + 8 and i + 12 in a quarter of rows
    const __m512i even = _mm512_shuffle_i32x4(fours[i], fours[i + 4], 0x88), odd = _mm512_shuffle_i32x4(fours[i], fours[i + 4], 0xdd);
    const __m512i far_even = _mm512_shuffle_i32x4(fours[i + 8], fours[i + 12], 0x88), far_odd = _mm512_shuffle_i32x4(fours[i + 8], fours[i + 12], 0xdd);
    rows[i] = _mm512_shuffle_i32x4(even, far_even, 0x88);
    rows[i + 8] = _mm512_shuffle_i32x4(even, far_even, 0xdd);
    rows[i + 4] = _mm512_shuffle_i32x4(odd, far_odd, 0x88);
    rows[i + 12] = _mm512_shuffle_i32x4(odd, far_odd, 0xdd);
  }
}

/// The first `count` rows, one behind the other.
[[gnu::always_inline]] inline void store_rows(float* to, const __m512i (&rows)[16], int count = 16) {
  for (int i = 0; i < count; ++i) _mm512_storeu_si512(to + i * 16, rows[i]);
}

}  // namespace cnn

#endif
