// Memory that is asked for before it is needed. For kernels' sources only.
#pragma once

#include <cstddef>

namespace cnn {

/// Asks for the line of an address that will be read before long. GCC takes a function that does nothing else for one without effect
/// and leaves out its calls; the empty statement counts as one.
[[gnu::always_inline]] inline void ask_for(const float* address) {
  __builtin_prefetch(address);
  asm volatile("");
}

/// Asks for the lines of `count` floats.
inline void ask_for(const float* from, int count) {
  constexpr int kLine = 16;
  for (int i = 0; i < count; i += kLine) ask_for(from + i);
}

/// Part of some planes that will be read before long, asked for a few lines at a time while products are made: stretches
/// that are too short for the processor to see them coming.
class Ahead {
 public:
  Ahead() = default;
  /// `count` floats of each of `planes` planes, which are `plane` floats apart.
  Ahead(const float* first, int count, std::ptrdiff_t plane, int planes)
      : from_(first), count_(count), plane_(plane), planes_(planes) {}

  int lines() const { return (count_ + kLine - 1) / kLine * planes_; }

  void ask(int lines) {
    for (; lines > 0 && planes_ > 0; --lines) {
      __builtin_prefetch(from_ + place_, 0, 2);
      place_ += kLine;
      if (place_ < count_) continue;
      place_ = 0;
      from_ += plane_;
      --planes_;
    }
  }

 private:
  static constexpr int kLine = 16;  // floats of a cache line
  const float* from_ = nullptr;
  int count_ = 0, place_ = 0;
  std::ptrdiff_t plane_ = 0;
  int planes_ = 0;
};

}  // namespace cnn
