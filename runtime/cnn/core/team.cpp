// The floating-point mode of the team's threads.
#include "cnn/core/team.hpp"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace cnn {

#if defined(__SSE__)

namespace {

constexpr unsigned kFlushToZero = 0x8000;
constexpr unsigned kDenormalsAreZero = 0x0040;

}  // namespace

FlushDenormals::FlushDenormals() : saved_(_mm_getcsr()) {
  _mm_setcsr(saved_ | kFlushToZero | kDenormalsAreZero);
}

FlushDenormals::~FlushDenormals() {
  _mm_setcsr(saved_);
}

#else

// Other processors keep their mode: only speed is lost.
FlushDenormals::FlushDenormals() : saved_(0) {}
FlushDenormals::~FlushDenormals() {
  static_cast<void>(saved_);
}

#endif

}  // namespace cnn
