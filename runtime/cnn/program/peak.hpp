// What the machine could do at most: the yardstick of `bench` and `profile`.
#pragma once

namespace cnn::program {

/// Floating-point operations a second, in units of 10^9, that a loop of nothing but fused multiply-adds reaches on a team
/// of `threads` in about 30 ms: single precision, the widest vectors this program was compiled for.
double peak_gflops(int threads);

}  // namespace cnn::program
