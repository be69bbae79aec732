// Multiply-adds that depend on nothing but themselves, as many chains as hide their latency.
#include "peak.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include "cnn/core/team.hpp"

namespace cnn::program {
namespace {

#if defined(__AVX512F__)
constexpr int kWidth = 16;
#elif defined(__AVX__)
constexpr int kWidth = 8;
#else
constexpr int kWidth = 4;
#endif
constexpr int kChains = 12;  // latency times units: 8 to 10 on current processors; their registers hold 12 and two more
constexpr int kLoops = 20000;
constexpr double kSeconds = 0.03;

using Lanes = float __attribute__((vector_size(kWidth * sizeof(float))));
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// kLoops times a multiply-add on each chain; what comes out must be used, or the compiler leaves it all out.
float multiply_add(float factor, float addend) {
  const Lanes factors = factor - Lanes{}, addends = addend - Lanes{};
  Lanes chains[kChains];
  for (int i = 0; i < kChains; ++i) chains[i] = static_cast<float>(i) - Lanes{};
  for (int loop = 0; loop < kLoops; ++loop) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) chains[i] = chains[i] * factors + addends;
  }
  Lanes sum{};
  for (const Lanes& chain : chains) sum += chain;
  return sum[0];
}

}  // namespace

double peak_gflops(int threads) {
  std::vector<double> rates(static_cast<std::size_t>(threads), 0.0);
  std::vector<float> results(static_cast<std::size_t>(threads), 0.0f);
  run_team(threads, [&] {
    const auto self = static_cast<std::size_t>(team_rank());
    const Clock::time_point begin = Clock::now();
    long rounds = 0;
    double seconds = 0;
    for (; seconds < kSeconds; seconds = seconds_since(begin), ++rounds)
      results[self] += multiply_add(0.999f, static_cast<float>(rounds));
    rates[self] = 2.0 * kWidth * kChains * kLoops * static_cast<double>(rounds) / seconds / 1e9;
  });
  double sum = 0;
  for (const double rate : rates) sum += rate;
  return sum;
}

}  // namespace cnn::program
