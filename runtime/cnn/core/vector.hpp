// Eight floats at a time, in the compiler's own vectors: what the processor has of them is used, the rest is done in parts.
// For kernels' sources only.
#pragma once

#include <cstddef>

namespace cnn {

using Vector = float __attribute__((vector_size(32)));
using UnalignedVector = float __attribute__((vector_size(32), aligned(4), may_alias));

inline constexpr int kLanes = 8;

/// Half of one, for what is too short for a whole.
using UnalignedFour = float __attribute__((vector_size(16), aligned(4), may_alias));

/// As many floats as a register holds, but eight at least: for sources that have enough to do for sixteen.
#if defined(__AVX512F__)
using Wide = float __attribute__((vector_size(64)));
#else
using Wide = Vector;
#endif
inline constexpr int kWideLanes = sizeof(Wide) / sizeof(float);

/// A Vector or a Wide from memory.
template <class V>
V load_as(const float* from) {
  V value;
  __builtin_memcpy(&value, from, sizeof value);
  return value;
}

inline Vector load(const float* from) {
  return *reinterpret_cast<const UnalignedVector*>(from);
}

/// Every other of 16 elements.
inline Vector load_apart(const float* from) {
  return __builtin_shufflevector(load(from), load(from + kLanes), 0, 2, 4, 6, 8, 10, 12, 14);
}

/// The even elements of two vectors that follow each other.
inline Wide every_other(Wide near, Wide far) {
#if defined(__AVX512F__)
  return __builtin_shufflevector(near, far, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#else
  return __builtin_shufflevector(near, far, 0, 2, 4, 6, 8, 10, 12, 14);
#endif
}

/// The first `count` of eight elements, 1 to 7; the others are 0. Nothing behind them is read.
inline Vector load_part(const float* from, int count) {
  using Places = int __attribute__((vector_size(32)));
  if (count < 4) {
    Vector value = {};
    for (int i = 0; i < count; ++i) value[i] = from[i];
    return value;
  }
  const UnalignedFour low = *reinterpret_cast<const UnalignedFour*>(from);
  const UnalignedFour high = *reinterpret_cast<const UnalignedFour*>(from + count - 4);
  const Vector both = __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
  const Places place = {0, 1, 2, 3, 4, 5, 6, 7};
  const Vector value = __builtin_shuffle(both, place < 4 ? place : place + 8 - count);
  return place < count ? value : Vector{};
}

inline void store(float* to, Vector value) {
  *reinterpret_cast<UnalignedVector*>(to) = value;
}

#if defined(__AVX512F__)
inline void store(float* to, Wide value) {
  __builtin_memcpy(to, &value, sizeof value);
}

/// The first or the second eight of sixteen.
template <int kHalf>
Vector half_of(Wide value) {
  constexpr int kFirst = kHalf * kLanes;
  return __builtin_shufflevector(value, value, kFirst, kFirst + 1, kFirst + 2, kFirst + 3, kFirst + 4, kFirst + 5, kFirst + 6, kFirst + 7);
}
#endif

/// The first `count` of eight elements, 1 to 7; nothing behind them is written.
inline void store_part(float* to, Vector value, int count) {
  using Places = int __attribute__((vector_size(32)));
  if (count < 4) {
    for (int i = 0; i < count; ++i) to[i] = value[i];
    return;
  }
  const Vector last = __builtin_shuffle(value, (Places{0, 1, 2, 3, 4, 5, 6, 7} + (count - 4)) & 7);
  *reinterpret_cast<UnalignedFour*>(to) = __builtin_shufflevector(value, value, 0, 1, 2, 3);
  *reinterpret_cast<UnalignedFour*>(to + count - 4) = __builtin_shufflevector(last, last, 0, 1, 2, 3);
}

/// The first `count` of eight elements as far as there are any, the others 0; eight of them if there are more.
inline Vector load_first(const float* from, int count) {
  if (count >= kLanes) return load(from);
  return count > 0 ? load_part(from, count) : Vector{};
}
inline void store_first(float* to, Vector value, int count) {
  if (count >= kLanes) return store(to, value);
  if (count > 0) store_part(to, value, count);
}

/// A value that GCC knows nothing about any more: it neither loads it again where it is used twice, since loads are what
/// kernels are short of, nor makes a call of memset out of a few stores of zeros.
inline Vector once(Vector value) {
#if defined(__AVX__)
  asm("" : "+x"(value));
#endif
  return value;
}

inline Vector load_once(const float* from) {
  return once(load(from));
}

/// `count` zeros and up to seven more; eight for none.
inline void clear_beyond(float* to, int count) {
  const Vector zeros = once(Vector{});
  do {
    store(to, zeros);
    to += kLanes;
    count -= kLanes;
  } while (count > 0);
}

/// `count` zeros.
inline void clear(float* to, int count) {
  if (count >= kLanes) {
    clear_beyond(to, count / kLanes * kLanes);
    store(to + count - kLanes, Vector{});
  } else if (count >= 4) {
    *reinterpret_cast<UnalignedFour*>(to) = UnalignedFour{};
    *reinterpret_cast<UnalignedFour*>(to + count - 4) = UnalignedFour{};
  } else if (count > 0) {
    to[0] = to[count / 2] = to[count - 1] = 0;
  }
}

/// The same number in all lanes.
template <class V = Vector>
V broadcast(float value) {
  return value - V{};
}

/// The larger of the two; NaN stays NaN.
template <class V>
V at_least(V value, V least) {
  return least > value ? least : value;
}

template <class V>
V at_most(V value, V most) {
  return most < value ? most : value;
}

/// Rows become columns.
inline void transpose(Vector (&rows)[kLanes]) {
  Vector pairs[kLanes];
  for (int i = 0; i < kLanes; i += 2) {
    pairs[i] = __builtin_shufflevector(rows[i], rows[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    pairs[i + 1] = __builtin_shufflevector(rows[i], rows[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
  Vector fours[kLanes];
  for (int i = 0; i < kLanes; i += 4) {
    for (int j = 0; j < 2; ++j) {
      fours[i + j] = __builtin_shufflevector(pairs[i + j], pairs[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      fours[i + j + 2] = __builtin_shufflevector(pairs[i + j], pairs[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  }
  for (int i = 0; i < 4; ++i) {
    rows[i] = __builtin_shufflevector(fours[i], fours[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    rows[i + 4] = __builtin_shufflevector(fours[i], fours[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

#if defined(__AVX512F__)
/// The same of both halves: eight rows of sixteen, of which each half becomes a column.
inline void transpose(Wide (&rows)[kLanes]) {
  Wide pairs[kLanes];
  for (int i = 0; i < kLanes; i += 2) {
    pairs[i] = __builtin_shufflevector(rows[i], rows[i + 1], 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30);
    pairs[i + 1] = __builtin_shufflevector(rows[i], rows[i + 1], 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
  }
  Wide fours[kLanes];
  for (int i = 0; i < kLanes; i += 4) {
    for (int j = 0; j < 2; ++j) {
      fours[i + j] = __builtin_shufflevector(pairs[i + j], pairs[i + j + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
      fours[i + j + 2] = __builtin_shufflevector(pairs[i + j], pairs[i + j + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    }
  }
  for (int i = 0; i < 4; ++i) {
    rows[i] = __builtin_shufflevector(fours[i], fours[i + 4], 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27);
    rows[i + 4] = __builtin_shufflevector(fours[i], fours[i + 4], 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
  }
}
#endif

}  // namespace cnn
