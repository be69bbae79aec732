// The team's threads: each one's place, and its floating-point mode.
#include "cnn/core/team.hpp"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace cnn {

constinit thread_local TeamMember team_member;

namespace {

#if defined(__SSE__)

constexpr std::uint64_t kFlush = 0x8000 | 0x0040;  // MXCSR: FTZ for results, DAZ for operands

std::uint64_t mode() { return _mm_getcsr(); }
void set_mode(std::uint64_t mode) { _mm_setcsr(static_cast<unsigned>(mode)); }

#elif defined(__aarch64__)

constexpr std::uint64_t kFlush = std::uint64_t{1} << 24;  // FPCR.FZ: for results and operands

std::uint64_t mode() {
  std::uint64_t mode;
  asm volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
}
void set_mode(std::uint64_t mode) { asm volatile("msr fpcr, %0" : : "r"(mode)); }

#else

// Other processors keep their mode: only speed is lost.
constexpr std::uint64_t kFlush = 0;

std::uint64_t mode() { return 0; }
void set_mode(std::uint64_t) {}

#endif

}  // namespace

FlushDenormals::FlushDenormals() : saved_(mode()) {
  set_mode(saved_ | kFlush);
}

FlushDenormals::~FlushDenormals() {
  set_mode(saved_);
}

}  // namespace cnn
