// The team of threads and how kernels share work. Included by runtime sources only: it needs -fopenmp.
//
// Kernels are collective: every thread of the team calls them with the same operands, and none returns before all the work
// is done. Work is cut into tiles by shape, never by the number of threads, and each tile is done by one thread, so results
// do not depend on how many there are. Outside a team a kernel does all its tiles itself.
#pragma once

#include <omp.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <utility>

namespace cnn {

/// This thread's number in its team, from 0.
inline int team_rank() { return omp_get_thread_num(); }

/// How many threads its team has.
inline int team_size() { return omp_get_num_threads(); }

/// What the members of a team share: the next tile of each share of a loop. Loops use the counters in turn, so that one can
/// be set back while others are in use.
struct TeamLoops {
  static constexpr unsigned kLoops = 4;
  static constexpr int kShares = 16;  // larger teams begin a share with several threads
  struct alignas(64) Counter {
    std::atomic<int> next = 0;
  };
  std::array<std::array<Counter, kShares>, kLoops> counters;
};

/// This thread's place in its team; `loops` is null outside of one. Ours rather than OpenMP's `for`, which may allocate.
struct TeamMember {
  TeamLoops* loops = nullptr;
  unsigned loop = 0;  // loops this thread has been through
};
// Not inline: kernels may be compiled several times, and there is one member.
extern constinit thread_local TeamMember team_member;

/// Calls `work(tile)` once for each tile in [0, count); returns when all are done. A thread begins with a share of its own
/// and then helps with the others': kernels number tiles by image first, so what a thread wrote in one kernel is mostly in
/// its own cache in the next.
template <class Work>
void for_each_tile(int count, Work&& work) {
  if (team_member.loops == nullptr) {
    for (int tile = 0; tile < count; ++tile) work(tile);
    return;
  }
  auto& counters = team_member.loops->counters;
  const unsigned loop = team_member.loop++;
  const int shares = std::min(team_size(), TeamLoops::kShares);
  const int own = team_rank() % shares;
  for (int i = 0; i < shares; ++i) {
    const std::int64_t share = (own + i) % shares;
    const int begin = static_cast<int>(count * share / shares), end = static_cast<int>(count * (share + 1) / shares);
    auto& next = counters[loop % TeamLoops::kLoops][static_cast<std::size_t>(share)].next;
    for (int tile = begin + next.fetch_add(1, std::memory_order_relaxed); tile < end;
         tile = begin + next.fetch_add(1, std::memory_order_relaxed)) {
      work(tile);
    }
  }
  // Everyone is past the barrier of the loop before, so nobody reads the counters of the one before that any more, and
  // nobody can reach their next use before the barrier below.
  counters[(loop + 2) % TeamLoops::kLoops][static_cast<std::size_t>(own)].next.store(0, std::memory_order_relaxed);
#pragma omp barrier
}

/// Sets this thread's FTZ and DAZ (denormals cost 40 times a normal's time) and restores them at the end of the scope.
class FlushDenormals {
 public:
  FlushDenormals();
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  std::uint64_t saved_;
};

/// Runs `work()` on every thread of a team of `threads`.
template <class Work>
void run_team(int threads, Work&& work) {
  if (threads == 1) {  // GCC's OpenMP makes a new team for each region of one thread
    const FlushDenormals flush;
    work();
    return;
  }
  TeamLoops loops;
#pragma omp parallel num_threads(threads)
  {
    const FlushDenormals flush;
    const TeamMember before = std::exchange(team_member, {&loops, 0});
    work();
    team_member = before;
  }
}

}  // namespace cnn
