// The team: tiles are shared, each is done once, and denormals are flushed within only.
#include "cnn/core/team.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <set>
#include <thread>
#include <vector>

namespace cnn::tests {

TEST(Team, SharesTilesAmongItsThreads) {
  // A tile waits until another thread has begun one too, so one thread alone can't do them all.
  std::atomic<int> begun[2] = {0, 0};
  std::atomic<bool> alone = false;
  run_team(2, [&] {
    for_each_tile(2, [&](int) {
      ++begun[team_rank()];
      const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (begun[0] == 0 || begun[1] == 0) {
        if (std::chrono::steady_clock::now() > limit) {
          alone = true;
          return;
        }
        std::this_thread::yield();
      }
    });
  });
  EXPECT_FALSE(alone);
  EXPECT_EQ(begun[0], 1);
  EXPECT_EQ(begun[1], 1);
}

TEST(Team, DoesEachTileOnceBeforeAnyThreadGoesOn) {
  constexpr int kTiles = 1000;
  std::vector<std::atomic<int>> done(kTiles);
  std::atomic<int> early = 0;
  run_team(4, [&] {
    for_each_tile(kTiles, [&](int tile) { ++done[static_cast<std::size_t>(tile)]; });
    for (const auto& count : done) early += count == 1 ? 0 : 1;
  });
  EXPECT_EQ(early, 0);
}

TEST(Team, AThreadAloneDoesAllTilesInOrder) {
  std::vector<int> order;
  for_each_tile(5, [&](int tile) { order.push_back(tile); });
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

#if defined(__SSE__) || defined(__aarch64__)
TEST(Team, FlushesDenormalsWithinOnly) {
  volatile float tiny = std::numeric_limits<float>::min();
  std::atomic<int> kept = 0;
  run_team(2, [&] {
    const volatile float half = tiny * 0.5f;
    kept += half != 0 ? 1 : 0;
  });
  EXPECT_EQ(kept, 0);
  const volatile float half = tiny * 0.5f;
  EXPECT_NE(half, 0);
}
#endif

}  // namespace cnn::tests
