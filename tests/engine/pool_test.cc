// Threads that share parts: each part once, for any number of threads, parts and jobs.
#include "halftone/engine/pool.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace halftone::engine {
namespace {

TEST(Pool, EveryPartIsDoneOnceByAThreadOfThePool) {
  for (int threads : {1, 2, 3, 8}) {
    Pool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (std::int64_t parts : {0, 1, 2, 7, 64, 1000}) {
      std::vector<std::atomic<int>> done(static_cast<std::size_t>(parts));
      std::atomic<bool> is_known = true;
      pool.run(parts, [&](std::int64_t part, int thread) {
        ++done[static_cast<std::size_t>(part)];
        if (thread < 0 || thread >= threads) is_known = false;
      });
      for (const auto& each : done) ASSERT_EQ(each, 1) << threads << " threads, " << parts << " parts";
      EXPECT_TRUE(is_known);
    }
  }
}

// Jobs without a pause, and with pauses in which threads fall asleep.
TEST(Pool, JobsFollowOneAnother) {
  Pool pool(3);
  std::int64_t expected = 0;
  std::atomic<std::int64_t> sum = 0;
  for (int job = 0; job < 20000; ++job) {
    const std::int64_t parts = job % 9 + 1;
    pool.run(parts, [&](std::int64_t part, int) { sum += part + job; });
    for (std::int64_t part = 0; part < parts; ++part) expected += part + job;
    ASSERT_EQ(sum, expected) << job;
    if (job % 1000 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST(Pool, TheFirstFailureIsThrownAfterAllParts) {
  Pool pool(3);
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> done = 0;
    try {
      pool.run(50, [&](std::int64_t part, int) {
        ++done;
        if (part % 20 == 7) throw std::runtime_error(std::to_string(part));
      });
      FAIL();
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "7");
    }
    EXPECT_EQ(done, 50);
  }
}

// A part that takes far longer than the others does not stop later jobs.
TEST(Pool, AStallIsForgotten) {
  Pool pool(2);
  std::atomic<std::int64_t> sum = 0;
  for (int job = 0; job < 50; ++job)
    pool.run(8, [&](std::int64_t part, int thread) {
      if (thread == 1 && job == 10) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      sum += part;
    });
  EXPECT_EQ(sum, 50 * 28);
}

}  // namespace
}  // namespace halftone::engine
