// What the benchmarks of kernels share: memory with plausible values, the team, and counters.
#pragma once

#include <benchmark/benchmark.h>
#include <sys/mman.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <new>
#include <string>

#include "cnn/core/team.hpp"
#include "cnn/core/types.hpp"

namespace cnn::bench {

/// Threads of the team; `--team N` of the command line, else 2.
inline int team_threads = 2;
/// Images of a batch; `--batch N`, else 16.
inline int batch = 16;

inline constexpr std::size_t kHugePage = std::size_t{1} << 21;

/// Floats on a page's edge, all between -1 and 1; in huge pages where there are many, as in a network's memory.
class Values {
 public:
  explicit Values(std::size_t count) : count_(count), data_(new (std::align_val_t(kHugePage)) float[count]) {
    madvise(data_.get(), count * sizeof(float), MADV_HUGEPAGE);
    std::uint32_t state = 1;
    for (std::size_t i = 0; i < count; ++i) {
      state = state * 1664525u + 1013904223u;
      data_.get()[i] = static_cast<float>(state >> 8) / 8388608.0f - 1;
    }
  }
  Floats get() const { return {data_.get(), count_}; }
  float* data() const { return data_.get(); }
  operator Floats() const { return {data_.get(), count_}; }
  operator ConstFloats() const { return {data_.get(), count_}; }
  /// As a batch's activations, one image a block.
  Blocked images() const { return {data_.get(), static_cast<std::ptrdiff_t>(count_) / batch}; }

 private:
  struct Free {
    void operator()(float* memory) const { operator delete[](memory, std::align_val_t(kHugePage)); }
  };
  std::size_t count_;
  std::unique_ptr<float[], Free> data_;
};

/// Scratch memory for the team.
class TeamScratch {
 public:
  explicit TeamScratch(const ScratchSize& size)
      : per_thread_((size.per_thread + 15) / 16 * 16), floats_(size.shared + 16 + per_thread_ * static_cast<std::size_t>(team_threads)) {
    scratch_ = {floats_.data(), floats_.data() + (size.shared + 15) / 16 * 16, per_thread_};
  }
  const Scratch& get() const { return scratch_; }

 private:
  std::size_t per_thread_;
  Values floats_;
  Scratch scratch_;
};

/// Runs `work` on the team as often as Google Benchmark asks, `after()` behind each run, and counts `operations` and `bytes` a run.
template <class Work, class After>
void measure(benchmark::State& state, double operations, double bytes, Work&& work, After&& after) {
  for (auto _ : state) {
    run_team(team_threads, work);
    after();
  }
  const auto runs = static_cast<double>(state.iterations());
  if (operations > 0) state.counters["FLOP/s"] = {operations * runs, benchmark::Counter::kIsRate};
  if (bytes > 0) state.counters["B/s"] = {bytes * runs, benchmark::Counter::kIsRate};
}

template <class Work>
void measure(benchmark::State& state, double operations, double bytes, Work&& work) {
  measure(state, operations, bytes, work, [] {});
}

/// Registers a benchmark whose operands are made when it runs.
template <class Run>
void add(const std::string& name, Run run) {
  benchmark::RegisterBenchmark(name.c_str(), run)->UseRealTime()->Unit(benchmark::kMillisecond);
}

void add_bn();
void add_conv();
void add_dense();
void add_dwconv();
void add_pools();
void add_separable();

}  // namespace cnn::bench
