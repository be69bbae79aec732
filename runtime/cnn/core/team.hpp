// The team of threads and how kernels share work. Included by runtime sources only: it needs -fopenmp.
//
// Kernels are collective: every thread of the team calls them with the same operands, and none returns before all the work
// is done. Work is cut into tiles by shape, never by the number of threads, and each tile is done by one thread, so results
// do not depend on how many there are. Outside a team a kernel does all its tiles itself.
#pragma once

#include <omp.h>

#include <utility>

namespace cnn {

/// This thread's number in its team, from 0.
inline int team_rank() { return omp_get_thread_num(); }

/// Calls `work(tile)` once for each tile in [0, count), whichever thread is free; returns when all are done.
template <class Work>
void for_each_tile(int count, Work&& work) {
  if (omp_get_num_threads() == 1) {  // GCC's OpenMP would allocate for a loop outside of a team
    for (int tile = 0; tile < count; ++tile) work(tile);
    return;
  }
#pragma omp for schedule(dynamic, 1)
  for (int tile = 0; tile < count; ++tile) work(tile);
}

/// Sets this thread's FTZ and DAZ (denormals cost 40 times a normal's time) and restores them at the end of the scope.
class FlushDenormals {
 public:
  FlushDenormals();
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  unsigned saved_;
};

/// Runs `work()` on every thread of a team of `threads`.
template <class Work>
void run_team(int threads, Work&& work) {
  if (threads == 1) {  // GCC's OpenMP makes a new team for each region of one thread
    const FlushDenormals flush;
    work();
    return;
  }
#pragma omp parallel num_threads(threads)
  {
    const FlushDenormals flush;
    work();
  }
}

}  // namespace cnn
